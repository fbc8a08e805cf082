"""DynoSim installed beside the tools of the tests, and replays in processes that see it.

It goes into a folder of the cache (`tests.cluster.cache`), from `dynosim.lock` with its hashes, never into the clone. A
replay of a day takes DynoSim 5 GB of memory, so that no more run at once than there is room for.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.autoscale.measuring import OURS
from tests.bench.autoscale.tuning import Run
from tests.cluster import cache
from tests.cluster.progress import Steps

LOCK = Path(__file__).parents[1] / "dynosim.lock"
MEMORY = 7 << 30
"""Bytes that must be free for each replay at a time."""
ALLOCATOR = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=60000:glibc.malloc.tcache_max=65536"
"""DynoSim allocates for every token: with large caches a replay of npuserve takes 29 % less time and one of a static fleet
15 % (six hours of text). Other C libraries ignore it."""


class DynoSimUnavailable(Exception):
    """DynoSim cannot run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One replay in both simulators."""

    ours: Run
    attainment: float
    npu_hours: float


def installed(steps: Steps) -> Path:
    """The folder that DynoSim is installed in."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]

    def fill(folder: Path) -> None:
        with steps.step("Installing DynoSim (120 MB)"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            words = ["--require-hashes", "--only-binary", ":all:", "--target", str(folder), "-r", str(LOCK)]
            answer = subprocess.run([*pip, *words], capture_output=True, text=True, check=False)
            if answer.returncode:
                raise DynoSimUnavailable(f"pip could not install it: {answer.stderr.strip()[-400:]}")

    return cache.entry(f"dynosim-{digest}", fill, waiting=steps.say)


def confirmed(
    runs: Sequence[Run], *, cold_start: float, folder: Path, processes: int, hours: float
) -> Iterator[Confirmed]:
    """Each run once more, in DynoSim; in the order given, while the longest are begun first."""
    longest_first = sorted(runs, key=lambda run: (run.family != OURS, -run.figures.npu_hours))
    with ThreadPoolExecutor(min(processes, _room())) as threads:
        coming = {
            run: threads.submit(replayed, run, cold_start=cold_start, folder=folder, hours=hours)
            for run in longest_first
        }
        try:
            yield from (coming[run].result() for run in runs)
        finally:
            # After one that fails no other is begun.
            threads.shutdown(wait=False, cancel_futures=True)


def replayed(run: Run, *, cold_start: float, folder: Path, hours: float) -> Confirmed:
    """One run once more, over the first hours of its trace."""
    words = [run.trace, run.family, repr(run.value), repr(cold_start), repr(hours)]
    paths = filter(None, [os.environ.get("PYTHONPATH"), str(folder)])
    answer = subprocess.run(
        ["nice", "-n", "10", sys.executable, "-m", "tests.bench.autoscale.dynosim.process", *words],
        env={"GLIBC_TUNABLES": ALLOCATOR, **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise DynoSimUnavailable(f"the replay of {run.trace} ended with: {answer.stderr.strip()[-400:]}")
    found = json.loads(answer.stdout.splitlines()[-1])
    return Confirmed(run, found["attainment"], found["npu_hours"])


def _room() -> int:
    """Replays that the free memory holds; at least one."""
    return max(1, int(psutil.virtual_memory().available // MEMORY))
