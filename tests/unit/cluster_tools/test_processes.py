"""What is started with a cluster ends with it, however its owner ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import processes
from tests.cluster.processes import Command, Guard, Running
from tests.cluster.programs import ClusterFailed, Programs

REPOSITORY = Path(__file__).parents[3]
_IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
STUBBORN = (sys.executable, "-c", _IGNORE)


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


OWNER = """\
import sys, time
from pathlib import Path
from tests.cluster.processes import Command, Guard, Running
folder = Path(sys.argv[1])
guard = Guard(folder)
print(Running(Command("s", ("sleep", "60"), folder / "s.log", {}, outlives_parent=False)).pid, flush=True)
time.sleep(60)
"""


def test_a_program_and_the_folder_go_when_their_owner_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline() if owner.stdout else 0)
        assert until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
        owner.kill()
    assert until(lambda: processes._start_time(pid) is None)
    assert until(lambda: not folder.exists())


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    running = Running(Command("s", STUBBORN, tmp_path / "s.log", {}, outlives_parent=False))
    assert until(lambda: running.last_lines() == "1")
    running.stop()
    assert running.exit_code == -signal.SIGKILL


def test_a_cluster_left_running_is_stopped_by_its_record_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    programs = Programs(folder, outlive_parent=True)
    first, second = (programs.start(name, ("sleep", "60"), {}) for name in ("first", "second"))
    assert processes.stop_recorded(folder) == ["second", "first"]
    assert [first.exit_code, second.exit_code] == [-signal.SIGTERM, -signal.SIGTERM]
    assert not folder.exists()


def test_a_process_id_that_was_given_to_another_program_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    other = subprocess.Popen(["sleep", "60"])
    (folder / "processes.json").write_text(json.dumps([{"name": "etcd", "pid": other.pid, "started": 1}]))
    assert processes.stop_recorded(folder) == []
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_component_that_ends_early_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    programs = Programs(tmp_path, outlive_parent=False)
    programs.start("etcd", ("sh", "-c", "echo no such flag; exit 3"), {})
    with pytest.raises(ClusterFailed, match="etcd ended with exit code 3; its last lines:\nno such flag"):
        programs.wait_for("etcd", lambda: False)
    assert programs.ended() == ["etcd ended with exit code 3"]


def test_a_guard_that_is_released_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    Guard(folder).release()
    assert not folder.exists()
