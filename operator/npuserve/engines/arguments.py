"""Which arguments and variables of a user an engine version accepts.

Rule: a reserved name is refused however it is written (see `flags`), at the top and inside structured values, and what
the version does not know is refused with the nearest known name or the versions that know it, because the engine would
fail or ignore it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from npuserve.engines.argument_table import (
    Argument,
    ArgumentTable,
    Json,
    KnownVariable,
    default_tree,
    flag_default,
    known_versions,
    load_table,
    other_tables,
)
from npuserve.engines.argument_values import (
    ArgumentError,
    Context,
    describe,
    having,
    nearest,
    tree_problem,
    value_errors,
)
from npuserve.engines.config_paths import apply_config_paths, check_config_paths
from npuserve.engines.flags import Meant, canonical_arguments, canonical_name, meaning, render_flags

__all__ = [
    "Argument",
    "ArgumentError",
    "ArgumentTable",
    "KnownVariable",
    "apply_config_paths",
    "canonical_arguments",
    "canonical_name",
    "check_arguments",
    "check_config_paths",
    "check_environment",
    "default_tree",
    "flag_default",
    "known_versions",
    "load_table",
    "render_flags",
]

_ROOT = "spec.engineArgs"


def check_arguments(
    table: ArgumentTable, arguments: Mapping[str, Json], reserved: Mapping[str, str]
) -> list[ArgumentError]:
    """What is wrong with the user's arguments for this version, in the order given; empty when nothing.

    `reserved` maps names, also dotted ones for keys below a flag, to the reason why the user may not set them.
    """
    refused = {_comparable(canonical_name(name)): reason for name, reason in reserved.items()}
    errors: list[ArgumentError] = []
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    for name, value in arguments.items():
        field = f"{_ROOT}.{name}"
        meant = meaning(table, name)
        if meant is None:
            errors.append(_unmet(table, name, field=field, refused=refused))
            continue
        reservations = list(_reservations(meant, value, field=field, refused=refused))
        problem = tree_problem(value) or _repeated(seen, meant, name)
        if reservations:
            errors += reservations
        elif problem:
            errors.append(ArgumentError("invalid", field, problem))
        else:
            errors += _wrong(table, meant, value, field=field)
    return errors


def check_environment(
    table: ArgumentTable,
    names: Iterable[str],
    reserved: Mapping[str, str],
    *,
    extra: Collection[str] = (),
    root: str = "spec.template.env",
) -> list[ArgumentError]:
    """What is wrong with the user's variables; `extra` are names of the platform that every engine understands."""
    errors: list[ArgumentError] = []
    for name in names:
        known = table.environment.get(name)
        field = f"{root}.{name}"
        if name in reserved:
            errors.append(ArgumentError("reserved", field, reserved[name]))
        elif known is not None and known.build:
            message = f"{table.title} reads {name} only while its package is built"
            errors.append(ArgumentError("invalid", field, message))
        elif known is None and name not in extra:
            versions = [other.version for other in other_tables(table) if name in other.environment]
            hint = having(versions, ("reads", "read")) or nearest(str(name), [*table.environment, *extra])
            errors.append(ArgumentError("unknown", field, f"{table.title} does not read {name}{hint}"))
    return errors


def _comparable(path: str) -> str:
    return path.replace("_", "-").lower()


def _repeated(seen: dict[tuple[str, tuple[str, ...]], str], meant: Meant, name: str) -> str | None:
    """Notes the name in `seen`; a problem when another spelling came before."""
    first = seen.setdefault((meant.flag.name, meant.inner), str(name))
    return None if first == str(name) else f"it is set twice, also as {first}"


def _unmet(table: ArgumentTable, name: str, *, field: str, refused: Mapping[str, str]) -> ArgumentError:
    """A name that the version does not know: still reserved, or unknown."""
    plain = canonical_name(name)
    head = plain.partition(".")[0]
    for candidate in (plain, head, head.removeprefix("no-")):
        if _comparable(candidate) in refused:
            return ArgumentError("reserved", field, refused[_comparable(candidate)])
    whole = meaning(table, head)
    if whole is not None and head != plain:
        open_to_keys = whole.flag.kind == "json" and not whole.negated
        fault = "a key in a dotted name cannot be empty" if open_to_keys else f"{head} has no keys below it"
        return ArgumentError("unknown", field, fault)
    versions = [other.version for other in other_tables(table) if meaning(other, plain)]
    hint = having(versions) or nearest(head, table.flags)
    return ArgumentError("unknown", field, f"{table.title} has no argument {head}{hint}")


def _reservations(meant: Meant, value: Json, *, field: str, refused: Mapping[str, str]) -> Iterator[ArgumentError]:
    """Reserved names on the way to the value and inside it."""
    steps = (meant.flag.name, *meant.inner)
    for length in range(1, len(steps) + 1):
        reason = refused.get(_comparable(".".join(steps[:length])))
        if reason is not None:
            yield ArgumentError("reserved", field, reason)
            return
    pending: list[tuple[str, str, Json]] = [(".".join(steps), field, value)]
    while pending:
        path, here, node = pending.pop()
        pending += [(path, here, member) for member in node] if isinstance(node, list | tuple) else []
        for key, inner in node.items() if isinstance(node, Mapping) else ():
            below = (f"{path}.{key}", f"{here}.{key}", inner)
            reason = refused.get(_comparable(below[0]))
            if reason is None:
                pending.append(below)
            else:
                yield ArgumentError("reserved", below[1], reason)


def _wrong(table: ArgumentTable, meant: Meant, value: Json, *, field: str) -> list[ArgumentError]:
    if meant.negated and not isinstance(value, bool):
        return [ArgumentError("invalid", field, f"{meant.flag.name} needs true or false, not {describe(value)}")]
    nested = value
    for key in reversed(meant.inner):
        nested = {key: nested}
    base = field[: len(field) - sum(len(key) + 1 for key in meant.inner)]
    context = Context(table.title, lambda path: _elsewhere(table, path))
    return list(value_errors(meant.flag, nested, field=base, context=context, path=(meant.flag.name,)))


def _elsewhere(table: ArgumentTable, path: tuple[str, ...]) -> str:
    """The versions that have a path of keys, as the end of a sentence."""
    return having([other.version for other in other_tables(table) if _has_path(other, path)])


def _has_path(table: ArgumentTable, path: tuple[str, ...]) -> bool:
    node = table.flags.get(path[0])
    for key in path[1:]:
        node = node.keys.get(key) if node is not None and node.keys is not None else None
    return node is not None
