"""How many hours of each day DynoSim has time for.

It works token by token, so that a short replay tells how fast these cores are: some take three times as long as others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from time import monotonic

from tests.bench.autoscale.dynosim.confirm import replayed
from tests.bench.autoscale.measuring import OURS
from tests.bench.autoscale.traces import tokens_by_hour
from tests.bench.autoscale.tuning import Run

PROBED = 4
"""Hours that tell the pace. Reading the trace counts as if it were tokens, so that the pace is rather too slow than too fast."""
LOOKED_AT = 1.45
"""What a replay of npuserve takes, which is looked at between samples too, beside one that is not: 49 to 34 s for six hours
of text."""


def pace(run: Run, *, cold_start: float, folder: Path) -> float:
    """Seconds that DynoSim takes for an output token."""
    begun = monotonic()
    replayed(run, cold_start=cold_start, folder=folder, hours=PROBED)
    return (monotonic() - begun) / max(1, sum(tokens_by_hour(run.trace)[:PROBED]))


def affordable(runs: Sequence[Run], *, seconds: float, pace: float, processes: int) -> float:
    """Hours from the beginning of each trace that all runs can be replayed for in time, at least one; inf: all of them."""
    loads = [(tokens_by_hour(run.trace), LOOKED_AT if run.family == OURS else 1.0) for run in runs]
    longest = max((len(by_hour) for by_hour, _ in loads), default=0)
    for hours in range(longest, 1, -1):
        if pace * sum(weight * sum(by_hour[:hours]) for by_hour, weight in loads) / processes <= seconds:
            return inf if hours == longest else hours
    return inf if longest <= 1 else 1
