"""How well a replay went: the share of requests that met the objectives, what it cost, and how restless it was.

A request meets the objectives (terms of `Objectives`) when its first token comes in time and its stream never falls
behind afterwards. Requests that were never answered missed them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.replica import Request

WINDOW = 300.0
"""Seconds of a window in which attainment is looked at on its own."""
FEWEST = 30
"""Requests below which a window says nothing."""
REVERSAL = 600.0
"""Seconds within which a change against the last one is a reversal."""


@dataclass(frozen=True, slots=True)
class Score:
    """One replay in numbers."""

    attainment: float
    npu_hours: float
    reversals: int
    cut: int
    """Requests still running 30 s after their replica was told to stop: lost by whoever does not drain."""
    worst_window: float
    good_windows: float
    """Share of windows in which at least 95 % of the requests met the objectives."""
    requests: int
    started: int


@dataclass(slots=True)
class Tally:
    """Counts while a replay goes on."""

    profile: EngineProfile
    objectives: Objectives
    asked: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)
    cut: int = 0
    seconds: float = 0.0
    changes: list[tuple[float, int, int]] = field(default_factory=list)

    def arrived(self, now: float) -> None:
        window = int(now // WINDOW)
        while len(self.asked) <= window:
            self.asked.append(0)
            self.met.append(0)
        self.asked[window] += 1

    def ended(self, request: Request, now: float) -> bool:
        """Count a request that ended at `now`; whether it met the objectives."""
        allowed = self.objectives.first_token(self.profile.ideal_prefill(request.prompt))
        waited = request.first - request.arrival
        met = waited <= allowed and now - request.arrival <= allowed + (request.output - 1) * self.objectives.per_token
        if met:
            self.met[int(request.arrival // WINDOW)] += 1
        return met

    def score(self, devices: int) -> Score:
        asked, met = sum(self.asked), sum(self.met)
        shares = [good / count for good, count in zip(self.met, self.asked, strict=True) if count >= FEWEST]
        return Score(
            attainment=met / asked if asked else 1.0,
            npu_hours=self.seconds / 3600 * devices,
            reversals=_reversals(self.changes),
            cut=self.cut,
            worst_window=min(shares, default=1.0),
            good_windows=sum(share >= 0.95 for share in shares) / len(shares) if shares else 1.0,
            requests=asked,
            started=sum(max(0, after - before) for _, before, after in self.changes),
        )


def _reversals(changes: list[tuple[float, int, int]]) -> int:
    count = 0
    for (earlier, was, became), (later, had, got) in pairwise(changes):
        count += (became > was) != (got > had) and later - earlier < REVERSAL
    return count
