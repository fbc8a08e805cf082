"""Runs the statements of a read function, as far as arguments depend on them (see `interpreter`)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from npuserve.engines.extract.sources import Imported, imports
from npuserve.engines.extract.values import FunctionRef, Scope, Unknown, Value, known

if TYPE_CHECKING:
    from npuserve.engines.extract.interpreter import Interpreter


@dataclass(frozen=True, slots=True)
class Returned:
    """A function came to its `return`."""

    value: Value


Step = Callable[["Interpreter", ast.stmt, Scope], Returned | None]


def run(interpreter: Interpreter, body: Sequence[ast.stmt], scope: Scope) -> Returned | None:
    """Runs statements in order; the return reached, if any. Statements of other kinds change nothing here."""
    for statement in body:
        step = _STEPS.get(type(statement))
        returned = step(interpreter, statement, scope) if step else None
        if returned is not None:
            return returned
    return None


def assign(interpreter: Interpreter, target: ast.expr, *, value: Value, scope: Scope) -> None:
    """Gives a name, a key of a known mapping, or each of several names its value."""
    match target:
        case ast.Name(id=name):
            scope.names[name] = value
        case ast.Subscript(value=base, slice=key):
            container, index = interpreter.evaluate(base, scope), interpreter.evaluate(key, scope)
            if isinstance(container, dict) and known(index):
                container[index] = value
        case ast.Tuple(elts=targets):
            parts = value if isinstance(value, tuple | list) and len(value) == len(targets) else None
            for position, part in enumerate(targets):
                worth = Unknown("item") if parts is None else parts[position]
                assign(interpreter, part, value=worth, scope=scope)


def bind_imports(interpreter: Interpreter, statement: ast.Import | ast.ImportFrom, *, scope: Scope) -> None:
    """Adds the names of an import inside a function to `scope`."""
    module = scope.module
    package = module.name if module.path.endswith("/__init__.py") else module.name.rpartition(".")[0]
    for name, bound in imports(statement, package).items():
        if isinstance(bound, Imported):
            origin = interpreter.library.module(bound.module)
            if origin is None:
                scope.names[name] = Unknown(f"{bound.module}.{bound.name}".rstrip("."))
            else:
                scope.names[name] = interpreter.resolved(origin, bound.name) if bound.name else origin


def _return(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> Returned:
    assert isinstance(statement, ast.Return)
    return Returned(interpreter.evaluate(statement.value, scope) if statement.value else None)


def _raise(_: Interpreter, statement: ast.stmt, scope: Scope) -> Returned:  # noqa: ARG001  one signature for all
    return Returned(Unknown("raise"))


def _assign(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            worth = interpreter.evaluate(value, scope)
            for target in targets:
                assign(interpreter, target, value=worth, scope=scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            assign(interpreter, target, value=interpreter.evaluate(value, scope), scope=scope)
        case ast.AugAssign(target=target):
            assign(interpreter, target, value=Unknown(ast.unparse(statement)), scope=scope)


def _expression(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> None:
    assert isinstance(statement, ast.Expr)
    interpreter.evaluate(statement.value, scope)


def _delete(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> None:
    assert isinstance(statement, ast.Delete)
    for target in statement.targets:
        if isinstance(target, ast.Subscript):
            container = interpreter.evaluate(target.value, scope)
            if isinstance(container, dict):
                container.pop(interpreter.evaluate(target.slice, scope), None)


def _branch(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> Returned | None:
    assert isinstance(statement, ast.If)
    decided = interpreter.evaluate(statement.test, scope)
    if known(decided):
        return run(interpreter, statement.body if decided else statement.orelse, scope)
    both = run(interpreter, statement.body, scope), run(interpreter, statement.orelse, scope)
    return Returned(Unknown("either branch")) if any(both) else None


def _loop(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> Returned | None:
    assert isinstance(statement, ast.For)
    items = interpreter.evaluate(statement.iter, scope)
    for item in list(items) if isinstance(items, list | tuple | dict) else []:
        assign(interpreter, statement.target, value=item, scope=scope)
        returned = run(interpreter, statement.body, scope)
        if returned is not None:
            return returned
    return None


def _define(_: Interpreter, statement: ast.stmt, scope: Scope) -> None:
    assert isinstance(statement, ast.FunctionDef)
    scope.names[statement.name] = FunctionRef(scope.module, statement, scope.names, scope.owner)


def _import(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> None:
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    bind_imports(interpreter, statement, scope=scope)


def _try(interpreter: Interpreter, statement: ast.stmt, scope: Scope) -> Returned | None:
    assert isinstance(statement, ast.Try)
    return run(interpreter, statement.body, scope)


_STEPS: Mapping[type[ast.stmt], Step] = {
    ast.AnnAssign: _assign,
    ast.Assign: _assign,
    ast.AugAssign: _assign,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _loop,
    ast.FunctionDef: _define,
    ast.If: _branch,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
}
