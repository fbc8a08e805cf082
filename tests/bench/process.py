"""The operator as it is run in a cluster: its own process, its own credentials, and what it used of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.control_plane import ControlPlane
from tests.cluster.ports import free
from tests.support.installed import install

NAMESPACE = "npuserve"
USER = f"system:serviceaccount:{NAMESPACE}:npuserve"
ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
_PROGRAM = "from npuserve.cli import main; main()"


class Operator:
    """One run of the operator against a cluster; `python` may be another interpreter or a profiler's."""

    def __init__(
        self, cluster: ControlPlane, *, python: tuple[str, ...] = (sys.executable,), core: int | None = None
    ) -> None:
        """`core`: the one that it is kept to."""
        (self._port,) = free(1)
        environment = {
            **os.environ,
            "KUBECONFIG": str(cluster.kubeconfig_for("npuserve", NAMESPACE)),
            "NPUSERVE_NAMESPACE": NAMESPACE,
            "NPUSERVE_HTTP_ADDRESS": "127.0.0.1",
            "NPUSERVE_HTTP_PORT": str(self._port),
            "POD_NAME": "npuserve-0",
        }
        self.log = cluster.folder / "operator.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*python, "-c", _PROGRAM, "run"], env=environment, stderr=log, stdout=log)
        self._seen = psutil.Process(self._process.pid)
        if core is not None:
            self._seen.cpu_affinity([core])

    def wait_until_ready(self) -> None:
        """Return when the operator works; raises RuntimeError with its last lines when it ends instead."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the operator is not ready:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def peak_megabytes(self) -> float:
        """The largest resident set so far, in 10^6 bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6

    def sample(self, name: str) -> float:
        """The sum of a metric's samples of that name at this moment."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return sum(one.value for family in families for one in family.samples if one.name == name)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> int:
        """End it as a cluster would; its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=20)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200 and answer.read().strip() == b"leader")
        except (OSError, urllib.error.URLError):
            return False


def prepare(cluster: ControlPlane) -> None:
    """The chart, and namespaces for services."""
    install(cluster)
    for namespace in ("load", "floor"):
        cluster.kubectl("create", "namespace", namespace)


class Others:
    """What programs that have no part in the measurement take of the machine: a figure from a busy machine says little."""

    def __init__(self, cluster: ControlPlane, operator: Operator) -> None:
        self._pids = (*cluster.pids.values(), operator.pid, os.getpid())
        self._began, self._busy, self._ours = time.monotonic(), _busy_seconds(), self._our_seconds()

    def share(self) -> float:
        """Their part of all processors since the beginning, 0 to 1."""
        theirs = _busy_seconds() - self._busy - (self._our_seconds() - self._ours)
        return max(0.0, theirs / ((time.monotonic() - self._began) * (psutil.cpu_count() or 1)))

    def _our_seconds(self) -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self._pids)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
