"""Runs the tests of this folder, each file in a network of its own: `python -m tests.fleet [PYTEST ARGUMENTS]`.

Rule: these tests wait far more than they compute, so several files run at the same time, the longest first. A file that is
named runs alone. Where the machine gives no network, pytest runs all the same and says for each test why it is skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.cluster import network

HERE = Path(__file__).parent
REFUSED = "NPUSERVE_NO_NETWORK"
"""The variable in which the tests read why they have no network."""
AT_ONCE = 3
"""Files; each has a control plane, which takes a gigabyte and a fifth of a core."""
LONGEST = ("test_room.py", "test_load.py", "test_drain.py", "test_restart.py", "test_zero.py")
NOTHING_CHOSEN = 5
"""What pytest exits with where no test of a file was chosen."""


def main(arguments: list[str]) -> None:
    """Run the named files in this process, or all of them side by side; exits with what pytest does."""
    if any(not word.startswith("-") for word in arguments):
        _become_pytest(arguments)
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {pool.submit(_run, file, arguments): file for file in _files()}
        codes = [_told(runs[run], run.result()) for run in as_completed(runs)]
    bad = [code for code in codes if code not in (0, NOTHING_CHOSEN)]
    print(f"{len(codes)} files in {time.monotonic() - began:.0f} s, {len(bad)} of them with failures")
    sys.exit(1 if bad else 0)


def _become_pytest(arguments: list[str]) -> None:
    """Go on as pytest, inside a network where there is one."""
    try:
        network.enter()
    except network.NotAllowed as refusal:
        os.environ[REFUSED] = str(refusal)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])


def _files() -> list[Path]:
    """Every file of tests, the longest first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    return sorted(HERE.glob("test_*.py"), key=lambda file: (order.get(file.name, len(order)), file.name))


def _run(file: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fleet", *arguments, str(file)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def _told(file: Path, done: subprocess.CompletedProcess[str]) -> int:
    """The exit code, after what pytest said."""
    print(f"--- {file.name}\n{done.stdout.rstrip()}", flush=True)
    return done.returncode


if __name__ == "__main__":
    main(sys.argv[1:])
