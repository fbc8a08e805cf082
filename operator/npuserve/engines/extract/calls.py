"""What a call is worth (see `interpreter`): a hook, a method, a function of the sources, or a known function of another
package."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from npuserve.engines.extract.expressions import items_of
from npuserve.engines.extract.values import (
    BUILTINS,
    FOREIGN,
    METHODS,
    ClassRef,
    FunctionRef,
    Native,
    Scope,
    SuperRef,
    Unknown,
    Value,
    attempt,
    known,
)

if TYPE_CHECKING:
    from npuserve.engines.extract.interpreter import Interpreter


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments of a call, and its text for when it cannot be computed."""

    positional: list[Value]
    keywords: dict[str, Value]
    text: str


def call_expression(interpreter: Interpreter, call: ast.Call, scope: Scope) -> Value:
    """The value of a call, or `Unknown`."""
    text = ast.unparse(call)
    positional = items_of(interpreter, call.args, scope)
    keywords = _keywords(interpreter, call, scope)
    if positional is None or keywords is None:
        return Unknown(text)
    given = _Given(positional, keywords, text)
    if isinstance(call.func, ast.Attribute):
        base = interpreter.evaluate(call.func.value, scope)
        if isinstance(base, Native | SuperRef) or type(base) in METHODS:
            return _method(interpreter, base, name=call.func.attr, given=given)
    return _function(interpreter, call.func, scope=scope, given=given)


def _method(interpreter: Interpreter, base: Value, *, name: str, given: _Given) -> Value:
    """A method of a value of ours, of `super()`, or of a text, list or mapping."""
    if isinstance(base, Native):
        return base.invoke(name, given.positional, given.keywords)
    if isinstance(base, SuperRef):
        return _inherited(interpreter, base, name=name, given=given)
    if name not in METHODS[type(base)]:
        return Unknown(given.text)
    if isinstance(base, dict) and name in ("items", "keys", "values"):
        return list(getattr(base, name)())
    if isinstance(base, dict) and known(*given.positional[:1]):
        # A default that is not known must not hide a value that is.
        return getattr(base, name)(*given.positional)
    return attempt(getattr(base, name), given.text, positional=given.positional, keywords=given.keywords)


def _inherited(interpreter: Interpreter, base: SuperRef, *, name: str, given: _Given) -> Value:
    for cls in interpreter.lineage(base.owner)[1:]:
        function = interpreter.member(cls, name)
        if isinstance(function, FunctionRef):
            return interpreter.call(function, [base.cls, *given.positional], given.keywords)
    return Unknown(given.text)


def _function(interpreter: Interpreter, callee: ast.expr, *, scope: Scope, given: _Given) -> Value:
    name = callee.attr if isinstance(callee, ast.Attribute) else ast.unparse(callee)
    if name in interpreter.hooks:
        return interpreter.hooks[name](given.positional, given.keywords)
    if name == "super" and scope.owner is not None:
        cls = scope.names.get("cls", scope.owner)
        return SuperRef(scope.owner, cls if isinstance(cls, ClassRef) else scope.owner)
    function = interpreter.evaluate(callee, scope)
    if isinstance(function, FunctionRef):
        bound = isinstance(callee, ast.Attribute) and _is_classmethod(function.node)
        first = [interpreter.evaluate(callee.value, scope)] if bound and isinstance(callee, ast.Attribute) else []
        return interpreter.call(function, [*first, *given.positional], given.keywords)
    foreign = {**BUILTINS, **FOREIGN}.get(function.text) if isinstance(function, Unknown) else None
    if foreign is None:
        return Unknown(given.text)
    return attempt(foreign, given.text, positional=given.positional, keywords=given.keywords)


def _keywords(interpreter: Interpreter, call: ast.Call, scope: Scope) -> dict[str, Value] | None:
    """Keyword arguments, `**` ones opened; None where such a one is unknown."""
    found: dict[str, Value] = {}
    for keyword in call.keywords:
        value = interpreter.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            found[keyword.arg] = value
        elif isinstance(value, Mapping):
            found |= value
        else:
            return None
    return found


def _is_classmethod(node: ast.FunctionDef | ast.Lambda) -> bool:
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "classmethod" for d in node.decorator_list)
