"""Which models are known without a network: one published config.json per model, and the quantized uploads of them.

A model is found by its exact path on a hub ("Qwen/Qwen3-32B"), by the same path in other capitals, or by a path that
another hub gives the same files; a path that merely resembles one is not found, only offered by `nearest`. Origin and
licence of every file: NOTICE.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any

from npuserve.models.catalogue.entry import entry_file
from npuserve.models.config import UnreadableConfig, read_config
from npuserve.models.facts import ModelFacts

_HERE = files(__package__)


@dataclass(frozen=True, slots=True)
class Sibling:
    """A quantized upload of a model: its path on a hub, and its scheme (a name of `models.quantization`)."""

    path: str
    scheme: str
    source: str
    tensor: int = 0
    """The tensor-parallel size its files are cut for; 0 where they are not cut."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The model a quantized upload was made from."""

    base: str
    upload: Sibling


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The paths of all models of the catalogue, sorted."""
    stems = (item.name.removesuffix(".json") for item in (_HERE / "configs").iterdir() if item.name.endswith(".json"))
    return tuple(sorted(stem.replace("--", "/", 1) for stem in stems))


def lookup(path: str) -> ModelFacts | None:
    """The facts of the model with this path on a hub; None when the catalogue has no such model. Called again it costs
    a dictionary look-up."""
    name = canonical(path)
    return None if name is None else _facts(name)


def canonical(path: str) -> str | None:
    """The catalogue's own path for a model's path on any hub."""
    exact, folded = _paths()
    return exact.get(path) or folded.get(path.casefold())


def quantized_siblings(path: str) -> tuple[Sibling, ...]:
    """Published quantized uploads of the model with this path, in the order of the data file."""
    base = canonical(path) or path
    return tuple(sibling for origin, sibling in _uploads() if origin == base)


def origin(path: str) -> Origin | None:
    """What the quantized upload with this path was made from; None when the catalogue does not list it."""
    wanted = path.casefold()
    found = ((base, sibling) for base, sibling in _uploads() if sibling.path.casefold() == wanted)
    return next((Origin(base, sibling) for base, sibling in found), None)


def nearest(path: str, count: int = 3) -> tuple[str, ...]:
    """Paths of the catalogue that look like this one, best first: for messages, never for planning."""
    folded = {name.casefold(): name for name in names()}
    tails = {name.split("/", 1)[-1]: name for name in reversed(folded)}
    wanted = path.casefold()
    tail = wanted.split("/", 1)[-1]
    begun = sorted((known for known in tails if tail.startswith(known)), key=len, reverse=True)
    close = [tails[known] for known in (*begun, *get_close_matches(tail, tails, n=count, cutoff=0.75))]
    close += get_close_matches(wanted, folded, n=count, cutoff=0.7)
    return tuple(dict.fromkeys(folded[name] for name in close))[:count]


@lru_cache(maxsize=1)
def _paths() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Every known path, as written and in folded case, to the catalogue's own."""
    exact = {alias: name for name, aliases in _data("aliases.json")["aliases"].items() for alias in aliases} | {
        name: name for name in names()
    }
    return exact, {path.casefold(): name for path, name in exact.items()}


@lru_cache(maxsize=512)
def _facts(name: str) -> ModelFacts:
    config = json.loads((_HERE / "configs" / entry_file(name)).read_text(encoding="utf-8"))
    match read_config(config, name=name):
        case ModelFacts() as facts:
            return facts
        case UnreadableConfig(reason):
            raise ValueError(reason)


@lru_cache(maxsize=1)
def _uploads() -> tuple[tuple[str, Sibling], ...]:
    rows = _data("siblings.json")["siblings"]
    return tuple(
        (base, Sibling(row["path"], row["scheme"], row["source"], row.get("tensor", 0)))
        for base, listed in rows.items()
        for row in listed
    )


def _data(file: str) -> Mapping[str, Mapping[str, list[Any]]]:
    loaded: Mapping[str, Mapping[str, list[Any]]] = json.loads((_HERE / file).read_text(encoding="utf-8"))
    return loaded
