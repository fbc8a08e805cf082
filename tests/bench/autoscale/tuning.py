"""Which setting of a peer is the best for a trace: the fewest NPU-hours at the target, between neighbours on its front."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from npuserve.autoscale.replay.score import WINDOW, Tally

THIRD_HOUR = int(2 * 3600 // WINDOW)


@dataclass(frozen=True, slots=True)
class Figures:
    """One replay in numbers, as `replay.score.Score` has them."""

    attainment: float
    npu_hours: float
    reversals: int
    cut: int
    worst_window: float
    good_windows: float
    later: float = 1.0
    """Attainment from the third hour on."""


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of a trace."""

    trace: str
    family: str
    value: float
    figures: Figures


@dataclass(frozen=True, slots=True)
class Tuned:
    """A peer at the target: hours interpolated, the rest of the cheapest run that meets it."""

    npu_hours: float
    run: Run


def figures(tally: Tally, devices: int) -> Figures:
    """What a replay came to, with `devices` per replica."""
    score = tally.score(devices)
    asked, met = sum(tally.asked[THIRD_HOUR:]), sum(tally.met[THIRD_HOUR:])
    return Figures(
        attainment=score.attainment,
        npu_hours=score.npu_hours,
        reversals=score.reversals,
        cut=score.cut,
        worst_window=score.worst_window,
        good_windows=score.good_windows,
        later=met / asked if asked else 1.0,
    )


def tuned(runs: Iterable[Run], target: float) -> Tuned | None:
    """The best a family can do with its settings; None where no run meets the target."""
    front: list[Run] = []
    for run in sorted(runs, key=lambda one: (one.figures.npu_hours, -one.figures.attainment)):
        if not front or run.figures.attainment > front[-1].figures.attainment:
            front.append(run)
    if front and front[0].figures.attainment >= target:
        return Tuned(front[0].figures.npu_hours, front[0])
    for below, above in pairwise(front):
        low, high = below.figures, above.figures
        if high.attainment >= target:
            part = (target - low.attainment) / (high.attainment - low.attainment)
            return Tuned(low.npu_hours + part * (high.npu_hours - low.npu_hours), above)
    return None
