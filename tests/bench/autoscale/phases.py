"""The order of the work: tune every peer on every trace, then what goes wrong, other starts, and the other simulator.

Worker processes are nice, and take whole families: a family's search goes one replay after another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from multiprocessing import Pool
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.autoscale import report
from tests.bench.autoscale.dynosim import budget, confirm
from tests.bench.autoscale.dynosim.confirm import Confirmed, DynoSimUnavailable
from tests.bench.autoscale.engines import COLD_START
from tests.bench.autoscale.families import ORACLE, PEERS, STATIC
from tests.bench.autoscale.hardship import AS_IT_IS, HARDSHIPS
from tests.bench.autoscale.measuring import OURS, Job, measured
from tests.bench.autoscale.report import Day, days_of
from tests.bench.autoscale.sheets import Sheet
from tests.bench.autoscale.traces import SCORED, label, span
from tests.bench.autoscale.tuning import Run
from tests.cluster.progress import Steps

T = TypeVar("T")
STARTS = (60.0, COLD_START, 420.0)
"""Seconds."""
RESERVE = 0.1
"""Share of the time that is kept back, for our own replays of the hours that DynoSim replays and for what takes longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one run shall do."""

    traces: tuple[str, ...]
    families: tuple[str, ...]
    target: float
    hardships: bool = True
    starts: bool = True
    dynosim: bool = True
    minutes: float = inf
    """Time in which to end: DynoSim replays as many hours of each day as fit."""


class Work:
    """The worker processes, and how far they are."""

    def __init__(self, console: Console, processes: int) -> None:
        self.processes = processes
        self._begun = monotonic()
        self._pool = Pool(processes, initializer=os.nice, initargs=(10,))
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        self._pool.terminate()

    @property
    def seconds(self) -> float:
        """Time since the work began."""
        return monotonic() - self._begun

    def show(self, sheet: Sheet) -> Sheet:
        """Print a sheet as soon as there is one: who stops early keeps what was measured."""
        self._progress.console.print(sheet.table())
        return sheet

    def begun(self, jobs: Sequence[Job]) -> Iterator[list[Run]]:
        """What comes of each job, in their order; all are begun as processes become free."""
        return self._pool.imap(measured, jobs)

    def done(self, what: str, jobs: Sequence[Job]) -> dict[Job, list[Run]]:
        """What came of each job."""
        return dict(zip(jobs, self.each(what, self.begun(jobs), len(jobs)), strict=True))

    def each(self, what: str, results: Iterable[T], count: int) -> list[T]:
        """The results, and a line of progress for them."""
        task = self._progress.add_task(what, total=count)
        found = []
        for result in results:
            found.append(result)
            self._progress.advance(task)
        self._progress.remove_task(task)
        self._progress.console.print(f"{self.seconds / 60:5.1f} min  {what}: done", highlight=False)
        return found


def tuned_days(asked: Asked, work: Work) -> Iterator[Day]:
    """Each trace with all families tuned, as it is done."""
    families = (OURS, *asked.families)
    jobs = [Job(trace, family, asked.target) for trace in asked.traces for family in families]
    coming = work.begun(jobs)
    for trace in asked.traces:
        runs = work.each(label(trace), islice(coming, len(families)), len(families))
        yield Day(trace, dict(zip(families, runs, strict=True)), asked.target)


def summary(asked: Asked, work: Work, traces: Sequence[Day]) -> Iterator[Sheet]:
    """What all scored days come to, each sheet as it is done; hardships on what there is where no day is long enough."""
    days = [day for day in traces if span(day.trace) >= SCORED]
    if days:
        yield report.each_day(days)
        yield report.sums(days)
    if asked.hardships:
        yield from report.hardships(_undisturbed(days or traces) | work.done("hardships", _hard(days or traces)))
    if asked.starts and days:
        yield report.starts(dict(_starts(work, days)))
    if asked.dynosim and days:
        yield _confirmed(asked, work, days)


def _confirmed(asked: Asked, work: Work, days: Sequence[Day]) -> Sheet:
    runs = [run for day in days for run in _to_confirm(day)]
    found: list[Confirmed] = []
    notes = []
    try:
        folder = confirm.installed(Steps())
        hours = _hours(asked, work, runs, folder)
        if hours < inf:
            notes.append(
                f"The first {hours:.0f} hours of each day, here as there: no more fit into {asked.minutes:g} minutes."
            )
            jobs = [Job(run.trace, run.family, asked.target, value=run.value, hours=hours) for run in runs]
            runs = [run for each in work.done(f"the first {hours:.0f} hours", jobs).values() for run in each]
        coming = confirm.confirmed(runs, cold_start=COLD_START, folder=folder, processes=work.processes, hours=hours)
        work.each("DynoSim", _keeping(found, coming), len(runs))
    except DynoSimUnavailable as refusal:
        notes.append(f"{len(runs) - len(found)} replays are missing: {refusal}")
    return report.confirmed(found, tuple(notes))


def _hours(asked: Asked, work: Work, runs: Sequence[Run], folder: Path) -> float:
    """Hours of each day that DynoSim has time for; inf: all."""
    if asked.minutes == inf or not runs:
        return inf
    paces = budget.paces(runs, cold_start=COLD_START, folder=folder, processes=work.processes)
    left = 60 * asked.minutes * (1 - RESERVE) - work.seconds
    return budget.affordable(runs, paces, seconds=left, processes=work.processes)


def _keeping(found: list[T], coming: Iterable[T]) -> Iterator[T]:
    """What comes, also in a list that outlives a failure."""
    for one in coming:
        found.append(one)
        yield one


def _to_confirm(day: Day) -> list[Run]:
    """npuserve, the oracle and the day's two best peers."""
    others = [day.best(ORACLE), *(best for _, best in day.peers[:2])]
    return [*day.runs[OURS], *(best.run for best in others if best is not None)]


def _undisturbed(days: Sequence[Day]) -> dict[Job, list[Run]]:
    return {Job(day.trace, OURS, day.target): list(day.runs[OURS]) for day in days}


def _hard(days: Sequence[Day]) -> list[Job]:
    names = [name for name in HARDSHIPS if name != AS_IT_IS]
    return [Job(day.trace, OURS, day.target, hardship=name) for day in days for name in names]


def _starts(work: Work, days: Sequence[Day]) -> Iterator[tuple[float, list[Day]]]:
    """npuserve, each day's best oracle and the two best peers, tuned again for starts of other lengths."""
    shown = (OURS, ORACLE, *best_peers(days))
    usual = [replace(day, runs=_runs(day, shown)) for day in days]
    for seconds in STARTS:
        if seconds == COLD_START:
            yield seconds, usual
            continue
        jobs = [Job(day.trace, family, day.target, seconds) for day in usual for family in day.runs if family != STATIC]
        again = days_of(work.done(f"starts of {seconds:.0f} s", jobs), days[0].target)
        # A fleet of one size starts nothing.
        yield seconds, [replace(one, runs={**day.runs, **one.runs}) for one, day in zip(again, usual, strict=True)]


def _runs(day: Day, families: Sequence[str]) -> dict[str, Sequence[Run]]:
    best = day.best(ORACLE)
    names = [best.run.family if family == ORACLE and best else family for family in families]
    return {name: day.runs[name] for name in names if name in day.runs}


def best_peers(days: Sequence[Day], count: int = 2) -> list[str]:
    """The peers with the fewest NPU-hours over the days; a day not reached counts as the dearest of that day, twice."""
    cost = dict.fromkeys((family for family in PEERS if family in days[0].runs), 0.0)
    for day in days:
        reached = {family: best.npu_hours for family, best in day.peers}
        for family in cost:
            cost[family] += reached.get(family, 2 * max(reached.values(), default=1.0))
    return sorted(cost, key=lambda family: cost[family])[:count]
