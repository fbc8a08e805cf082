"""Which traces there are, and their rows: a file by its path, a drawn day by its name.

Day traces (of at least 20 hours) are scored, shorter ones printed.
"""

from __future__ import annotations

import gc
import gzip
from bisect import bisect_left
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import IO

from npuserve.autoscale.replay.fleet import Row
from npuserve.autoscale.replay.trace import read_trace
from tests.bench.autoscale.drawing import DRAWS, drawn

SCORED = 20 * 3600.0
"""Seconds."""


@lru_cache(maxsize=1)
def rows_of(trace: str) -> list[Row]:
    """The requests of a trace in order of arrival."""
    if trace in DRAWS:
        rows = drawn(DRAWS[trace])
    else:
        with _opened(Path(trace)) as lines:
            rows = read_trace(lines)
    gc.freeze()
    return rows


def found(folder: Path | None, *, holding: str = "") -> list[str]:
    """The traces of a folder whose names hold a text; those of the days that can be drawn where there is no folder."""
    if folder is None:
        return [name for name in DRAWS if holding in name]
    files = sorted(folder.glob("*.csv*"))
    return [str(file) for file in files if holding in file.name and _is_trace(file)]


def label(trace: str) -> str:
    """The name of a trace in tables."""
    return Path(trace).name.partition(".")[0]


def _opened(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _is_trace(path: Path) -> bool:
    with _opened(path) as lines:
        return next(iter(lines), "").startswith("arrival_s,")


def first(rows: list[Row], hours: float) -> list[Row]:
    """The requests of so many hours from the beginning."""
    return rows[: bisect_left(rows, hours * 3600, key=itemgetter(0))]


@cache
def tokens_by_hour(trace: str) -> tuple[int, ...]:
    """Output tokens that the requests of each hour ask for."""
    rows = rows_of(trace)
    found = [0] * (int(rows[-1][0] // 3600) + 1)
    for at, _, output in rows:
        found[int(at // 3600)] += output
    return tuple(found)


def span(trace: str) -> float:
    """Seconds from the first sample to the last arrival."""
    return rows_of(trace)[-1][0]
