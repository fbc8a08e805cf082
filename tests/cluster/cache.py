"""Where built things live between runs: outside the clone, complete or absent, built once.

`${NPUSERVE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/npuserve}/tools/<entry>`. An entry is filled in a folder beside it and
renamed, so that an interrupted build leaves nothing that looks finished; a lock file per entry lets a second run wait
for the first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of all entries."""
    chosen = environment.get("NPUSERVE_CACHE")
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(chosen) if chosen else Path(base) / "npuserve").absolute() / "tools"


def entry(name: str, fill: Callable[[Path], None], *, waiting: Callable[[str], None]) -> Path:
    """The folder `name`, filled by `fill(folder)` where it is missing; `waiting` hears when another run fills it."""
    finished = root() / name
    if finished.is_dir():
        return finished
    finished.parent.mkdir(parents=True, exist_ok=True)
    with _locked(finished.parent / f".{name}.lock", lambda: waiting(f"another run is making {name}; waiting for it")):
        if finished.is_dir():
            return finished
        partial = finished.parent / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            fill(partial)
            partial.rename(finished)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return finished


@contextmanager
def _locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    with path.open("w") as file:
        _take(file, waiting)
        yield


def _take(file: IO[str], waiting: Callable[[], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(file, fcntl.LOCK_EX)
