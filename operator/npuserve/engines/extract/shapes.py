"""What a value must look like, from the annotation of its field: once as the command line reads it, once inside JSON."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from npuserve.engines.extract.classes import ConfigField, config_fields
from npuserve.engines.extract.hints import Atom, Hints, Scalar
from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.values import ClassRef, known

Shape = dict[str, Any]
"""An entry of a table: `type` and whatever else limits the value (see `engines.arguments.Argument`)."""

_JSON_TYPES = {"bool": "bool", "int": "int", "float": "float", "str": "str", "dict": "json"}
_KINDS = {bool: "bool", int: "int", float: "float", str: "str"}


def flag_shape(interpreter: Interpreter, field: ConfigField) -> Shape:
    """How vLLM turns a field into an argument (v@0.23.0:vllm/engine/arg_utils.py `_compute_kwargs`), in its order."""
    hints = field.hints
    config, literal = hints.first("config"), hints.first("literal")
    if config is not None and config.cls is not None:
        return {"type": "json", "keys": key_tree(interpreter, config.cls)}
    if hints.has("bool"):
        only_text_too = {atom.kind for atom in hints.atoms} == {"bool", "str", "none"}
        return {"type": "str", "nargs": "?"} if only_text_too else {"type": "bool", "negatable": True}
    if literal is not None:
        return _choice(literal.choices, is_open=hints.has("str"))
    for kind in ("tuple", "list", "set"):
        sequence = hints.first(kind)
        if sequence is not None:
            shape = _sequence(sequence)
            return shape | {"elements": "str"} if shape["elements"] == "any" else shape
    for kind in ("int", "float"):
        if hints.has(kind):
            return {"type": kind}
    if hints.has("dict"):
        return {"type": "json", "text": True} if hints.has("str") else {"type": "json"}
    other = hints.first("other")
    return _numbered(interpreter, other.cls) if other and other.cls else {"type": "str"}


def key_shape(interpreter: Interpreter, hints: Hints, *, above: tuple[str, ...] = ()) -> Shape:
    """What a key inside a JSON argument may hold; `any` where the annotation allows several kinds."""
    atoms = hints.without_none()
    shape: Shape = {"type": "any"}
    kinds = {atom.kind for atom in atoms}
    if len(atoms) == 1:
        shape = _single(interpreter, atoms[0], above)
    elif kinds == {"int", "float"}:
        shape = {"type": "float"}
    elif kinds == {"literal", "str"}:
        shape = {"type": "str"}
    return shape | ({"nullable": True} if hints.has("none") else {})


def json_default(value: object) -> Any:
    """The default as JSON; None where only the running program knows it."""
    if not known(value):
        return None
    match value:
        case tuple() | list():
            return [json_default(item) for item in value]
        case set():
            return sorted(json_default(item) for item in value)
        case dict():
            return {str(key): json_default(item) for key, item in value.items()}
        case bool() | int() | float() | str() | None:
            return value
    return None


def key_tree(interpreter: Interpreter, cls: ClassRef, above: tuple[str, ...] = ()) -> dict[str, Shape]:
    """The keys a configuration class accepts, with their shapes, defaults and bounds."""
    tree: dict[str, Shape] = {}
    for name, field in config_fields(interpreter, cls).items():
        if not field.accepted or name.startswith("_"):
            continue
        shape = key_shape(interpreter, field.hints, above=(*above, cls.name))
        tree[name] = shape | {"default": json_default(field.default)} | dict(field.bounds) | note(field)
    return tree


def note(field: ConfigField) -> Shape:
    """The announcement of a removal, where there is one."""
    return {"deprecated": field.deprecated} if field.deprecated else {}


def _single(interpreter: Interpreter, atom: Atom, above: tuple[str, ...]) -> Shape:
    if atom.kind == "config" and atom.cls is not None and atom.cls.name not in above:
        return {"type": "json", "keys": key_tree(interpreter, atom.cls, above)}
    if atom.kind == "literal":
        return _choice(atom.choices, is_open=False)
    if atom.kind in ("list", "tuple", "set"):
        return {key: value for key, value in _sequence(atom).items() if key != "nargs"}
    return {"type": _JSON_TYPES.get(atom.kind, "any")}


def _numbered(interpreter: Interpreter, cls: ClassRef) -> Shape:
    """An integer enumeration is given by number; every other class by text of its own."""
    if not any(ast.unparse(base).endswith("IntEnum") for base in cls.node.bases):
        return {"type": "str"}
    members = [t.id for s in cls.node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)]
    return {"type": "int", "choices": in_order(interpreter.member(cls, name) for name in members)}


def in_order(choices: Iterable[Scalar]) -> list[Scalar]:
    """Choices sorted: numbers by size, texts by letter."""
    return sorted(choices, key=lambda choice: (0, choice, "") if isinstance(choice, int) else (1, 0, str(choice)))


def _choice(choices: tuple[Scalar, ...] | None, *, is_open: bool) -> Shape:
    kind = _KINDS.get(type(choices[0]), "str") if choices else "str"
    if is_open or choices is None:
        return {"type": kind}
    return {"type": kind, "choices": in_order(choices)}


def _sequence(atom: Atom) -> Shape:
    hints = atom.items[0] if atom.items else Hints(())
    literal = hints.first("literal")
    shape: Shape = {"type": "list", "nargs": "+" if atom.any_length else len(atom.items)}
    if literal is not None and literal.choices:
        return shape | {"elements": "str", "choices": in_order(literal.choices)}
    kind = hints.atoms[0].kind if len(hints.atoms) == 1 else "any"
    return shape | {"elements": kind if kind in ("int", "float", "str") else "any"}
