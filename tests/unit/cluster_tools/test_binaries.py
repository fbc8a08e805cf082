"""Binaries are built once per pinned version, and trouble is said with its remedy."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.cluster import binaries, cache, toolchain, update
from tests.cluster.progress import Steps, silent


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NPUSERVE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tools"


def test_the_cache_lies_where_the_environment_says() -> None:
    assert cache.root({"NPUSERVE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a/tools")
    assert cache.root({"XDG_CACHE_HOME": "/b"}) == Path("/b/npuserve/tools")


def test_an_interrupted_build_leaves_nothing_that_looks_finished(empty_cache: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.entry("thing", interrupted, waiting=silent)
    assert not [path for path in empty_cache.iterdir() if path.is_dir()]


def test_a_second_run_waits_for_the_first_and_builds_nothing(empty_cache: Path) -> None:
    begun, finish = threading.Event(), threading.Event()
    heard: list[str] = []

    def slow(folder: Path) -> None:
        begun.set()
        finish.wait(10)
        (folder / "first").touch()

    def hear(sentence: str) -> None:
        heard.append(sentence)
        finish.set()

    first = threading.Thread(target=cache.entry, args=("thing", slow), kwargs={"waiting": silent})
    first.start()
    begun.wait(10)
    found = cache.entry("thing", lambda folder: (folder / "second").touch(), waiting=hear)
    first.join()
    assert [path.name for path in found.iterdir()] == ["first"]
    assert heard == ["another run is making thing; waiting for it"]


@pytest.mark.parametrize("tools", binaries.TOOL_SETS, ids=lambda tools: tools.name)
def test_the_name_of_an_entry_holds_the_pinned_version_and_changes_with_the_compiler(tools: binaries.ToolSet) -> None:
    assert tools.key("1.26.0").startswith(f"{tools.name}-v")
    assert tools.version() in tools.key("1.26.0")
    assert tools.key("1.26.0") != tools.key("1.26.1")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('go: k8s.io/api@v0.36.4: Get "https://x": dial tcp: lookup x: no such host', "GOPROXY"),
        ("write /home/user/.cache/go-build/1: no space left on device", "disk"),
        ("/usr/lib/go/pkg/tool/link: signal: killed", "memory"),
        ("verifying m@v1: checksum mismatch", "go.sum"),
        ("x.go:1: syntax error", "could not build"),
    ],
)
def test_a_failed_build_is_explained(said: str, remedy: str) -> None:
    assert remedy in binaries._explain(said)
    assert said in binaries._explain(said)


@pytest.mark.parametrize(
    ("printed", "new_enough"),
    [("go version go1.25.9 linux/amd64", False), ("go version go1.26 linux/arm64", True), ("broken", False)],
)
def test_the_machines_go_is_used_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, printed: str, new_enough: bool
) -> None:
    program = tmp_path / "go"
    program.write_text(f"#!/bin/sh\necho {printed}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (toolchain.on_machine() is not None) is new_enough


def test_without_go_the_pinned_wheel_gives_the_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.version() == toolchain.pinned_version()


def test_an_update_takes_releases_only_and_never_goes_back() -> None:
    assert update._newest(["v3.6.14", "v3.10.1", "v3.11.0-rc.1", "v3.9.0"], pinned="v3.6.14") == "v3.10.1"
    assert update._newest(["v1.36.3"], pinned="v1.36.4") == "v1.36.4"


def test_a_step_without_a_terminal_says_from_time_to_time_that_it_lives(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cluster.progress.PLAIN_LINE_EVERY", 0.02)
    with Steps().step("Building etcd") as report:
        report("7 packages compiled")
        threading.Event().wait(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Building etcd"
    assert "Building etcd: 0 s, 7 packages compiled" in lines
    assert lines[-1].startswith("Building etcd: done in 0.")
