"""What each kind of expression is worth (see `interpreter`); calls are in `calls`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from npuserve.engines.extract.statements import assign
from npuserve.engines.extract.values import BINARY, COMPARISONS, FunctionRef, Scope, Unknown, Value, attempt, known

if TYPE_CHECKING:
    from npuserve.engines.extract.interpreter import Interpreter

Reader = Callable[["Interpreter", ast.expr, Scope], Value]


def items_of(interpreter: Interpreter, items: Sequence[ast.expr], scope: Scope) -> list[Value] | None:
    """The values of a list of expressions, starred ones opened; None where a starred one is unknown."""
    listed: list[Value] = []
    for item in items:
        value = interpreter.evaluate(item.value if isinstance(item, ast.Starred) else item, scope)
        if not isinstance(item, ast.Starred):
            listed.append(value)
        elif isinstance(value, list | tuple):
            listed += value
        else:
            return None
    return listed


def _constant(_: Interpreter, expression: ast.expr, scope: Scope) -> Value:  # noqa: ARG001  one signature for all
    assert isinstance(expression, ast.Constant)
    return expression.value


def _name(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.Name)
    name = expression.id
    return scope.names[name] if name in scope.names else interpreter.resolved(scope.module, name)


def _attribute(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.Attribute)
    return interpreter.attribute(interpreter.evaluate(expression.value, scope), expression.attr)


def _lambda(_: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.Lambda)
    return FunctionRef(scope.module, expression, scope.names, scope.owner)


def _sequence(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.List | ast.Tuple | ast.Set)
    listed = items_of(interpreter, expression.elts, scope)
    if listed is None:
        return Unknown(ast.unparse(expression))
    return tuple(listed) if isinstance(expression, ast.Tuple) else listed


def _mapping(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.Dict)
    built: dict[Value, Value] = {}
    for key, item in zip(expression.keys, expression.values, strict=True):
        value = interpreter.evaluate(item, scope)
        if key is not None:
            built[interpreter.evaluate(key, scope)] = value
        elif isinstance(value, dict):
            built |= value
        else:
            return Unknown(ast.unparse(expression))
    return built


def _comprehension(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    """A comprehension with one `for`: a list, or a mapping."""
    match expression:
        case ast.DictComp(key=key, value=value, generators=[clause]):
            rows = _rows(interpreter, [key, value], clause=clause, scope=scope)
            return dict(rows) if rows is not None else Unknown(ast.unparse(expression))
        case ast.ListComp(elt=item, generators=[clause]) | ast.GeneratorExp(elt=item, generators=[clause]):
            rows = _rows(interpreter, [item], clause=clause, scope=scope)
            return [row[0] for row in rows] if rows is not None else Unknown(ast.unparse(expression))
    return Unknown(ast.unparse(expression))


def _rows(
    interpreter: Interpreter, parts: Sequence[ast.expr], *, clause: ast.comprehension, scope: Scope
) -> list[list[Value]] | None:
    """The parts once per item that meets the conditions; None where items or conditions are unknown."""
    items = interpreter.evaluate(clause.iter, scope)
    if not isinstance(items, list | tuple | dict):
        return None
    inner = Scope(scope.module, dict(scope.names), scope.owner)
    rows: list[list[Value]] = []
    for item in items:
        assign(interpreter, clause.target, value=item, scope=inner)
        conditions = [interpreter.evaluate(condition, inner) for condition in clause.ifs]
        if not known(*conditions):
            return None
        if all(conditions):
            rows.append([interpreter.evaluate(part, inner) for part in parts])
    return rows


def _joined(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.JoinedStr)
    parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in expression.values]
    texts = [interpreter.evaluate(part, scope) for part in parts]
    return "".join(str(text) for text in texts) if known(*texts) else Unknown(ast.unparse(expression))


def _subscript(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.Subscript)
    text = ast.unparse(expression)
    container, index = interpreter.evaluate(expression.value, scope), interpreter.evaluate(expression.slice, scope)
    if isinstance(container, dict):
        return container.get(index, Unknown(text))
    return attempt(operator.getitem, text, positional=[container, index], keywords={})


def _conditional(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.IfExp)
    decided = interpreter.evaluate(expression.test, scope)
    if not known(decided):
        return Unknown(ast.unparse(expression))
    return interpreter.evaluate(expression.body if decided else expression.orelse, scope)


def _unary(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.UnaryOp)
    function = operator.not_ if isinstance(expression.op, ast.Not) else operator.neg
    value = interpreter.evaluate(expression.operand, scope)
    return attempt(function, ast.unparse(expression), positional=[value], keywords={})


def _binary(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    assert isinstance(expression, ast.BinOp)
    pair = [interpreter.evaluate(expression.left, scope), interpreter.evaluate(expression.right, scope)]
    function = BINARY.get(type(expression.op))
    text = ast.unparse(expression)
    return attempt(function, text, positional=pair, keywords={}) if function else Unknown(text)


def _boolean(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    """The first part that decides, or that cannot be computed, else the last."""
    assert isinstance(expression, ast.BoolOp)
    decides = isinstance(expression.op, ast.Or)
    worth: Value = None
    for part in expression.values:
        worth = interpreter.evaluate(part, scope)
        if not known(worth) or bool(worth) is decides:
            return worth
    return worth


def _comparison(interpreter: Interpreter, expression: ast.expr, scope: Scope) -> Value:
    text = ast.unparse(expression)
    match expression:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            item, container = interpreter.evaluate(left, scope), interpreter.evaluate(right, scope)
            if isinstance(container, dict) and isinstance(op, ast.In | ast.NotIn) and known(item):
                # The keys are known even where a value is not.
                return (item in container) is isinstance(op, ast.In)
            return attempt(COMPARISONS[type(op)], text, positional=[item, container], keywords={})
    return Unknown(text)


EXPRESSIONS: Mapping[type[ast.expr], Reader] = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.Dict: _mapping,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _conditional,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.Set: _sequence,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.UnaryOp: _unary,
}
