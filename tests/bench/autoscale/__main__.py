"""python -m tests.bench.autoscale --traces DIR: the table of npuserve beside its peers.

Day traces (of at least 20 hours) are scored, shorter ones printed. Runs take two processes, politely.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path

from rich.console import Console
from rich.table import Table

from npuserve.autoscale.replay.compare import initial_replicas
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.replay.score import Score
from npuserve.autoscale.replay.trace import read_trace
from npuserve.autoscale.settings import Settings
from tests.bench.autoscale.engines import DEVICES, QWEN3_32B
from tests.bench.autoscale.grids import LEAST, MOST, OBJECTIVES, Setting, settings
from tests.bench.autoscale.hardship import HARDSHIPS, later, npuserve
from tests.bench.autoscale.tuning import Run, Tuned, tuned

Job = tuple[str, float, str]
SCORED = 20 * 3600.0
OURS = "npuserve"


@lru_cache(maxsize=1)
def trace_of(path: str) -> list[Row]:
    with (
        gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else Path(path).open(encoding="utf-8") as lines
    ):
        rows = read_trace(lines)
    gc.freeze()
    return rows


@lru_cache(maxsize=1)
def grid_of(path: str, cold_start: float) -> dict[str, list[Setting]]:
    families: dict[str, list[Setting]] = {}
    for setting in settings(trace_of(path), cold_start):
        families.setdefault(setting.family, []).append(setting)
    return families


def measured(job: Job) -> list[Run]:
    """All runs of one family on one trace."""
    path, cold_start, family = job
    trace, name = trace_of(path), Path(path).name.partition(".")[0]
    conditions = Conditions(cold_start=cold_start)
    if family == OURS:
        return [Run(name, OURS, 0, npuserve(trace, QWEN3_32B, conditions).score(DEVICES))]
    begin = initial_replicas(trace, Settings(QWEN3_32B, LEAST, MOST, objectives=OBJECTIVES))
    return [
        Run(name, family, one.value, _score(trace, one, one.initial or begin, conditions))
        for one in grid_of(path, cold_start)[family]
    ]


def _score(trace: Sequence[Row], setting: Setting, initial: int, conditions: Conditions) -> Score:
    # The peers are told what truly happened: it favours them, and is quicker.
    tally = replay(
        trace,
        setting.make(),
        profile=QWEN3_32B,
        objectives=OBJECTIVES,
        initial=initial,
        conditions=replace(conditions, exact=True),
    )
    return tally.score(DEVICES)


def _jobs(paths: Sequence[str], cold_start: float, families: Sequence[str]) -> list[Job]:
    return [(path, cold_start, family) for path in paths for family in (OURS, *families)]


def _families() -> list[str]:
    return list(dict.fromkeys(one.family for one in settings([(0.0, 100, 100)], 180.0)))


def _table(runs: list[Run], target: float, families: Sequence[str]) -> Iterator[Table]:
    for name in dict.fromkeys(run.trace for run in runs):
        table = Table(title=f"{name}: at {target:.1%} of requests in time")
        for heading in ("", "NPU-hours", "in time", "reversals", "good windows", "worst window", "cut", "setting"):
            table.add_column(heading, justify="right" if heading else "left")
        for family in (OURS, *families):
            own = [run for run in runs if run.trace == name and run.family == family]
            best = Tuned(own[0].score.npu_hours, own[0]) if family == OURS else tuned(own, target)
            table.add_row(family, *_cells(best, own))
        yield table


def _cells(best: Tuned | None, own: list[Run]) -> tuple[str, ...]:
    if best is None:
        top = max(own, key=lambda run: run.score.attainment)
        return ("not reached", f"{top.score.attainment:.2%} at most")
    score = best.run.score
    return (
        f"{best.npu_hours:,.0f}", f"{score.attainment:.2%}", str(score.reversals), f"{score.good_windows:.1%}",
        f"{score.worst_window:.1%}", str(score.cut), f"{best.run.value:g}",
    )  # fmt: skip


def _sums(runs: list[Run], target: float, families: Sequence[str], days: set[str]) -> Table:
    table = Table(title=f"sum over {len(days)} days")
    for heading in ("", "NPU-hours", "days reached", "reversals"):
        table.add_column(heading, justify="right" if heading else "left")
    for family in (OURS, *families):
        found = []
        for day in days:
            own = [run for run in runs if run.trace == day and run.family == family]
            best = Tuned(own[0].score.npu_hours, own[0]) if family == OURS else tuned(own, target)
            if best is not None and best.run.score.attainment >= target - 1e-9:
                found.append(best)
        hours, back = sum(one.npu_hours for one in found), sum(one.run.score.reversals for one in found)
        table.add_row(family, f"{hours:,.0f}", f"{len(found)} of {len(days)}", str(back))
    return table


def _hardships(path: str) -> Table:
    table = Table(title=f"hardships on {Path(path).name}")
    for heading in ("", "NPU-hours", "in time", "from the third hour", "reversals"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, (believed, conditions) in HARDSHIPS.items():
        tally = npuserve(trace_of(path), believed, conditions)
        score = tally.score(DEVICES)
        table.add_row(
            name, f"{score.npu_hours:,.0f}", f"{score.attainment:.2%}", f"{later(tally):.2%}", str(score.reversals)
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True, help="folder of CSV traces (also .gz)")
    parser.add_argument("--only", default="", help="traces whose names hold this text")
    parser.add_argument("--peers", help="families, separated by commas; all without")
    parser.add_argument("--target", type=float, default=0.99)
    parser.add_argument("--cold-start", type=float, default=180.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-hardships", action="store_true")
    asked = parser.parse_args(arguments)
    paths = [str(path) for path in sorted(asked.traces.glob("*.csv*")) if asked.only in path.name and _is_trace(path)]
    if not paths:
        print(f"no trace in {asked.traces}", file=sys.stderr)
        return 1
    families = asked.peers.split(",") if asked.peers is not None else _families()
    families = [family for family in families if family]
    jobs = _jobs(paths, asked.cold_start, families)
    with Pool(asked.processes, initializer=os.nice, initargs=(10,)) as pool:
        runs = [run for found in pool.imap(measured, jobs) for run in found]
    console = Console(width=130)
    for table in _table(runs, asked.target, families):
        console.print(table)
    days = {Path(path).name.partition(".")[0] for path in paths if trace_of(path)[-1][0] >= SCORED}
    if days:
        console.print(_sums(runs, asked.target, families, days))
    if not asked.no_hardships:
        console.print(_hardships(paths[0]))
    return 0


def _is_trace(path: Path) -> bool:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        return next(iter(lines), "").startswith("arrival_s,")


if __name__ == "__main__":
    sys.exit(main())
