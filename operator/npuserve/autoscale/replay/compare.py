"""How the product's decision does on a trace, beside the smallest fleet of one size that reaches the goal, and an HPA.

Rule: all three see the same requests, the same engine and the same cold start. npuserve is told of them what pages of
metrics show; the others look at none. The fleet of one size knows the whole trace in advance; the HPA targets the usual share
of a full batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, inf

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.profile import Work
from npuserve.autoscale.replay.beside import Hpa, Static
from npuserve.autoscale.replay.capacity import batch_at
from npuserve.autoscale.replay.fleet import Conditions, Row, Rule, replay
from npuserve.autoscale.replay.score import Score, Tally
from npuserve.autoscale.replay.shipped import Shipped
from npuserve.autoscale.settings import Settings

HPA_SHARE = 0.45
"""Target of the HPA, as a share of the batch that a replica carries within the limit: what experts use."""
FIRST = 600.0
"""Seconds of the trace whose need says where a replay begins."""
MARGIN = 1.3


class Hopeless(Exception):
    """More requests are late than may be; the rest of the trace would not tell more."""


@dataclass(slots=True)
class Timeline:
    """The picture of a replay: one point a minute."""

    time: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    """Requests per second."""
    need: list[float] = field(default_factory=list)
    replicas: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule on one trace."""

    score: Score
    timeline: Timeline


def compare(trace: Sequence[Row], settings: Settings, *, devices: int, cold_start: float) -> dict[str, Outcome]:
    """Outcomes of npuserve, a static fleet and an HPA, by name."""
    begin = initial_replicas(trace, settings)
    prompt, output = _means(trace)
    batch = batch_at(settings.profile, prompt, output, limit=settings.objectives.step)

    def run(rule: Rule, initial: int, *, bearable: float = inf) -> Outcome:
        conditions = Conditions(cold_start=cold_start, exact=not isinstance(rule, Shipped))
        return _outcome(
            trace, rule, settings, devices=devices, conditions=conditions, initial=initial, bearable=bearable
        )

    allowed = (1 - settings.share) * len(trace)
    return {
        "npuserve": run(Shipped(settings, cold_start=cold_start), begin),
        "static": _smallest(lambda count, bearable: run(Static(count), count, bearable=bearable), settings, allowed),
        "hpa": run(Hpa(HPA_SHARE * batch, max(1, settings.least), settings.most), begin),
    }


def initial_replicas(trace: Sequence[Row], settings: Settings) -> int:
    """Replicas at the start: what the first ten minutes need, and a third more."""
    first = [row for row in trace if row[0] < FIRST] or trace[:1]
    prompt, output = _means(first)
    work = Work(len(first) * output / FIRST, len(first) * prompt / FIRST, len(first) / FIRST, prompt + output / 2)
    need = work.replicas(settings.profile, settings.objectives.step)
    return max(1, settings.least, min(settings.most, ceil(MARGIN * need)))


def _means(trace: Sequence[Row]) -> tuple[float, float]:
    return sum(row[1] for row in trace) / len(trace), sum(row[2] for row in trace) / len(trace)


def _smallest(run: Callable[[int, float], Outcome], settings: Settings, allowed: float) -> Outcome:
    """The smallest fleet that misses no more than `allowed`, by bisection; the largest that may be where none does."""
    low, high = max(1, settings.least), settings.most
    best = None
    while low < high:
        middle = (low + high) // 2
        try:
            outcome = run(middle, allowed)
        except Hopeless:
            outcome = None
        if outcome is not None and outcome.score.attainment >= settings.share:
            high, best = middle, outcome
        else:
            low = middle + 1
    return best if best is not None and high < settings.most else run(high, inf)


def _outcome(
    trace: Sequence[Row],
    rule: Rule,
    settings: Settings,
    *,
    devices: int,
    conditions: Conditions,
    initial: int,
    bearable: float,
) -> Outcome:
    """The rule on the trace; Hopeless once more than `bearable` requests are late."""
    timeline = Timeline()
    arrived, missed, late = 0.0, 0.0, 0.0

    def watch(sample: LoadSample, _: Tally) -> None:
        nonlocal arrived, missed, late
        if sample.traffic is not None:
            arrived += sample.traffic.arrivals
            missed += sample.traffic.late
            late += sample.traffic.late
        if late > bearable:
            raise Hopeless
        if sample.time % 60 == 0:
            decision = rule.decision if isinstance(rule, Shipped) else None
            timeline.time.append(sample.time)
            timeline.arrivals.append(arrived / 60)
            timeline.need.append(decision.need if decision else 0.0)
            timeline.replicas.append(sample.current)
            timeline.missed.append(round(missed))
            arrived, missed = 0.0, 0.0

    tally = replay(
        trace,
        rule,
        profile=settings.profile,
        objectives=settings.objectives,
        initial=initial,
        conditions=conditions,
        watch=watch,
    )
    return Outcome(tally.score(devices), timeline)
