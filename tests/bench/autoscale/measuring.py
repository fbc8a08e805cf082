"""One piece of the benchmark's work, as a worker process does it: a family tuned on a trace, or npuserve replayed once.

What goes in and comes out is plain, since compiled classes cannot be sent between processes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from npuserve.autoscale.replay.fleet import Conditions, replay
from tests.bench.autoscale.engines import COLD_START, DEVICES, OBJECTIVES, QWEN3_32B
from tests.bench.autoscale.families import Knob, knobs
from tests.bench.autoscale.hardship import AS_IT_IS, HARDSHIPS, begin, npuserve
from tests.bench.autoscale.search import search
from tests.bench.autoscale.traces import rows_of
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


def measured(job: Job) -> list[Run]:
    """Every replay that the job took."""
    if job.family == OURS:
        believed, conditions = HARDSHIPS[job.hardship]
        if job.hardship == AS_IT_IS:
            conditions = Conditions(cold_start=job.cold_start)
        tally = npuserve(rows_of(job.trace), believed, conditions)
        return [Run(job.trace, OURS, 0, figures(tally, DEVICES))]
    knob = knobs(rows_of(job.trace), job.cold_start)[job.family]
    tries = search(knob, lambda value: _replayed(job, knob, value), job.target)
    return [Run(job.trace, job.family, one.value, one.figures) for one in tries]


def _replayed(job: Job, knob: Knob, value: float) -> Figures:
    trace = rows_of(job.trace)
    # The peers are told what truly happened: it favours them, and is quicker.
    conditions = replace(Conditions(cold_start=job.cold_start), exact=True)
    tally = replay(
        trace,
        knob.make(value),
        profile=QWEN3_32B,
        objectives=OBJECTIVES,
        initial=int(value) if knob.fixed else begin(trace),
        conditions=conditions,
    )
    return figures(tally, DEVICES)
