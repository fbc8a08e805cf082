"""How a program beside this one is started, watched and stopped, and how a cluster left running is found again.

Every program has its own session (a terminal's Ctrl-C reaches only its owner), its output goes to one file, and it is
stopped by its process id: SIGTERM, and SIGKILL after a grace period.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 5.0
_HERE = Path(__file__).parent
_PYTHON = (sys.executable, "-I", "-S")
_RECORD = "processes.json"


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run: its name among the others, arguments, additions to the environment, file for its output."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    outlives_parent: bool


class Running:
    """A started program."""

    def __init__(self, command: Command) -> None:
        self.command = command
        bound = () if command.outlives_parent else (*_PYTHON, str(_HERE / "launch.py"), str(os.getpid()))
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*bound, *command.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(command.environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def last_lines(self, count: int = 15) -> str:
        return "\n".join(self.command.log.read_text(errors="replace").splitlines()[-count:])

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def pause(self) -> None:
        """Stops its clock (SIGSTOP): it keeps its connections and answers nothing until `resume`."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Guard:
    """A process that removes `folder` when this one ends without having done so."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [*_PYTHON, str(_HERE / "guard.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Lets it remove the folder now, and waits for that."""
        self._process.communicate()


def record(folder: Path, running: Iterable[Running]) -> None:
    """Writes which processes belong to the cluster in `folder`, with start times, since process ids are used again."""
    entries = [
        {"name": process.command.name, "pid": process.pid, "started": started}
        for process in running
        if (started := _start_time(process.pid)) is not None
    ]
    partial = folder / f"{_RECORD}.partial"
    partial.write_text(json.dumps(entries, indent=1))
    partial.rename(folder / _RECORD)


def stop_recorded(folder: Path) -> list[str]:
    """Stops what `record` wrote, last started first, and removes the folder; returns the names of what still ran.

    Raises FileNotFoundError when the folder holds no cluster.
    """
    entries = json.loads((folder / _RECORD).read_text())
    stopped = [entry["name"] for entry in reversed(entries) if _end(entry["pid"], entry["started"])]
    shutil.rmtree(folder)
    return stopped


def _end(pid: int, started: int) -> bool:
    """Ends a process that this one did not start; False when it has ended before."""
    if _start_time(pid) != started:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while _start_time(pid) == started and time.monotonic() < deadline:
            time.sleep(0.02)
    return True


def _start_time(pid: int) -> int | None:
    """Clock ticks between the machine's boot and the process's start, None when it has ended (proc_pid_stat(5))."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(fields[18])
