"""Which traces there are, and their rows: a file by its path, a drawn day by its name.

Day traces (of at least 20 hours) are scored, shorter ones printed.
"""

from __future__ import annotations

import gc
import gzip
from functools import lru_cache
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


def span(trace: str) -> float:
    """Seconds from the first sample to the last arrival."""
    return rows_of(trace)[-1][0]
