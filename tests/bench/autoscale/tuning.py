"""Which setting of a peer is the best for a trace: the fewest NPU-hours at the target, between neighbours on its front."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from npuserve.autoscale.replay.score import Score


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of a trace."""

    trace: str
    family: str
    value: float
    score: Score


@dataclass(frozen=True, slots=True)
class Tuned:
    """A peer at the target: hours interpolated, the rest of the cheapest run that meets it."""

    npu_hours: float
    run: Run


def tuned(runs: Iterable[Run], target: float) -> Tuned | None:
    """The best a family can do with its grid; None where no run meets the target."""
    front: list[Run] = []
    for run in sorted(runs, key=lambda one: (one.score.npu_hours, -one.score.attainment)):
        if not front or run.score.attainment > front[-1].score.attainment:
            front.append(run)
    if front and front[0].score.attainment >= target:
        return Tuned(front[0].score.npu_hours, front[0])
    for below, above in pairwise(front):
        low, high = below.score, above.score
        if high.attainment >= target:
            part = (target - low.attainment) / (high.attainment - low.attainment)
            return Tuned(low.npu_hours + part * (high.npu_hours - low.npu_hours), above)
    return None
