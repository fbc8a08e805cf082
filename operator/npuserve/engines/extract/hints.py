"""What an annotation allows: the set of its atoms, aliases and unions opened, `Annotated`, `ClassVar` and `InitVar`
taken off."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.sources import Definition, Module
from npuserve.engines.extract.values import ClassRef, Scope, known, reference

Scalar = str | int | float | bool | None

_PLAIN = {"bool": "bool", "int": "int", "float": "float", "str": "str", "None": "none"}
_CONTAINERS = {
    "dict": "dict", "Dict": "dict", "Mapping": "dict",
    "list": "list", "List": "list", "Sequence": "list",
    "tuple": "tuple", "set": "set", "frozenset": "set",
}  # fmt: skip
_WRAPPERS = frozenset({"Annotated", "InitVar", "Optional", "Required"})


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One member of a union.

    `kind` is bool, int, float, str, none, dict, list, tuple, set, literal, config (a dataclass of the sources) or
    other.
    """

    kind: str
    choices: tuple[Scalar, ...] | None = ()
    """Of a literal; None when one of its members cannot be read."""
    items: tuple[Hints, ...] = ()
    """Of a list, tuple or set: the hints of its members; of a tuple one per position, or one for any length."""
    cls: ClassRef | None = None
    any_length: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """All atoms of one annotation."""

    atoms: tuple[Atom, ...]

    def has(self, *kinds: str) -> bool:
        return any(atom.kind in kinds for atom in self.atoms)

    def first(self, kind: str) -> Atom | None:
        return next((atom for atom in self.atoms if atom.kind == kind), None)

    def without_none(self) -> tuple[Atom, ...]:
        return tuple(atom for atom in self.atoms if atom.kind != "none")


def read_hints(interpreter: Interpreter, annotation: ast.expr, module: Module) -> Hints:
    """The atoms of `annotation` as written in `module`."""
    return Hints(tuple(_atoms(interpreter, annotation, module)))


def is_config(cls: ClassRef) -> bool:
    """Whether the class is a dataclass: its fields are keys of a JSON argument."""
    return any(
        ast.unparse(d.func if isinstance(d, ast.Call) else d).rpartition(".")[2] in ("config", "dataclass")
        for d in cls.node.decorator_list
    )


def _atoms(interpreter: Interpreter, annotation: ast.expr, module: Module) -> list[Atom]:
    match annotation:
        case ast.Constant(value=None):
            return [Atom("none")]
        case ast.Constant(value=str(text)):
            return _atoms(interpreter, ast.parse(text, mode="eval").body, module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _atoms(interpreter, left, module) + _atoms(interpreter, right, module)
        case ast.Subscript(value=base, slice=inner):
            parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
            return _subscript(interpreter, base, parts=parts, module=module)
        case ast.Name(id=name):
            return _named(interpreter, name, module)
        case ast.Attribute(value=ast.Name(id=base), attr=name):
            found = interpreter.library.resolve(module, base)
            return _named(interpreter, name, found) if isinstance(found, Module) else _special(name)
    return [Atom("other")]


def _subscript(interpreter: Interpreter, base: ast.expr, *, parts: list[ast.expr], module: Module) -> list[Atom]:
    name = ast.unparse(base).rpartition(".")[2]
    if name == "Literal":
        return [Atom("literal", choices=_literals(interpreter, parts, module))]
    if name == "Union":
        return [atom for part in parts for atom in _atoms(interpreter, part, module)]
    if name in _WRAPPERS:
        return _atoms(interpreter, parts[0], module) + ([Atom("none")] if name == "Optional" else [])
    kind = _CONTAINERS.get(name)
    if kind is None:
        return [Atom("other")]
    members = [part for part in parts if ast.unparse(part) != "..."]
    items = () if kind == "dict" else tuple(read_hints(interpreter, part, module) for part in members)
    return [Atom(kind, items=items, any_length=kind != "tuple" or len(members) < len(parts))]


def _literals(interpreter: Interpreter, parts: list[ast.expr], module: Module) -> tuple[Scalar, ...] | None:
    """The members of `Literal[...]`: constants, other literals by name, and starred tuples."""
    found: list[Scalar] = []
    for part in parts:
        if isinstance(part, ast.Name | ast.Attribute):
            for atom in _atoms(interpreter, part, module):
                if atom.kind != "literal" or atom.choices is None:
                    return None
                found += atom.choices
            continue
        value = interpreter.evaluate(part.value if isinstance(part, ast.Starred) else part, Scope(module))
        if not known(value):
            return None
        found += value if isinstance(part, ast.Starred) else [value]
    return tuple(dict.fromkeys(found))


def _named(interpreter: Interpreter, name: str, module: Module) -> list[Atom]:
    if name not in module.bindings:
        return _special(name)
    found = interpreter.library.resolve(module, name)
    if not isinstance(found, Definition):
        return _special(name)
    target = reference(found)
    if isinstance(target, ClassRef):
        return [Atom("config", cls=target) if is_config(target) else Atom("other", cls=target)]
    return _atoms(interpreter, found.node, found.module) if isinstance(found.node, ast.expr) else [Atom("other")]


def _special(name: str) -> list[Atom]:
    if name in _PLAIN:
        return [Atom(_PLAIN[name])]
    return [Atom(_CONTAINERS.get(name, "other"))]
