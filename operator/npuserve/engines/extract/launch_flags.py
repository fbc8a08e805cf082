"""Which flags the server's command line has: what its parser would be told, read instead of run.

The parser is built by `make_arg_parser`; everything it calls is followed (frontend arguments, engine arguments, their
special cases), and each `add_argument` becomes one entry. Hidden and positional arguments have none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from npuserve.engines.extract.classes import config_fields, field_default
from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.shapes import Shape, flag_shape, in_order, json_default, note
from npuserve.engines.extract.sources import Library, Module
from npuserve.engines.extract.statements import run
from npuserve.engines.extract.values import ClassRef, FunctionRef, Scope, Unknown, Value, known

_SHAPE = "shape"
"""Key under which a field's own shape travels with its argparse keywords."""


class Parser:
    """Stands in for the argument parser and its groups: remembers what is added."""

    def __init__(self) -> None:
        self.added: list[tuple[tuple[str, ...], Mapping[str, Value]]] = []

    def invoke(self, method: str, positional: list[Value], keywords: Mapping[str, Value]) -> Value:
        if method == "add_argument":
            self.added.append((tuple(name for name in positional if isinstance(name, str)), dict(keywords)))
        return self


def read_flags(library: Library, entry: Module) -> dict[str, Shape]:
    """Flag (without dashes) to entry, as `make_arg_parser` visible in `entry` and the code around its call declare
    them."""
    interpreter = Interpreter(library)
    readable = _human_readable_fields(interpreter, entry)
    interpreter.hooks = {
        "get_kwargs": lambda positional, _: _field_keywords(interpreter, positional[0], readable),
        "get_field": lambda positional, _: field_default(interpreter, positional[0], positional[1]),
    }
    parser = Parser()
    builder = next(f for f in ast.walk(entry.tree) if isinstance(f, ast.FunctionDef) and _calls(f, "make_arg_parser"))
    scope = Scope(entry, {name.arg: parser for name in builder.args.args})
    run(interpreter, builder.body, scope)
    return dict(sorted(_entry(names, keywords) for names, keywords in parser.added if _is_flag(names, keywords)))


def _calls(function: ast.FunctionDef, name: str) -> bool:
    return any(isinstance(n, ast.Call) and ast.unparse(n.func) == name for n in ast.walk(function))


def _is_flag(names: tuple[str, ...], keywords: Mapping[str, Value]) -> bool:
    hidden = keywords.get("help") == Unknown("argparse.SUPPRESS")
    return not hidden and any(name.startswith("--") for name in names)


def _field_keywords(interpreter: Interpreter, cls: Value, readable: frozenset[str]) -> dict[str, dict[str, Value]]:
    """Per field, the keywords `get_kwargs` gives to `add_argument`, with the shape in place of `type`."""
    if not isinstance(cls, ClassRef):
        return {}
    found: dict[str, dict[str, Value]] = {}
    for name, field in config_fields(interpreter, cls).items():
        shape = flag_shape(interpreter, field) | dict(field.bounds) | note(field)
        if name in readable:
            shape["human_readable"] = True
        keywords: dict[str, Value] = {_SHAPE: shape, "default": field.default}
        found[name] = keywords | {key: shape[key] for key in ("nargs", "choices") if key in shape}
    return found


def _entry(names: tuple[str, ...], keywords: Mapping[str, Value]) -> tuple[str, Shape]:
    long = [name for name in names if name.startswith("--")]
    shape = {
        key: value for key, value in keywords.get(_SHAPE, {"type": "str"}).items() if key not in ("nargs", "choices")
    }
    shape |= _overridden(keywords)
    for key in ("nargs", "choices"):
        if known(keywords.get(key)) and keywords.get(key) is not None:
            shape[key] = in_order(keywords[key]) if key == "choices" else keywords[key]
    if shape["type"] == "json":
        shape.pop("elements", None)
    if shape["type"] == "list" and "nargs" not in shape and "action" not in keywords:
        shape = {"type": shape["elements"]} | {k: v for k, v in shape.items() if k not in ("type", "elements")}
    aliases = sorted(name.lstrip("-") for name in names if name != long[0])
    shape["default"] = json_default(keywords.get("default"))
    if shape["type"] == "bool" and shape["default"] is None and "negatable" not in shape:
        shape["default"] = False
    return long[0].removeprefix("--"), shape | ({"aliases": aliases} if aliases else {})


def _overridden(keywords: Mapping[str, Value]) -> Shape:
    """What explicit `action`, `type` and `deprecated` keywords change."""
    changed: Shape = {}
    action, kind = keywords.get("action"), keywords.get("type")
    if action == Unknown("argparse.BooleanOptionalAction"):
        changed |= {"type": "bool", "negatable": True}
    elif action in ("store_true", "store_false"):
        changed |= {"type": "bool"}
    elif action == "append":
        changed |= {"type": "list", "elements": "str", "repeated": True}
    elif isinstance(kind, Unknown | FunctionRef) and "choices" not in keywords and _SHAPE not in keywords:
        changed["type"] = _kind(kind)
    elif isinstance(kind, Unknown) and "json.loads" in kind.text:
        changed["type"] = "json"
    if keywords.get("deprecated") is True:
        changed["deprecated"] = "deprecated"
    return changed


def _kind(value: Unknown | FunctionRef) -> str:
    text = value.text if isinstance(value, Unknown) else ""
    found = re.search(r"\b(json\.loads|int|float|bool)\b", text)
    return {"json.loads": "json"}.get(found[1], found[1]) if found else "str"


def _human_readable_fields(interpreter: Interpreter, entry: Module) -> frozenset[str]:
    """Fields that take "32k" for 32000: the names compared before `human_readable_int` becomes the type."""
    scope = Scope(entry)
    home = interpreter.evaluate(ast.Name("make_arg_parser"), scope)
    names: set[str] = set()
    if isinstance(home, FunctionRef):
        kwargs = interpreter.library.resolve(home.module, "AsyncEngineArgs")
        module = getattr(kwargs, "module", home.module)
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef) and function.name in ("_compute_kwargs", "get_kwargs"):
                names |= _compared_names(function)
    return frozenset(names)


def _compared_names(function: ast.FunctionDef) -> set[str]:
    sets = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.If(test=ast.Compare(left=ast.Name(id="name"), comparators=[members]), body=body) if any(
                "human_readable_int" in ast.unparse(statement) for statement in body
            ):
                listed = sets.get(members.id, members) if isinstance(members, ast.Name) else members
                constants = (node for node in ast.walk(listed) if isinstance(node, ast.Constant))
                names |= {constant.value for constant in constants if isinstance(constant.value, str)}
    return names
