"""The programs of one cluster: started by name, waited for, stopped in the opposite order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cluster import processes
from tests.cluster.processes import Command, Running

READY_SECONDS = 60.0


class ClusterFailed(Exception):
    """A program ended or did not become ready; the message holds its last lines."""


class PortTaken(ClusterFailed):
    """Another program took a port between its choice and its use."""


class Programs:
    """What runs for the cluster in `folder`, by name."""

    def __init__(self, folder: Path, *, outlive_parent: bool) -> None:
        self._folder = folder
        self._outlive_parent = outlive_parent
        self._running: dict[str, Running] = {}

    @property
    def pids(self) -> dict[str, int]:
        return {name: running.pid for name, running in self._running.items() if running.exit_code is None}

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Running:
        """Starts a program; one that ran under this name before keeps its place in the order of stopping."""
        command = Command(name, tuple(argv), self.log(name), environment, outlives_parent=self._outlive_parent)
        self._running[name] = running = Running(command)
        processes.record(self._folder, self._running.values())
        return running

    def stop(self, name: str) -> None:
        self._running[name].stop()

    def kill(self, name: str) -> None:
        self._running[name].kill()

    def stop_all(self) -> None:
        for running in reversed(self._running.values()):
            running.stop()
        self._running.clear()

    def ended(self) -> list[str]:
        """A sentence for each program that no longer runs."""
        codes = {name: running.exit_code for name, running in self._running.items()}
        return [f"{name} ended with exit code {code}" for name, code in codes.items() if code is not None]

    def wait_for(self, name: str, condition: Callable[[], bool]) -> None:
        """Waits for what one program brings about. Raises ClusterFailed when that ends first, or takes too long."""
        running, deadline = self._running[name], time.monotonic() + READY_SECONDS
        while not condition():
            if running.exit_code is not None:
                raise _failure(f"{name} ended with exit code {running.exit_code}", running.last_lines())
            if time.monotonic() > deadline:
                raise _failure(f"{name} was not ready after {READY_SECONDS:.0f} s", running.last_lines())
            time.sleep(0.05)


def _failure(what: str, last_lines: str) -> ClusterFailed:
    kind = PortTaken if "address already in use" in last_lines else ClusterFailed
    return kind(f"{what}; its last lines:\n{last_lines}")
