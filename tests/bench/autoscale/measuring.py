"""One piece of the benchmark's work, as a worker process does it: a family tuned on a trace, or npuserve replayed once.

What goes in and comes out is plain, since compiled classes cannot be sent between processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from tests.bench.autoscale.engines import COLD_START, DEVICES, OBJECTIVES, QWEN3_32B
from tests.bench.autoscale.families import Knob, knobs
from tests.bench.autoscale.hardship import AS_IT_IS, HARDSHIPS, begin, npuserve
from tests.bench.autoscale.search import search
from tests.bench.autoscale.traces import first, rows_of
from tests.bench.autoscale.tuning import Figures, Run, figures

OURS = "npuserve"


@dataclass(frozen=True, slots=True)
class Job:
    """What to replay: `family` over its settings, or npuserve with the one it has."""

    trace: str
    family: str
    target: float
    cold_start: float = COLD_START
    hardship: str = AS_IT_IS
    value: float | None = None
    """One setting of the family, in place of a search."""
    hours: float = inf
    """Of the trace, from its beginning."""


def measured(job: Job) -> list[Run]:
    """Every replay that the job took."""
    whole = rows_of(job.trace)
    rows = first(whole, job.hours)
    if job.family == OURS:
        believed, conditions = HARDSHIPS[job.hardship]
        if job.hardship == AS_IT_IS:
            conditions = Conditions(cold_start=job.cold_start)
        tally = npuserve(rows, believed, conditions)
        return [Run(job.trace, OURS, 0, figures(tally, DEVICES))]
    # What an expert measured and what an oracle knows is of the whole trace.
    knob = knobs(whole, job.cold_start)[job.family]
    if job.value is not None:
        return [Run(job.trace, job.family, job.value, _replayed(rows, knob, job.value, job.cold_start))]
    tries = search(knob, lambda value: _replayed(rows, knob, value, job.cold_start), job.target)
    return [Run(job.trace, job.family, one.value, one.figures) for one in tries]


def _replayed(trace: Sequence[Row], knob: Knob, value: float, cold_start: float) -> Figures:
    # The peers are told what truly happened: it favours them, and is quicker.
    conditions = Conditions(cold_start=cold_start, exact=True)
    tally = replay(
        trace,
        knob.make(value),
        profile=QWEN3_32B,
        objectives=OBJECTIVES,
        initial=int(value) if knob.fixed else begin(trace),
        conditions=conditions,
    )
    return figures(tally, DEVICES)
