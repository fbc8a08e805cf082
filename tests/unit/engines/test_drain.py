"""The command that waits for a replica's last requests, run against a server that counts them."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from npuserve.engines import drain
from npuserve.engines.drain import drain_command

RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"


class Engine:
    """What the metrics say; `slow` makes every answer late."""

    def __init__(self) -> None:
        self.running = self.waiting = 0.0
        self.slow = 0.0
        self.asked = 0

    def metrics(self) -> str:
        self.asked += 1
        time.sleep(self.slow)
        return (
            f"# HELP {RUNNING} requests in model execution\n"
            f'{RUNNING}{{engine="0",model_name="a"}} {self.running}\n{RUNNING}{{engine="1",model_name="a"}} 0.0\n'
            f'{WAITING}{{engine="0"}} {self.waiting}\n{WAITING}_by_reason{{reason="capacity"}} 9\nvllm:num_preemptions_total 7\n'
        )


@contextmanager
def serving(engine: Engine) -> Iterator[int]:
    """The engine's metrics over HTTP; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = engine.metrics().encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Ended:
    """How the command ended, and how often the engine was asked."""

    code: int
    seconds: float
    said: bytes
    asked: int


def run(url: str, seconds: int, engine: Engine) -> Ended:
    """The whole command."""
    command = drain_command(url, seconds, (RUNNING, WAITING))
    begun = time.monotonic()
    environment = {"OWN_IP": "127.0.0.1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    return Ended(done.returncode, time.monotonic() - begun, done.stdout + done.stderr, engine.asked)


def idle(engine: Engine) -> Ended:
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 30, engine)


def running(engine: Engine) -> Ended:
    engine.running = 2.0
    threading.Timer(3.0, setattr, (engine, "running", 0.0)).start()
    return idle(engine)


def waiting(engine: Engine) -> Ended:
    engine.waiting = 2.0
    threading.Timer(3.0, setattr, (engine, "waiting", 0.0)).start()
    return idle(engine)


def endless(engine: Engine) -> Ended:
    engine.running = 1.0
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 2, engine)


def gone(engine: Engine) -> Ended:
    with serving(engine) as port:
        pass
    return run(f"http://127.0.0.1:{port}/metrics", 30, engine)


def busy(engine: Engine) -> Ended:
    engine.running, engine.slow = 1.0, 6.0
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 3, engine)


def by_variable(engine: Engine) -> Ended:
    with serving(engine) as port:
        return run(f"env:OWN_IP:{port}/metrics", 30, engine)


@pytest.fixture(scope="module")
def ended() -> dict[str, Ended]:
    """All cases, run at once because each is mostly waiting, and without the time that endpoints take to be removed."""
    cases = (idle, running, waiting, endless, gone, busy, by_variable)
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(cases)) as pool:
        patch.setattr(drain, "SETTLE_SECONDS", 0)
        return dict(zip((case.__name__ for case in cases), pool.map(lambda case: case(Engine()), cases), strict=True))


def test_it_always_ends_well_and_says_nothing(ended: dict[str, Ended]) -> None:
    assert {(case.code, case.said) for case in ended.values()} == {(0, b"")}


def test_it_ends_when_nothing_runs_or_waits(ended: dict[str, Ended]) -> None:
    assert ended["idle"].asked == 1


@pytest.mark.parametrize("gauge", ["running", "waiting"])
def test_it_waits_until_the_last_request_is_done(ended: dict[str, Ended], gauge: str) -> None:
    assert 3.0 <= ended[gauge].seconds + 0.5 < 20
    assert ended[gauge].asked >= 2


def test_it_gives_up_when_its_time_is_over(ended: dict[str, Ended]) -> None:
    assert ended["endless"].seconds >= 2.0
    assert ended["endless"].asked >= 1


def test_it_ends_at_once_when_the_engine_is_gone(ended: dict[str, Ended]) -> None:
    assert ended["gone"].seconds < 15
    assert ended["gone"].asked == 0


def test_a_busy_engine_that_answers_late_is_waited_for(ended: dict[str, Ended]) -> None:
    assert ended["busy"].seconds >= 3.0


def test_the_host_may_come_from_the_environment(ended: dict[str, Ended]) -> None:
    assert ended["by_variable"].asked == 1


def test_it_first_leaves_endpoints_the_time_to_be_removed() -> None:
    assert "time.sleep(min(5, seconds))" in drain_command("http://x", 30, (RUNNING,))[2]


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert 'f"[{host}]"' in drain_command("env:OWN_IP:1027/metrics", 30, (RUNNING,))[2]


def test_the_command_is_python_with_the_gauges_as_its_last_words() -> None:
    command = drain_command("http://127.0.0.1:8000/metrics", 120, (RUNNING, WAITING))
    assert command[:2] == ("python3", "-c")
    assert command[3:] == ("http://127.0.0.1:8000/metrics", "120", RUNNING, WAITING)
    compile(command[2], "drain", "exec")
