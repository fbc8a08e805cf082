"""Which paths into its configuration file an engine version accepts, and the file with a user's values in it.

A user writes `Section.key: value`; a section may also be given as a mapping, and the whole path of the file leads to
the same field. Below a field that holds free JSON, any further keys may follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from npuserve.engines.argument_table import Argument, ArgumentTable, Json, default_tree, other_tables, place
from npuserve.engines.argument_values import ArgumentError, Context, having, nearest, tree_problem, value_errors

_ROOT = "spec.engineArgs"


@dataclass(frozen=True, slots=True)
class _Found:
    """The field a path leads to, and the keys below it."""

    field: Argument
    inner: tuple[str, ...]


def check_config_paths(
    table: ArgumentTable, arguments: Mapping[str, Json], reserved: Mapping[str, str]
) -> list[ArgumentError]:
    """What is wrong with the user's paths and values for this version; empty when nothing.

    `reserved` maps field names, or the beginnings of such (`LogConfig`), to the reason why the user may not set them.
    """
    refused = {name.lower(): reason for name, reason in reserved.items()}
    errors: list[ArgumentError] = []
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    for name, value in arguments.items():
        problem = tree_problem(value)
        if problem:
            errors.append(ArgumentError("invalid", f"{_ROOT}.{name}", problem))
            continue
        for path, leaf in _leaves(table, str(name), value):
            errors += _path_errors(table, path, leaf, refused=refused, seen=seen)
    return errors


def apply_config_paths(
    table: ArgumentTable, arguments: Mapping[str, Json], *, tree: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """A new file: `tree` (the engine's own file where it is not given) with the arguments in it.

    Raises KeyError for a path that `check_config_paths` refuses as unknown.
    """
    changed: dict[str, Json] = default_tree(table) if tree is None else json.loads(json.dumps(tree))
    for name, value in arguments.items():
        for path, leaf in _leaves(table, str(name), value):
            found = _find(table, path)
            if found is None:
                raise KeyError(f"{table.title} has no configuration field {path}")
            place(changed, (*found.field.path, *found.inner), leaf)
    return changed


def _path_errors(
    table: ArgumentTable,
    path: str,
    value: Json,
    *,
    refused: Mapping[str, str],
    seen: dict[tuple[str, tuple[str, ...]], str],
) -> list[ArgumentError]:
    place_in_spec = f"{_ROOT}.{path}"
    found = _find(table, path)
    names = [path, *(_spellings(found) if found else ())]
    for name in names:
        reason = _reason(name, refused)
        if reason is not None:
            return [ArgumentError("reserved", place_in_spec, reason)]
    if found is None:
        return [ArgumentError("unknown", place_in_spec, _unknown(table, path))]
    twice = seen.setdefault((found.field.name, found.inner), path)
    if twice != path:
        return [ArgumentError("invalid", place_in_spec, f"it is set twice, also as {twice}")]
    if found.inner:
        return []
    context = Context(table.title, lambda _: "")
    return list(value_errors(found.field, value, field=place_in_spec, context=context, path=(found.field.name,)))


def _spellings(found: _Found) -> tuple[str, str]:
    """The field's own name and its place in the file, with the keys below it."""
    place_in_file = (step for step in found.field.path if isinstance(step, str))
    return ".".join((found.field.name, *found.inner)), ".".join((*place_in_file, *found.inner))


def _reason(name: str, refused: Mapping[str, str]) -> str | None:
    """The reason for the name or for the nearest of its beginnings."""
    steps = name.lower().split(".")
    return next((refused[p] for p in (".".join(steps[:n]) for n in range(len(steps), 0, -1)) if p in refused), None)


def _leaves(table: ArgumentTable, path: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Full paths and values: a mapping given for a section is opened, the value of a field is not."""
    if isinstance(value, Mapping) and value and _find(table, path) is None:
        for key, inner in value.items():
            yield from _leaves(table, f"{path}.{key}", inner)
    else:
        yield path, value


def _find(table: ArgumentTable, path: str) -> _Found | None:
    """The field of a path: `Section.key`, or its place in the file with or without list positions, ignoring capitals."""
    steps = tuple(step for step in path.replace("[", ".").replace("]", "").split(".") if step and not step.isdigit())
    lowered = tuple(step.lower() for step in steps)
    for length in range(len(steps), 0, -1):
        field = table.places.get(lowered[:length])
        if field is not None and (length == len(steps) or (field.kind == "json" and field.keys is None)):
            return _Found(field, steps[length:])
    return None


def _unknown(table: ArgumentTable, path: str) -> str:
    hint = having([other.version for other in other_tables(table) if _find(other, path)]) or nearest(path, table.fields)
    return f"{table.title} has no configuration field {path}{hint}"
