"""Which settings of a family are worth a replay: those around the one that just meets the target.

Rule: the share of misses falls with generosity, about exponentially. The middle is tried first; then the half in which
the target must lie, and once both sides of it are known, where the straight line through the logarithms of their misses
meets it. Ends when the two sides cost nearly the same, when the knob has no setting between them, or after `MOST_RUNS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from tests.bench.autoscale.families import Knob
from tests.bench.autoscale.tuning import Figures

MOST_RUNS = 7
CLOSE = 0.015
"""Difference of NPU-hours between the two sides, as a share, that interpolation bridges."""
HALVINGS = 2
"""Tries on one side of the target after which the end of the range is tried."""
INWARD = 0.15
"""Share of the range between the two sides that a try keeps away from both: the line is not that straight."""


@dataclass(frozen=True, slots=True)
class Try:
    """One setting at its place between lean (0) and generous (1)."""

    place: float
    value: float
    figures: Figures


def search(knob: Knob, measure: Callable[[float], Figures], target: float) -> list[Try]:
    """The settings tried and how they did, in the order tried."""
    tried: list[Try] = []
    place: float | None = 0.5
    while place is not None and len(tried) < MOST_RUNS:
        value = setting(knob, place)
        if any(one.value == value for one in tried):
            break
        tried.append(Try(place, value, measure(value)))
        under = [one for one in tried if one.figures.attainment < target]
        over = [one for one in tried if one.figures.attainment >= target]
        if under and over:
            place = _between(knob, max(under, key=_place), min(over, key=_place), target)
        else:
            place = _towards(1.0 if under else 0.0, tried)
    return tried


def setting(knob: Knob, place: float) -> float:
    """The value at a place; in equal ratios where the range leaves out zero."""
    lean, generous = knob.lean, knob.generous
    value = lean * (generous / lean) ** place if lean > 0 else lean + (generous - lean) * place
    return float(round(value)) if knob.whole else round(value, 4)


def _place(one: Try) -> float:
    return one.place


def _towards(end: float, tried: list[Try]) -> float | None:
    last = tried[-1].place
    if last == end:
        return None
    return end if len(tried) >= HALVINGS else (last + end) / 2


def _between(knob: Knob, lean: Try, generous: Try, target: float) -> float | None:
    """Where to try next between two sides of the target; None where nothing is to be learnt."""
    if abs(generous.figures.npu_hours - lean.figures.npu_hours) <= CLOSE * generous.figures.npu_hours:
        return None
    if knob.whole and abs(generous.value - lean.value) <= 1:
        return None
    high, low, aim = (
        log(max(1e-6, 1 - share)) for share in (lean.figures.attainment, generous.figures.attainment, target)
    )
    part = max(INWARD, min(1 - INWARD, (high - aim) / (high - low)))
    place = lean.place + (generous.place - lean.place) * part
    if knob.whole and setting(knob, place) in {lean.value, generous.value}:
        place = (lean.place + generous.place) / 2
    return place
