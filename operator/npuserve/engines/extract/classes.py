"""Which fields a configuration class has: what each may hold, its default, its bounds, and whether it may be set."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from npuserve.engines.extract.hints import Atom, Hints, read_hints
from npuserve.engines.extract.interpreter import Interpreter
from npuserve.engines.extract.values import ClassRef, FunctionRef, Scope, Unknown, Value

_BOUNDS = ("ge", "gt", "le", "lt")
_DEPRECATED = re.compile(r"^\W*deprecated\b|\b(?:option|flag|argument|field|parameter) is deprecated\b", re.IGNORECASE)
_REMOVAL = re.compile(r"(?:removed|remove) in (?:a future release|v?(?P<version>\d+\.\d+(?:\.\d+)?))", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class ConfigField:
    """One field of a configuration class."""

    name: str
    hints: Hints
    default: Value
    """A JSON value, or `Unknown`; None for a field without a default."""
    bounds: Mapping[str, float]
    """Any of ge, gt, le, lt."""
    accepted: bool
    """Whether the constructor takes it."""
    deprecated: str | None


def config_fields(interpreter: Interpreter, cls: ClassRef) -> dict[str, ConfigField]:
    """The fields of `cls` and of its bases, by name; class variables are none."""
    found: dict[str, ConfigField] = {}
    for owner in reversed(interpreter.lineage(cls)):
        body = owner.node.body
        for position, statement in enumerate(body):
            if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
                note = body[position + 1] if position + 1 < len(body) else None
                field = _read(interpreter, statement, owner=owner, note=note)
                found[field.name] = _widen(field, interpreter.library.widened.get((owner.name, field.name), ()))
    return found


def field_default(interpreter: Interpreter, cls: ClassRef, name: str) -> Value:
    """The default of one field; `Unknown` when there is no such field."""
    field = config_fields(interpreter, cls).get(name)
    return field.default if field else Unknown(f"{cls.name}.{name}")


def _read(interpreter: Interpreter, statement: ast.AnnAssign, *, owner: ClassRef, note: ast.stmt | None) -> ConfigField:
    assert isinstance(statement.target, ast.Name)
    keywords: dict[str, Value] = {}
    scope = Scope(owner.module, owner=owner)
    default: Value = None
    match statement.value:
        case ast.Call(func=ast.Name(id="Field" | "field") | ast.Attribute(attr="Field" | "field")) as call:
            keywords = {k.arg: interpreter.evaluate(k.value, scope) for k in call.keywords if k.arg}
            default = _declared_default(interpreter, call, keywords=keywords, scope=scope)
        case ast.expr() as value:
            default = interpreter.evaluate(value, scope)
    return ConfigField(
        name=statement.target.id,
        hints=read_hints(interpreter, statement.annotation, owner.module),
        default=default,
        bounds={bound: keywords[bound] for bound in _BOUNDS if isinstance(keywords.get(bound), int | float)},
        accepted=keywords.get("init", True) is not False,
        deprecated=_deprecation(note),
    )


def _declared_default(
    interpreter: Interpreter, call: ast.Call, *, keywords: Mapping[str, Value], scope: Scope
) -> Value:
    if call.args:
        positional = interpreter.evaluate(call.args[0], scope)
        return None if positional is Ellipsis else positional
    if "default_factory" not in keywords:
        return keywords.get("default")
    factory = keywords["default_factory"]
    match factory:
        case FunctionRef():
            return interpreter.call(factory)
        case Unknown(text="dict"):
            return {}
        case Unknown(text="list" | "set" | "tuple"):
            return []
    return Unknown(f"{ast.unparse(call)}")


def _widen(field: ConfigField, extra: tuple[str, ...]) -> ConfigField:
    if not extra:
        return field
    atoms = tuple(
        Atom("literal", choices=tuple(dict.fromkeys((*atom.choices, *extra))))
        if atom.kind == "literal" and atom.choices
        else atom
        for atom in field.hints.atoms
    )
    return replace(field, hints=Hints(atoms))


def _deprecation(note: ast.stmt | None) -> str | None:
    """When the field goes, where its description announces that."""
    match note:
        case ast.Expr(value=ast.Constant(value=str(text))) if _DEPRECATED.search(text):
            removal = _REMOVAL.search(" ".join(text.split()))
            return f"to be removed in {removal['version']}" if removal and removal["version"] else "deprecated"
    return None
