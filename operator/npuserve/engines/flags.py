"""Which flag a written name means, and how flags are written for the engine.

Rule: a name is judged by what it means, not by how it is spelled. Underscores and dashes, capitals, short names, `no-`
in front and dotted keys all lead to the same flag.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from npuserve.engines.argument_table import Argument, ArgumentTable, Json, place


@dataclass(frozen=True, slots=True)
class Meant:
    """The flag that a written name means."""

    flag: Argument
    negated: bool
    inner: tuple[str, ...]
    """Keys below a JSON flag, from a dotted name."""


def canonical_name(name: str) -> str:
    """The flag's part of a name as tables spell it, keys below it unchanged.

    `canonical_name("--Attention_config.my_key") == "attention-config.my_key"`.
    """
    head, dot, inner = str(name).partition(".")
    return head.strip().replace("_", "-").lstrip("-").lower() + dot + inner


def meaning(table: ArgumentTable, name: str) -> Meant | None:
    """What a written name means in this version; None when it knows no such argument."""
    head, _, rest = canonical_name(name).partition(".")
    inner = tuple(rest.split(".")) if rest else ()
    flag = _flag(table, head)
    if flag is not None and (not inner or (flag.kind == "json" and all(inner))):
        return Meant(flag, negated=False, inner=inner)
    positive = _flag(table, head.removeprefix("no-")) if head.startswith("no-") else None
    if positive is not None and positive.negatable and not inner:
        return Meant(positive, negated=True, inner=())
    return None


def canonical_arguments(table: ArgumentTable, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The same arguments under the table's own names: short names and `no-` resolved, dotted keys folded into their
    flag.

    Raises KeyError for a name that `check_arguments` refuses as unknown.
    """
    found: dict[str, Json] = {}
    for name, value in arguments.items():
        meant = meaning(table, name)
        if meant is None:
            raise KeyError(f"{table.title} has no argument {name}")
        own = meant.flag.name
        if meant.inner:
            before = found.get(own)
            tree = json.loads(json.dumps(before)) if isinstance(before, Mapping) else {}
            place(tree, meant.inner, value)
            found[own] = tree
        elif isinstance(value, Mapping) and isinstance(found.get(own), Mapping):
            found[own] = {**value, **found[own]}
        else:
            found[own] = (value is False) if meant.negated else value
    return found


def render_flags(table: ArgumentTable, arguments: Mapping[str, Json]) -> tuple[str, ...]:
    """Checked arguments as the engine's command line, sorted by name.

    True is `--x`; false is `--no-x`, or nothing where the engine has no such flag and off is its default; structured
    values are compact JSON with sorted keys. Raises KeyError for an unknown name.
    """
    named = canonical_arguments(table, arguments)
    return tuple(token for name in sorted(named) for token in _tokens(table.flags[name], named[name]))


def _flag(table: ArgumentTable, name: str) -> Argument | None:
    return table.flags.get(name) or next((flag for flag in table.flags.values() if name in flag.aliases), None)


def _tokens(flag: Argument, value: Json) -> Iterator[str]:
    """The command-line words of one flag."""
    option = f"--{flag.name}"
    match flag.kind, value:
        case ("bool", True) | ("str", True):
            yield option
        case "bool", False:
            if flag.negatable:
                yield f"--no-{flag.name}"
        case "list", list() | tuple() as members if flag.repeated:
            for member in members:
                yield from _pair(option, _word(member))
        case "list", list() | tuple() as members if flag.nargs is not None:
            yield option
            yield from (_word(member) for member in members)
        case _:
            yield from _pair(option, _word(value))


def _pair(option: str, word: str) -> tuple[str, ...]:
    """A word that starts with a dash is joined to its flag, so that it is read as a value."""
    return (f"{option}={word}",) if word.startswith("-") else (option, word)


def _word(value: Json) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    )
