"""What the server is started with so that it can send clients elsewhere: the shell in front of it, and the middleware."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from npuserve.engines.vllm_ascend_leave import MARK, in_front

SERVER = """\
import importlib, os, sys
print(os.environ.get("PYTHONPATH", "none"), *sys.argv[1:])
for path in sys.argv[sys.argv.index("--middleware") + 1:] if "--middleware" in sys.argv else ():
    module, _, name = path.rpartition(".")
    print(getattr(importlib.import_module(module), name).__name__)
"""
"""Stands for the server: says how it was started, and loads middleware by its import path."""


def start(folder: Path, **environment: str) -> list[str]:
    """What the server says, line by line."""
    command = (*in_front(), sys.executable, "-c", SERVER, "serve", "a model")
    known = {"PATH": os.environ["PATH"], "NPUSERVE_LEAVE": str(folder), **environment}
    return subprocess.run(command, env=known, capture_output=True, check=True, text=True).stdout.splitlines()


def test_the_server_gets_its_words_and_the_middleware_before_what_the_image_brings(tmp_path: Path) -> None:
    folder = tmp_path / "npuserve"
    assert start(folder, PYTHONPATH="/opt/of the image") == [
        f"{folder}:/opt/of the image serve a model --middleware npuserve_leave.Leave",
        "Leave",
    ]
    assert start(folder)[0].startswith(f"{folder} serve")


def test_a_container_that_starts_again_is_not_leaving_any_more(tmp_path: Path) -> None:
    (tmp_path / "leaving").touch()
    start(tmp_path)
    assert not (tmp_path / "leaving").exists()


def test_the_server_starts_without_it_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert start(tmp_path / "file") == ["none serve a model"]


def test_the_server_starts_without_it_where_the_images_python_cannot_import_it(tmp_path: Path) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "python3").write_text("#!/bin/sh\nexit 1\n")
    (broken / "python3").chmod(0o755)
    assert start(tmp_path / "npuserve", PATH=f"{broken}:{os.environ['PATH']}") == ["none serve a model"]


def test_the_drain_makes_the_file_that_the_middleware_looks_for() -> None:
    assert Path(MARK).name == "leaving"
    assert f"NPUSERVE_LEAVE:-{Path(MARK).parent}" in in_front()[2]


@pytest.fixture
def headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The headers that an application's answer leaves with."""
    (tmp_path / "npuserve_leave.py").write_text(in_front()[3])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "npuserve_leave", raising=False)
    leave = import_module("npuserve_leave").Leave

    def answered(kind: str = "http") -> list[tuple[bytes, bytes]]:
        sent: list[dict[str, Any]] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": f"{kind}.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": f"{kind}.response.body", "body": b""})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(leave(application)({"type": kind}, None, send))
        assert [message["type"] for message in sent] == [f"{kind}.response.start", f"{kind}.response.body"]
        return list(sent[0]["headers"])

    return answered


def test_answers_close_their_connections_from_the_moment_the_replica_is_to_end(tmp_path: Path, headers: Any) -> None:
    assert headers() == [(b"content-length", b"0")]
    (tmp_path / "leaving").touch()
    assert headers() == [(b"content-length", b"0"), (b"connection", b"close")]


def test_connections_of_another_kind_are_left_alone(tmp_path: Path, headers: Any) -> None:
    (tmp_path / "leaving").touch()
    assert headers("websocket") == [(b"content-length", b"0")]
