"""Where a module reads keys of a nested configuration: `nested.get("key", default)`, `nested["key"]`, `"key" in
nested`.

Reads through a small function that takes the key, and in a loop over constant keys, count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.sources import Module
from npuserve.engines.extract.statements import bind_imports
from npuserve.engines.extract.values import Scope, Value


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One place that reads a key."""

    key: str
    default: Value
    """A JSON value or `Unknown`; None also where the place states none."""
    place: ast.AST
    module: Module


def read_keys(interpreter: Interpreter, module: Module, argument: str) -> Iterator[Read]:
    """Every read of a key of `argument` in the module."""
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)]
    through = {function.name: function for function in functions if _key_parameters(function, argument)}
    loops, tests = _loops(module), _truth_tests(module)
    scope = _scope_with_local_imports(interpreter, functions, module)
    for node in ast.walk(module.tree):
        for key, default in direct_reads(node, argument):
            stated = interpreter.evaluate(default, scope) if default else None
            worth = False if default is None and id(node) in tests else stated
            for name in _names(interpreter, key, loops=loops, scope=scope):
                yield Read(name, worth, node, module)
        if isinstance(node, ast.Call):
            function = through.get(ast.unparse(node.func).rpartition(".")[2])
            if function is not None:
                yield from _reads_through(interpreter, node, function=function, scope=scope, argument=argument)


def direct_reads(node: ast.AST, argument: str) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Key and default when `node` itself reads `argument`."""
    match node:
        case ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *rest]) if _is(base, argument):
            yield key, rest[0] if rest else None
        case ast.Subscript(value=base, slice=key, ctx=ast.Load()) if _is(base, argument):
            yield key, None
        case ast.Compare(left=key, ops=[ast.In()], comparators=[base]) if _is(base, argument):
            yield key, None


def _is(base: ast.expr, argument: str) -> bool:
    match base:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == argument
        case ast.BoolOp(values=[first, *_]):
            return _is(first, argument)
    return False


def _loops(module: Module) -> dict[str, ast.expr]:
    """Loop variables and what they run over."""
    return {
        node.target.id: node.iter
        for node in ast.walk(module.tree)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
    }


def _truth_tests(module: Module) -> frozenset[int]:
    """Identities of the expressions that `bool(...)` is applied to: what they read is off unless given."""
    return frozenset(
        id(node.args[0])
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "bool" and node.args
    )


def _scope_with_local_imports(interpreter: Interpreter, functions: list[ast.FunctionDef], module: Module) -> Scope:
    scope = Scope(module)
    for function in functions:
        for statement in ast.walk(function):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                bind_imports(interpreter, statement, scope=scope)
    return scope


def _names(interpreter: Interpreter, key: ast.expr, *, loops: Mapping[str, ast.expr], scope: Scope) -> list[str]:
    match key:
        case ast.Constant(value=str(name)):
            return [name]
        case ast.Name(id=variable) if variable in loops:
            values = interpreter.evaluate(loops[variable], scope)
            return [value for value in values if isinstance(value, str)] if isinstance(values, list | tuple) else []
    return []


def _key_parameters(function: ast.FunctionDef, argument: str) -> list[str]:
    """Parameters that a function uses as a key of `argument`."""
    parameters = {a.arg for a in function.args.args}
    used = [key for node in ast.walk(function) for key, _ in direct_reads(node, argument)]
    return sorted({key.id for key in used if isinstance(key, ast.Name) and key.id in parameters})


def _reads_through(
    interpreter: Interpreter, call: ast.Call, *, function: ast.FunctionDef, scope: Scope, argument: str
) -> Iterator[Read]:
    """The read a call of such a function makes; its last argument is the default."""
    names = [a.arg for a in function.args.args if a.arg not in ("self", "cls")]
    given = dict(zip(names, call.args, strict=False))
    for parameter in _key_parameters(function, argument):
        match given.get(parameter):
            case ast.Constant(value=str(key)):
                yield Read(key, interpreter.evaluate(call.args[-1], scope), call, scope.module)
