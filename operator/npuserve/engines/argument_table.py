"""What one version of an engine accepts: its table, read from the package's own data.

A table is one JSON file per engine and version, `tables/<engine>-<version>.json`. An engine that is started with flags
has `flags` (and `additional_config`, the keys of the argument of that name); an engine that reads a configuration file
has `fields`, named `Section.key` and with their place in the file. Both may have `environment`. Tables of flags are
generated (`extract/`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

Json = Any
"""A JSON value: text, number, boolean, None, a list or a mapping of them."""
Kind = Literal["bool", "int", "float", "str", "list", "json", "any"]

_BOUNDS = ("ge", "gt", "le", "lt")
_STAGES = {"rc": -1, "": 0, "post": 1}
_VERSION = re.compile(r"^(?P<release>\d+(?:\.\d+)*)(?:\.?(?P<stage>rc|post)(?P<number>\d+))?$")


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing a user may set: a flag, a key inside a JSON argument, or a field of a configuration file."""

    name: str
    kind: Kind
    default: Json = None
    """What the engine takes without it; None also where only the running engine knows."""
    choices: tuple[Json, ...] | None = None
    """The only values; None leaves the set open. Of a list: the only members."""
    excluded: tuple[Json, ...] = ()
    """Values inside the bounds that are not allowed."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Any of ge, gt, le, lt. Of a list: of its members."""
    nullable: bool = False
    """Whether null is a value of its own (inside JSON only)."""
    negatable: bool = False
    """Whether `--no-x` exists beside `--x`."""
    aliases: tuple[str, ...] = ()
    """Other names, without dashes."""
    nargs: Literal["+", "?"] | int | None = None
    """How many values follow a flag; None means one, "?" none or one."""
    elements: Kind = "any"
    """Of a list: the kind of its members."""
    repeated: bool = False
    """Of a list: whether the flag is given once per member."""
    human_readable: bool = False
    """Of an int: whether "32k" (32000) and "32K" (32768) are understood."""
    text: bool = False
    """Of JSON: whether plain text is a value too."""
    keys: Mapping[str, Argument] | None = None
    """Of JSON: the only keys; None leaves them open."""
    strict: bool = True
    """Of JSON with keys: whether the engine refuses other keys; else it ignores them silently."""
    required: bool = False
    deprecated: str | None = None
    path: tuple[str | int, ...] = ()
    """Of a field: its place in the file."""
    in_file: bool = False
    """Of a field: whether the file that comes with the engine has it."""


@dataclass(frozen=True, slots=True)
class KnownVariable:
    """One environment variable that the engine reads."""

    name: str
    default: Json
    source: str
    """The file that reads it."""
    build: bool
    """Whether it matters only while the engine's package is built."""


@dataclass(frozen=True, slots=True)
class ArgumentTable:
    """Everything one version of an engine accepts."""

    engine: str
    version: str
    flags: Mapping[str, Argument]
    fields: Mapping[str, Argument]
    """Fields of the configuration file, by `Section.key`."""
    places: Mapping[tuple[str, ...], Argument]
    """The same by the steps of their name and of their place in the file, in small letters, list positions left out."""
    additional_config: Mapping[str, Argument]
    """Keys of the flag `additional-config`; empty where the engine has no such flag."""
    environment: Mapping[str, KnownVariable]
    architectures: frozenset[str]
    """Model architectures the version has code for; empty where the table does not say."""
    schemes: Mapping[str, Mapping[str, frozenset[str]]]
    """Types of quantized weights by kind of layer ("linear", "moe"), by chip family; "" for families without kernels of
    their own."""
    metrics: Mapping[str, frozenset[str]]
    """Names of what the version shows in Prometheus' text format, by kind: "counter", "gauge", "histogram"; empty where
    the table does not say."""

    @property
    def title(self) -> str:
        """The engine and its version, as messages name them."""
        return f"{self.engine} {self.version}"


@cache
def load_table(engine: str, version: str) -> ArgumentTable:
    """The table of that engine version. Raises LookupError, naming the known ones, where there is none."""
    if version not in known_versions(engine):
        raise LookupError(f"no table for {engine} {version}; known are {', '.join(known_versions(engine)) or 'none'}")
    data = json.loads(_folder().joinpath(f"{engine}-{version}.json").read_text(encoding="utf-8"))
    nested = data.get("additional_config", {})
    additional = _arguments(nested.get("keys", {}), strict=bool(nested.get("strict", True)))
    flags = dict(_arguments(data.get("flags", {})))
    if "additional-config" in flags:
        flags["additional-config"] = replace(
            flags["additional-config"], keys=additional, strict=bool(nested.get("strict"))
        )
    fields = _arguments(data.get("fields", {}))
    return ArgumentTable(
        engine=engine,
        version=version,
        flags=MappingProxyType(flags),
        fields=fields,
        places=MappingProxyType(_places(fields)),
        additional_config=additional,
        environment=MappingProxyType(
            {
                name: KnownVariable(name, known["default"], known["source"], bool(known.get("build")))
                for name, known in data.get("environment", {}).items()
            }
        ),
        architectures=frozenset(data.get("architectures", ())),
        schemes=MappingProxyType(
            {
                family: MappingProxyType({kind: frozenset(kernels) for kind, kernels in kinds.items()})
                for family, kinds in data.get("schemes", {}).items()
            }
        ),
        metrics=MappingProxyType({kind: frozenset(names) for kind, names in data.get("metrics", {}).items()}),
    )


@cache
def known_versions(engine: str) -> tuple[str, ...]:
    """Versions of the engine that have a table, oldest first: release candidates before the release, post-releases
    after."""
    names = (entry.name for entry in _folder().iterdir())
    found = (name.removeprefix(f"{engine}-").removesuffix(".json") for name in names if name.startswith(f"{engine}-"))
    return tuple(sorted((version for version in found if _VERSION.match(version)), key=_order))


def other_tables(table: ArgumentTable) -> Iterator[ArgumentTable]:
    """The tables of the engine's other versions, newest first."""
    return (load_table(table.engine, v) for v in reversed(known_versions(table.engine)) if v != table.version)


def flag_default(table: ArgumentTable, name: str) -> Json:
    """What the engine takes when the flag is not given; None when it has no such flag or decides while it runs."""
    flag = table.flags.get(name)
    return flag.default if flag else None


def default_tree(table: ArgumentTable) -> dict[str, Json]:
    """A new copy of the configuration file that comes with the engine."""
    tree: dict[str, Json] = {}
    for argument in table.fields.values():
        if argument.in_file:
            place(tree, argument.path, json.loads(json.dumps(argument.default)))
    return tree


def place(tree: Json, path: tuple[str | int, ...], value: Json) -> None:
    """Puts `value` at `path` of a tree under construction, adding the levels that are missing."""
    node = tree
    for step, following in pairwise(path):
        empty: Json = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            node.extend({} for _ in range(step + 1 - len(node)))
        elif not isinstance(node.get(step), type(empty)):
            node[step] = empty
        node = node[step]
    node[path[-1]] = value


def _folder() -> Traversable:
    return resources.files("npuserve").joinpath("engines", "tables")


def _order(version: str) -> tuple[tuple[int, ...], int, int]:
    found = _VERSION.match(version)
    assert found is not None
    release = tuple(int(part) for part in found["release"].split("."))
    return release, _STAGES[found["stage"] or ""], int(found["number"] or 0)


def _places(fields: Mapping[str, Argument]) -> dict[tuple[str, ...], Argument]:
    names = {tuple(name.lower().split(".")): field for name, field in fields.items()}
    return {tuple(s.lower() for s in f.path if isinstance(s, str)): f for f in fields.values()} | names


def _arguments(entries: Mapping[str, Json], *, strict: bool = True) -> Mapping[str, Argument]:
    return MappingProxyType({name: _argument(name, entry, strict=strict) for name, entry in entries.items()})


def _argument(name: str, entry: Mapping[str, Json], *, strict: bool) -> Argument:
    return Argument(
        name=name,
        kind=entry["type"],
        default=entry.get("default"),
        choices=tuple(entry["choices"]) if entry.get("choices") is not None else None,
        excluded=tuple(entry.get("excluded", ())),
        bounds=MappingProxyType({bound: entry[bound] for bound in _BOUNDS if bound in entry}),
        nullable=bool(entry.get("nullable")),
        negatable=bool(entry.get("negatable")),
        aliases=tuple(entry.get("aliases", ())),
        nargs=entry.get("nargs"),
        elements=entry.get("elements", "any"),
        repeated=bool(entry.get("repeated")),
        human_readable=bool(entry.get("human_readable")),
        text=bool(entry.get("text")),
        keys=_arguments(entry["keys"], strict=strict) if "keys" in entry else None,
        strict=strict,
        required=bool(entry.get("required")),
        deprecated=entry.get("deprecated"),
        path=tuple(entry.get("path", ())),
        in_file=bool(entry.get("in_file")),
    )
