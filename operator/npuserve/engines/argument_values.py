"""Whether a value suits an argument: its kind, its choices, its bounds, and the keys below it.

Rule: every value gets an answer and none an exception; a value is refused where the engine would refuse it at start-up,
would silently ignore it, or would read something else than was written ("true" as text, 8.0 as a count).
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from npuserve.engines.argument_table import Argument, Json

MAX_DEPTH = 32
"""Levels of a structured value; far above what any engine reads, far below what a parser can take."""
_LARGEST = 2**63 - 1
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_LISTED = 12
"""Choices that a message lists in full."""
_HUMAN_READABLE = re.compile(r"-?\d+|\d+[KMGT]|\d+(\.\d+)?[kmgt]")
_COMPARE: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "ge": (operator.ge, "at least"),
    "gt": (operator.gt, "more than"),
    "le": (operator.le, "at most"),
    "lt": (operator.lt, "less than"),
}
_NEEDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "json": "a mapping",
}


@dataclass(frozen=True, slots=True)
class ArgumentError:
    """What is wrong with one argument or variable, and the fix."""

    kind: Literal["unknown", "reserved", "invalid"]
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Context:
    """What messages about keys need to know: whose key it is, and where else it exists."""

    title: str
    elsewhere: Callable[[tuple[str, ...]], str]
    """The end of a sentence about a path of keys that is unknown here; "" when no other version has it."""


def value_errors(
    argument: Argument, value: Json, *, field: str, context: Context, path: tuple[str, ...]
) -> Iterator[ArgumentError]:
    """What is wrong with `value` for `argument`; `path` leads to it from the top-level argument."""
    if value is None:
        if not argument.nullable and argument.kind != "any":
            yield _invalid(field, f"null is no value here; leave {argument.name} out to take the engine's default")
        return
    match argument.kind:
        case "json":
            yield from _json_errors(argument, value, field=field, context=context, path=path)
        case "list":
            yield from _list_errors(argument, value, field=field)
        case kind:
            problem = _scalar_problem(argument, kind, value)
            if problem:
                yield _invalid(field, problem)


def tree_problem(value: Json) -> str | None:
    """Why a structured value cannot be written as JSON at all; None when it can."""
    pending: list[tuple[Json, int]] = [(value, 0)]
    while pending:
        node, depth = pending.pop()
        match node:
            case float() if not math.isfinite(node):
                return f"{node} is no number"
            case int() if not -_LARGEST <= node <= _LARGEST:
                return "a whole number is too large for the engine"
            case Mapping() | list() | tuple() if depth > MAX_DEPTH:
                return f"values are nested deeper than {MAX_DEPTH} levels"
            case Mapping() if not all(isinstance(key, str) and not _UNWRITABLE.search(key) for key in node):
                return "keys must be plain text"
            case Mapping():
                pending += [(inner, depth + 1) for inner in node.values()]
            case list() | tuple():
                pending += [(inner, depth + 1) for inner in node]
            case str() if _UNWRITABLE.search(node):
                return "text must not contain null characters or halves of surrogate pairs"
            case None | bool() | int() | float() | str():
                pass
            case _:
                return f"{type(node).__name__} is not a JSON value"
    return None


def nearest(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """ "; did you mean X?" for the most similar known name, "" when none is similar."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f"; did you mean {found[0]}?" if found else ""


def having(versions: Sequence[str], verb: tuple[str, str] = ("has", "have")) -> str:
    """ "; A and B have it", "" when no version does."""
    return f"; {' and '.join(versions)} {verb[len(versions) > 1]} it" if versions else ""


def describe(value: Json) -> str:
    """A value as a message names it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            shown = value if len(value) <= 40 else f"{value[:40]}..."
            return f'the text "{shown}"'
        case int() | float():
            return str(value)
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return f"a {type(value).__name__}"


def _invalid(field: str, message: str) -> ArgumentError:
    return ArgumentError("invalid", field, message)


def _scalar_problem(argument: Argument, kind: str, value: Json) -> str | None:
    if kind == "any":
        return _choice_problem(argument, value)
    if not _is_of(kind, argument, value):
        return f"{argument.name} needs {_NEEDS[kind]}, not {describe(value)}{_hint(kind, value)}"
    return _choice_problem(argument, value) or _bounds_problem(argument, value)


def _is_of(kind: str, argument: Argument, value: Json) -> bool:
    match kind:
        case "bool":
            return isinstance(value, bool)
        case "int" if isinstance(value, str) and argument.human_readable:
            return _HUMAN_READABLE.fullmatch(value) is not None or (value == "auto" and argument.bounds.get("ge") == -1)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "str":
            return isinstance(value, str) or (value is True and argument.nargs == "?")
        case "json":
            return isinstance(value, Mapping)
    return kind == "any" or isinstance(value, list | tuple)


def _hint(kind: str, value: Json) -> str:
    if kind == "bool" and isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "on", "off"):
        return "; write true or false without quotes"
    if kind == "int" and isinstance(value, bool):
        return "; write 1 or 0"
    if kind in ("int", "float") and isinstance(value, str):
        return "; write the number without quotes"
    if kind == "str" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if kind == "json" and isinstance(value, str):
        return "; write its keys below it instead of JSON in quotes"
    return ""


def _choice_problem(argument: Argument, value: Json) -> str | None:
    choices = argument.choices
    if choices is None or any(value == choice and type(value) is type(choice) for choice in choices):
        return f"{argument.name} cannot be {describe(value)}" if value in argument.excluded else None
    listed = ", ".join(
        (choice or '""') if isinstance(choice, str) else json.dumps(choice) for choice in choices[:_LISTED]
    )
    shown = listed + (", ..." if len(choices) > _LISTED else "")
    similar = nearest(str(value), [str(choice) for choice in choices]) if len(choices) > _LISTED else ""
    return f"{argument.name} is one of {shown}, not {describe(value)}{similar}"


def _bounds_problem(argument: Argument, value: Json) -> str | None:
    for bound, limit in argument.bounds.items():
        compare, words = _COMPARE[bound]
        if isinstance(value, int | float) and not compare(value, limit):
            return f"{argument.name} must be {words} {limit:g}, not {describe(value)}"
    return None


def _list_errors(argument: Argument, value: Json, *, field: str) -> Iterator[ArgumentError]:
    """Errors of a list; a flag that takes several values takes a single one as well."""
    flag = argument.nargs is not None or argument.repeated
    members = value if isinstance(value, list | tuple) else [value]
    if not flag and not isinstance(value, list | tuple):
        yield _invalid(field, f"{argument.name} needs a list, not {describe(value)}")
        return
    if flag and not members:
        yield _invalid(field, f"{argument.name} needs at least one value; leave it out for none")
    if isinstance(argument.nargs, int) and len(members) != argument.nargs:
        yield _invalid(field, f"{argument.name} needs {argument.nargs} values, not {len(members)}")
    for member in members:
        problem = _scalar_problem(replace(argument, name=f"every value of {argument.name}"), argument.elements, member)
        if problem is None and flag and isinstance(member, str) and member.startswith("-"):
            problem = f"no value of {argument.name} may start with a dash"
        if problem:
            yield _invalid(field, problem)


def _json_errors(
    argument: Argument, value: Json, *, field: str, context: Context, path: tuple[str, ...]
) -> Iterator[ArgumentError]:
    if argument.keys is None:
        if not (isinstance(value, Mapping | list | tuple) or (argument.text and isinstance(value, str))):
            yield _invalid(
                field, f"{argument.name} needs {_NEEDS['json']}, not {describe(value)}{_hint('json', value)}"
            )
        return
    if not isinstance(value, Mapping):
        yield _invalid(field, f"{argument.name} needs {_NEEDS['json']}, not {describe(value)}{_hint('json', value)}")
        return
    for key, inner in value.items():
        below = argument.keys.get(key)
        here, there = f"{field}.{key}", (*path, key)
        if below is None:
            yield ArgumentError("unknown", here, _unknown_key(argument, key, context=context, path=there))
        else:
            yield from value_errors(below, inner, field=here, context=context, path=there)


def _unknown_key(argument: Argument, key: str, *, context: Context, path: tuple[str, ...]) -> str:
    effect = "" if argument.strict else " and would ignore it silently"
    keys = argument.keys or {}
    holders = [name for name, other in keys.items() if other.keys is not None and key in other.keys]
    hint = f"; it belongs in {holders[0]}" if holders else context.elsewhere(path) or nearest(key, keys)
    return f"{context.title} has no key {key} in {'.'.join(path[:-1])}{effect}{hint}"
