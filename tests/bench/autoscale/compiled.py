"""The replay three times faster: its modules compiled by mypyc into a folder that goes away again.

The folder holds a copy of the package with the compiled modules beside their sources; Python prefers them. Results are
the same to the last digit. Where no C compiler is, the replay runs as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import npuserve

MODULES = (
    "load", "objectives", "profile", "collisions", "histogram", "page", "lateness", "counting", "replay/shown",
    "replay/history", "replay/replica", "replay/score", "replay/fleet",
)  # fmt: skip
"""The simulator, and what it calls for each request. The decision is left as it is: it is called once in 5 s."""
FLAG = "NPUSERVE_BENCH_COMPILED"
SETUP = """
from setuptools import setup
from mypyc.build import mypycify
setup(name="replay", ext_modules=mypycify({files!r}, opt_level="3"))
"""


def is_compiled() -> bool:
    """Whether this process runs the compiled replay."""
    return FLAG in os.environ


@contextmanager
def environment() -> Iterator[dict[str, str] | None]:
    """An environment in which Python finds the compiled replay; None where it cannot be built."""
    with TemporaryDirectory(prefix="npuserve-replay-") as name:
        folder = Path(name)
        shutil.copytree(
            Path(npuserve.__file__).parent, folder / "npuserve", ignore=shutil.ignore_patterns("__pycache__")
        )
        if not _built(folder):
            yield None
            return
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        yield {**os.environ, "PYTHONPATH": os.pathsep.join(paths), FLAG: "1"}


def _built(folder: Path) -> bool:
    script = SETUP.format(files=[f"npuserve/autoscale/{module}.py" for module in MODULES])
    found = subprocess.run(
        [sys.executable, "-c", script, "build_ext", "--inplace"],
        cwd=folder,
        env={**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])},
        capture_output=True,
        check=False,
    )
    return found.returncode == 0
