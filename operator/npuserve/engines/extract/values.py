"""What an expression of a read-only package is worth: JSON values where they can be computed, `Unknown` where they
cannot.

Rule: anything computed from an unknown is unknown, and an unknown keeps its source text, because `json.loads` or
`argparse.BooleanOptionalAction` says all that is needed without being run. The process environment counts as empty.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from npuserve.engines.extract.sources import Definition, Module

Value = Any
"""A JSON value, a tuple, `Unknown`, `ClassRef`, `FunctionRef`, `Module` or a `Native`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only the running program has; `text` is its expression."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class ClassRef:
    """A class that is defined in the sources."""

    module: Module
    node: ast.ClassDef

    @property
    def name(self) -> str:
        return self.node.name


@dataclass(frozen=True, slots=True, eq=False)
class FunctionRef:
    """A function or lambda of the sources, with the names it sees."""

    module: Module
    node: ast.FunctionDef | ast.Lambda
    names: Mapping[str, Value] = field(default_factory=dict)
    owner: ClassRef | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SuperRef:
    """`super()` inside a method of `owner`, called on `cls`."""

    owner: ClassRef
    cls: ClassRef


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where code runs: its module, its local names, and the class whose method it is."""

    module: Module
    names: dict[str, Value] = field(default_factory=dict)
    owner: ClassRef | None = None


@runtime_checkable
class Native(Protocol):
    """A value of ours that the read program calls methods on."""

    def invoke(self, method: str, positional: list[Value], keywords: Mapping[str, Value]) -> Value: ...


def reference(found: Definition) -> ClassRef | FunctionRef | None:
    """The class or function that `found` is, None when it is a plain expression."""
    match found.node:
        case ast.ClassDef():
            return ClassRef(found.module, found.node)
        case ast.FunctionDef():
            return FunctionRef(found.module, found.node)
    return None


def known(*values: Value) -> bool:
    """Whether none of the values is, or directly holds, an unknown."""
    return not any(
        isinstance(value, Unknown)
        or (isinstance(value, list | tuple | set) and not known(*value))
        or (isinstance(value, dict) and not known(*value.values()))
        for value in values
    )


BINARY: Mapping[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}

COMPARISONS: Mapping[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}

BUILTINS: Mapping[str, Callable[..., Value]] = {
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "set": set,
    "sorted": sorted,
    "str": str,
    "tuple": tuple,
}

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({"replace", "lower", "upper", "strip", "split", "format", "join", "startswith", "removeprefix"}),
    list: frozenset({"append", "copy"}),
    dict: frozenset({"get", "items", "keys", "values", "pop", "copy"}),
}

FOREIGN: Mapping[str, Callable[..., Value]] = {
    "os.getenv": lambda _name, default=None: default,
    "os.environ.get": lambda _name, default=None: default,
    "os.path.expanduser": lambda path: path,
    "os.path.join": lambda first, *rest: "/".join((first, *rest)),
}
"""Functions of other packages whose answer is a constant here; paths under the home directory keep their `~`."""


def attempt(
    function: Callable[..., Value], text: str, *, positional: list[Value], keywords: Mapping[str, Value]
) -> Value:
    """The answer of `function`, or the unknown `text` where it has none for these values."""
    if not known(*positional, *keywords.values()):
        return Unknown(text)
    try:
        return function(*positional, **keywords)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return Unknown(text)
