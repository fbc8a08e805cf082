"""Which environment variables the packages read, their defaults, and which of them matter only while the package is
built."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.shapes import Shape, json_default
from npuserve.engines.extract.sources import Library, Module
from npuserve.engines.extract.values import FunctionRef, Scope, Unknown, Value, known


def read_environment(library: Library, module: Module, *, registry: str, build_script: str) -> dict[str, Shape]:
    """Variable to `{default, source, build}` for every name in the dictionary `registry` of `module`.

    A variable belongs to the build when the package's build script reads it and no module of the package does.
    """
    interpreter = Interpreter(library)
    table = module.bindings.get(registry)
    declared = _declared_defaults(interpreter, module)
    entries = zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else []
    at_run_time = _read_elsewhere(library, module)
    found: dict[str, Shape] = {}
    for key, getter in entries:
        if isinstance(key, ast.Constant):
            name = str(key.value)
            default = _default(interpreter, getter, Scope(module))
            found[name] = {
                "default": json_default(default if known(default) else declared.get(name)),
                "source": module.path,
            } | ({"build": True} if _mentions(build_script, name) and name not in at_run_time else {})
    return dict(sorted(found.items()))


def read_directly(library: Library, package: str) -> dict[str, Shape]:
    """Variables that modules under `package` read from the process environment themselves, with the first place that
    does."""
    interpreter = Interpreter(library)
    found: dict[str, Shape] = {}
    for module in library.modules_under(package):
        for node in ast.walk(module.tree):
            for name, default in _process_reads(node):
                worth = interpreter.evaluate(default, Scope(module)) if default else None
                found.setdefault(name, {"default": json_default(worth), "source": module.path})
    return dict(sorted(found.items()))


def _process_reads(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *rest]):
            if ast.unparse(function) in ("os.getenv", "os.environ.get"):
                yield name, rest[0] if rest else None
        case ast.Subscript(value=base, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            if ast.unparse(base) == "os.environ":
                yield name, None
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()], comparators=[base]):
            if ast.unparse(base) == "os.environ":
                yield name, None


def _default(interpreter: Interpreter, getter: ast.expr, scope: Scope) -> Value:
    """What the getter answers in an empty environment."""
    if isinstance(getter, ast.Call) and len(getter.args) > 1:
        # A getter made from (name, default, choices) answers its second argument.
        return interpreter.evaluate(getter.args[1], scope)
    function = interpreter.evaluate(getter, scope)
    return interpreter.call(function) if isinstance(function, FunctionRef) else Unknown(ast.unparse(getter))


def _declared_defaults(interpreter: Interpreter, module: Module) -> Mapping[str, Value]:
    """Defaults stated for type checkers, for the getters that cannot be computed."""
    return {
        node.target.id: interpreter.evaluate(node.value, Scope(module))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }


def _mentions(script: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", script) is not None


def _read_elsewhere(library: Library, module: Module) -> frozenset[str]:
    """Upper-case names that other files of the module's package use as an attribute or a text: `envs.NAME`, `"NAME"`."""
    package = module.path.partition("/")[0] + "/"
    words: set[str] = set()
    for path, text in library.files.items():
        if path.startswith(package) and path != module.path:
            words.update(re.findall(r"""[.'"]([A-Z][A-Z0-9_]{3,})\b""", text))
    return frozenset(words)
