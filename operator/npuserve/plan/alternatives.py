"""What else could run a service: every engine on every product, in every legal layout, and why one of them won.

The same attempts and layouts that the plan is picked from, told instead of passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.engines.contract import Parallelism
from npuserve.plan import backend
from npuserve.plan.attempts import question_of
from npuserve.plan.backend import Refused, Sketch
from npuserve.plan.considered import Considered, consider
from npuserve.plan.intent import Intent
from npuserve.plan.layout import Layout, lacking, weigh
from npuserve.plan.plan import Plan, Refusal
from npuserve.plan.service import Service
from npuserve.plan.sticky import Pins

Verdict = Literal["chosen", "possible", "too small", "refused"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to run the service, or one that is none. Tokens and requests are those of a whole replica."""

    verdict: Verdict
    engine: str
    version: str
    product: str
    resource: str
    parallelism: Parallelism | None
    """None where the engine refuses before any layout."""
    tokens: int
    full_length_requests: int
    room: int | None
    """Replicas that fit into the devices that are free now; None where capacity is unknown."""
    why: str


def alternatives(
    service: Service, cluster: ClusterFacts, configuration: Configuration, *, plan: Plan | None
) -> tuple[Alternative, ...]:
    """All of them, the chosen one first, then those of the same engine and product; `plan` is what became of the
    service, None where it is refused."""
    found = consider(service, cluster, configuration, pins=Pins())
    if isinstance(found, Refusal):
        return ()
    told = [item for attempt in found.tried for item in _told(found.intent, attempt, _Winner.of(found, plan, cluster))]
    return tuple(sorted(told, key=_rank))


@dataclass(frozen=True, slots=True)
class _Winner:
    """What the others are held against."""

    sketch: Sketch | None
    plan: Plan | None
    cluster: ClusterFacts

    @classmethod
    def of(cls, found: Considered, plan: Plan | None, cluster: ClusterFacts) -> _Winner:
        sketches = (item for item in found.tried if isinstance(item, Sketch))
        won = next((item for item in sketches if plan is not None and _is_of(item, plan)), None)
        return cls(won, plan, cluster)


def _is_of(sketch: Sketch, plan: Plan) -> bool:
    candidate, pool = sketch.candidate, sketch.pool
    return (candidate.engine.name, candidate.version, pool.product.id, pool.resource) == (
        plan.backend,
        plan.backend_version,
        plan.product,
        plan.resource_name,
    )


def _told(intent: Intent, attempt: Sketch | Refused, winner: _Winner) -> Iterator[Alternative]:
    if isinstance(attempt, Refused):
        named = f"{attempt.candidate.engine.name} {attempt.candidate.version}: "
        yield _alternative(attempt, "refused", None, winner, why=attempt.refusal.message.removeprefix(named))
        return
    question = question_of(intent, attempt.pool, attempt.candidate, choice=attempt.choice)
    layouts = weigh(question, attempt.layout.context)
    for layout in [] if isinstance(layouts, Refusal) else layouts:
        verdict, why = _judged(attempt, layout, winner)
        yield _alternative(attempt, verdict, layout, winner, why=why)


def _alternative(
    attempt: Sketch | Refused, verdict: Verdict, layout: Layout | None, winner: _Winner, *, why: str
) -> Alternative:
    pool, cluster = attempt.pool, winner.cluster
    devices = layout.parallelism.devices if layout is not None else 0
    return Alternative(
        verdict=verdict,
        engine=attempt.candidate.engine.name,
        version=attempt.candidate.version,
        product=pool.product.id,
        resource=pool.resource,
        parallelism=layout.parallelism if layout is not None else None,
        tokens=max(0, layout.replica_tokens) if layout is not None else 0,
        full_length_requests=layout.memory.full_length_requests if layout is not None else 0,
        room=cluster.room(pool.nodes, devices=devices) if cluster.known and devices else None,
        why=why,
    )


def _judged(sketch: Sketch, layout: Layout, winner: _Winner) -> tuple[Verdict, str]:
    missing = lacking(layout)
    own = sketch.layout.parallelism
    if layout.parallelism == own:
        if sketch is winner.sketch:
            return "chosen", sketch.layout.reason.removeprefix("parallelism: ")
        return "possible", _passed_over(sketch, winner)
    if missing is not None:
        return "too small", missing
    if layout.parallelism.devices > own.devices:
        return "possible", f"{own.devices} device{'s' * (own.devices != 1)} are enough"
    return "possible", f"tensor {own.tensor}, data {own.data} holds more tokens on as many devices"


def _passed_over(sketch: Sketch, winner: _Winner) -> str:
    if winner.sketch is None or winner.plan is None:
        return "the host cannot give what the service asks of it"
    if sketch.candidate.engine.name != winner.plan.backend:
        return "its engine comes later in the preference"
    return backend.behind(sketch, winner.sketch)


_ORDER: tuple[Verdict, ...] = ("chosen", "possible", "too small", "refused")


def _rank(item: Alternative) -> tuple[int, str, str, int, int]:
    devices = item.parallelism.devices if item.parallelism is not None else 0
    return _ORDER.index(item.verdict), item.engine, item.product, devices, -item.tokens
