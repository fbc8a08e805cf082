"""Which engine runs a service, in which version, on which product: every pair is tried, and the first engine of the
preference that can is taken.

Among products that can, the one with room for a replica now comes first, then those the engine supports without
reservation, then the lower cost rank.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.engines import ENGINES, find
from npuserve.engines.contract import Caution, Choice, Engine, Fault, Obstacle
from npuserve.plan.hardware import Pool
from npuserve.plan.layout import Layout
from npuserve.plan.plan import Refusal

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine version that is asked for or preferred, in the order to try."""

    engine: Engine
    version: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """A candidate that can run the service on a pool, with the layout it would have."""

    candidate: Candidate
    pool: Pool
    choice: Choice
    image: str
    dtype: str
    layout: Layout
    context_reason: str

    @property
    def caution(self) -> Caution | None:
        return self.candidate.engine.caution(self.pool.product, self.candidate.version)


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that cannot, how far it came and why; a later step is the more telling refusal."""

    candidate: Candidate
    pool: Pool
    step: int
    refusal: Refusal


def preference(configured: tuple[str, ...]) -> tuple[Engine, ...]:
    """All engines: the configured ones in their order, then the others as shipped."""
    first = tuple(engine for name in configured if (engine := find(name)) is not None)
    return (*first, *(engine for engine in ENGINES if engine not in first))


def candidates(backend: str, version: str, engines: tuple[Engine, ...]) -> tuple[Candidate, ...] | Refusal:
    """Engine versions to try in order: the named ones, else all stable ones of all engines."""
    if backend != AUTO:
        named = find(backend)
        if named is None:
            return _unknown_backend(backend)
        engines = (named,)
    if not version:
        return tuple(Candidate(engine, stable) for engine in engines for stable in engine.stable)
    found = tuple(Candidate(engine, version) for engine in engines if version in engine.versions)
    return found or _unknown_version(version, engines)


def _unknown_backend(backend: str) -> Refusal:
    names = [engine.name for engine in ENGINES]
    near = difflib.get_close_matches(backend.casefold(), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    return Refusal(
        Reason.UNKNOWN_BACKEND,
        "spec.backend",
        f"no engine is called {backend!r}; {hint}engines: auto, {', '.join(names)}",
    )


def _unknown_version(version: str, engines: tuple[Engine, ...]) -> Refusal:
    known = "; ".join(f"{engine.name} has {', '.join(engine.versions)}" for engine in engines)
    return Refusal(Reason.UNKNOWN_BACKEND_VERSION, "spec.backendVersion", f"version {version!r} is not known: {known}")


_ABOUT: Mapping[str, tuple[Reason, str]] = {
    "hardware": (Reason.UNSUPPORTED_BACKEND, "spec.backend"),
    "model": (Reason.UNSUPPORTED_MODEL, "spec.model"),
    "quantization": (Reason.UNSUPPORTED_QUANTIZATION, "spec.quantization"),
    "source": (Reason.UNSUPPORTED_SOURCE, "spec.model.uri"),
    "served-name": (Reason.INVALID_SPEC, "spec.model.servedName"),
}
_KINDS: Mapping[str, Reason] = {
    "unknown": Reason.UNKNOWN_ARGUMENT,
    "reserved": Reason.RESERVED_ARGUMENT,
    "invalid": Reason.INVALID_ARGUMENT,
    "auth": Reason.UNSUPPORTED_AUTH,
}


def obstacle_refusal(candidate: Candidate, obstacle: Obstacle, *, instead: str = "") -> Refusal:
    """An engine's obstacle as the refusal of a field; `instead` is what would do, as the object of a sentence."""
    reason, field = _ABOUT[obstacle.about]
    way_out = f"; or use {instead}" if instead else ""
    return Refusal(reason, field, f"{candidate.engine.name} {candidate.version}: {obstacle.message}{way_out}")


def fault_refusal(candidate: Candidate, fault: Fault) -> Refusal:
    """An engine's complaint about a user's own argument as a refusal."""
    title = f"{candidate.engine.name} {candidate.version}"
    message = fault.message if fault.message.startswith(title) else f"{title}: {fault.message}"
    return Refusal(_KINDS[fault.kind], fault.field, message)


def choose(attempts: list[Sketch | Refused], cluster: ClusterFacts) -> Sketch | Refusal:
    """The sketch to plan, or the refusal that came furthest, with that of another engine that came as far."""
    sketches = [attempt for attempt in attempts if isinstance(attempt, Sketch)]
    if sketches:
        first = sketches[0].candidate.engine.name
        return min(
            (item for item in sketches if item.candidate.engine.name == first), key=lambda item: _order(item, cluster)
        )
    refused = [attempt for attempt in attempts if isinstance(attempt, Refused)]
    furthest = max(refused, key=lambda item: (item.step, item.pool.largest * (item.pool.product.memory_gib or 0)))
    equals = [
        item
        for item in refused
        if item.candidate.engine is not furthest.candidate.engine
        and item.pool is furthest.pool
        and item.step >= furthest.step
        and item.refusal.reason is not Reason.UNSUPPORTED_SOURCE
    ]
    message = "; ".join(dict.fromkeys(item.refusal.message for item in (furthest, *equals[:1])))
    return Refusal(furthest.refusal.reason, furthest.refusal.field, message)


def _order(sketch: Sketch, cluster: ClusterFacts) -> tuple[Any, ...]:
    pool, devices = sketch.pool, sketch.layout.parallelism.devices
    crowded = cluster.known and cluster.room(pool.nodes, devices=devices) < 1
    return (crowded, sketch.caution is not None, pool.product.cost, devices)


def reasons(chosen: Sketch, attempts: list[Sketch | Refused], *, asked: str, named: str) -> Iterator[str]:
    """Why this engine and product, and why not the others; `asked` is the service's backend, `named` its product."""
    engine, version = chosen.candidate.engine, chosen.candidate.version
    why = "as the service asks" if asked != AUTO else "the first of the preference that can run it"
    yield f"backend: {engine.name} {version}, {why}"
    if chosen.caution:
        yield f"backend: note, {chosen.caution}"
    passed = {item.candidate.engine.name: item.refusal.message for item in attempts if isinstance(item, Refused)}
    taken = {item.candidate.engine.name for item in attempts if isinstance(item, Sketch)}
    for name in (other.name for other in ENGINES if other is not engine and asked == AUTO):
        if name in passed and name not in taken:
            yield f"backend: not {name}: {passed[name]}"
        elif name in taken:
            yield f"backend: not {name}: it comes later in the preference"
    yield chosen.pool.reason()
    if not chosen.pool.certain and not named:
        yield f"hardware: labels do not settle the memory of these nodes; {chosen.pool.product.id} is assumed, name spec.hardware.product to say otherwise"
    for item in attempts:
        if (
            isinstance(item, Sketch)
            and item is not chosen
            and item.candidate.engine is engine
            and item.pool.product.id != chosen.pool.product.id
        ):
            yield f"hardware: not {item.pool.product.id}: {behind(item, chosen)}"
        elif (
            isinstance(item, Refused)
            and item.candidate.engine is engine
            and item.pool.product.id != chosen.pool.product.id
        ):
            yield f"hardware: not {item.pool.product.id}: {item.refusal.message}"


def behind(item: Sketch, chosen: Sketch) -> str:
    """Why a sketch on another pool was not taken."""
    if item.caution and not chosen.caution:
        return item.caution.message
    if item.pool.product.cost > chosen.pool.product.cost:
        return "it ranks behind in cost"
    return "it has less room now"
