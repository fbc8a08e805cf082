"""How many hours of each day DynoSim has time for.

It works token by token, so that short replays tell how fast these cores are: some take three times as long as others. What a
token takes differs by trace too, with the requests that share their step, and npuserve is looked at between samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from time import monotonic

from tests.bench.autoscale.dynosim.confirm import replayed
from tests.bench.autoscale.measuring import OURS
from tests.bench.autoscale.traces import tokens_by_hour
from tests.bench.autoscale.tuning import Run

PROBED = 2
"""Hours that tell the pace. Reading the trace counts as if it were tokens, so that the pace is rather too slow than too fast."""


def paces(runs: Sequence[Run], *, cold_start: float, folder: Path, processes: int) -> list[float]:
    """Seconds that DynoSim takes for an output token of each run: measured by trace, for npuserve and for one of the others."""
    kinds = {(run.trace, run.family == OURS): run for run in runs}

    def pace(run: Run) -> float:
        begun = monotonic()
        replayed(run, cold_start=cold_start, folder=folder, hours=PROBED)
        return (monotonic() - begun) / max(1, sum(tokens_by_hour(run.trace)[:PROBED]))

    for trace, _ in kinds:
        # Read before the clock runs.
        tokens_by_hour(trace)
    with ThreadPoolExecutor(processes) as threads:
        found = dict(zip(kinds, threads.map(pace, kinds.values()), strict=True))
    return [found[run.trace, run.family == OURS] for run in runs]


def affordable(runs: Sequence[Run], paces: Sequence[float], *, seconds: float, processes: int) -> float:
    """Hours from the beginning of each trace that all runs can be replayed for in time, at least one; inf: all of them."""
    loads = [(tokens_by_hour(run.trace), pace) for run, pace in zip(runs, paces, strict=True)]
    longest = max((len(by_hour) for by_hour, _ in loads), default=0)
    for hours in range(longest, 1, -1):
        if sum(pace * sum(by_hour[:hours]) for by_hour, pace in loads) / processes <= seconds:
            return inf if hours == longest else hours
    return inf if longest <= 1 else 1
