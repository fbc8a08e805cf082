"""The command that waits for a replica's last requests, run against a server that keeps connections open as engines do."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from npuserve.engines.drain import SETTLE_SECONDS, Busy, drain_command

RUNNING, WAITING, FINISHED = "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:request_success_total"
KEEPS_ALIVE = 3
BUSY = Busy((RUNNING, WAITING), (FINISHED,), keeps_alive=KEEPS_ALIVE)
TOKENS = 8
NEVER_SENT = 200
"""Answers after which a client gives up waiting to be sent elsewhere."""


class Engine:
    """What the metrics say, and when it finished a request last; `slow` makes every answer late, and the file `mark` each
    the last one of its connection."""

    def __init__(self) -> None:
        self.running = self.waiting = 0.0
        self.finished = 0
        self.slow = 0.0
        self.asked = 0
        self.last = 0.0
        self.mark = ""
        self.lock = threading.Lock()

    def metrics(self) -> str:
        self.asked += 1
        time.sleep(self.slow)
        return (
            f"# HELP {RUNNING} requests in model execution\n"
            f'{RUNNING}{{engine="0",model_name="a"}} {self.running}\n{RUNNING}{{engine="1",model_name="a"}} 0.0\n'
            f'{WAITING}{{engine="0"}} {self.waiting}\n{WAITING}_by_reason{{reason="capacity"}} 9\nvllm:num_preemptions_total 7\n'
            f'{FINISHED}{{finished_reason="stop"}} {float(self.finished)}\n{FINISHED}{{finished_reason="abort"}} 0.0\n'
        )

    def begin(self) -> None:
        with self.lock:
            self.running += 1

    def end(self) -> None:
        with self.lock:
            self.running, self.finished, self.last = self.running - 1, self.finished + 1, time.monotonic()


@contextmanager
def serving(engine: Engine) -> Iterator[int]:
    """The engine over HTTP; a POST answers at once, or with a token every half second. Yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = KEEPS_ALIVE

        def do_GET(self) -> None:
            self._answer(engine.metrics().encode())

        def do_POST(self) -> None:
            engine.begin()
            if self.path == "/stream":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for _ in range(TOKENS):
                    self.wfile.write(b"5\r\ntoken\r\n")
                    time.sleep(0.5)
                self.wfile.write(b"0\r\n\r\n")
            else:
                self._answer(b"token")
            engine.end()

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if engine.mark and Path(engine.mark).exists():
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up in the middle is one of the cases."""

    server = Server(("127.0.0.1", 0), Handler)
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
    quiet: float
    """Seconds since the engine's last request."""
    answers: list[bytes] = field(default_factory=list)
    """What clients got."""


def run(url: str, seconds: int, engine: Engine, answers: list[bytes] | None = None) -> Ended:
    """The whole command, in an image with a proxy that nothing of the replica's own is behind."""
    command = drain_command(url, seconds, replace(BUSY, mark=engine.mark))
    begun = time.monotonic()
    environment = {"OWN_IP": "127.0.0.1", "PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    now = time.monotonic()
    return Ended(
        done.returncode, now - begun, done.stdout + done.stderr, engine.asked, now - engine.last, answers or []
    )


def with_client(engine: Engine, client: Callable[[HTTPConnection, list[bytes]], None], seconds: int = 30) -> Ended:
    """The command beside a client that has one connection."""
    answers: list[bytes] = []
    with serving(engine) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        thread = threading.Thread(target=client, args=(connection, answers))
        thread.start()
        ended = run(f"http://127.0.0.1:{port}/metrics", seconds, engine, answers)
        thread.join()
        connection.close()
    return ended


def idle(engine: Engine) -> Ended:
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 30, engine)


def running(engine: Engine) -> Ended:
    engine.running = 2.0
    threading.Timer(7.0, setattr, (engine, "running", 0.0)).start()
    return idle(engine)


def waiting(engine: Engine) -> Ended:
    engine.waiting = 2.0
    threading.Timer(7.0, setattr, (engine, "waiting", 0.0)).start()
    return idle(engine)


def streaming(engine: Engine) -> Ended:
    """A stream that began before and goes on for four seconds, and another one that begins meanwhile."""

    def stream_twice(connection: HTTPConnection, answers: list[bytes]) -> None:
        for _ in range(2):
            connection.request("POST", "/stream")
            answers.append(connection.getresponse().read())

    return with_client(engine, stream_twice)


def kept_alive(engine: Engine) -> Ended:
    """Requests too short to be seen running, on one connection that was there before, and what is left of it then."""

    def now_and_then(connection: HTTPConnection, answers: list[bytes]) -> None:
        for _ in range(6):
            connection.request("POST", "/short")
            answers.append(connection.getresponse().read())
            time.sleep(1.0)
        assert connection.sock is not None
        answers.append(connection.sock.recv(1))

    return with_client(engine, now_and_then)


def never_quiet(engine: Engine) -> Ended:
    """A client that never lets its connection rest."""

    def all_the_time(connection: HTTPConnection, answers: list[bytes]) -> None:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            connection.request("POST", "/short")
            answers.append(connection.getresponse().read())
            time.sleep(0.1)

    return with_client(engine, all_the_time, seconds=7)


def sent_elsewhere(engine: Engine) -> Ended:
    """The same client, of an engine that closes connections once it is told; what it asks next is another replica's."""

    def until_sent_away(connection: HTTPConnection, answers: list[bytes]) -> None:
        while len(answers) < NEVER_SENT and (connection.sock is not None or not answers):
            connection.request("POST", "/short")
            answers.append(connection.getresponse().read())
            time.sleep(0.1)

    with TemporaryDirectory() as folder:
        engine.mark = f"{folder}/leaving"
        return with_client(engine, until_sent_away)


def endless(engine: Engine) -> Ended:
    engine.running = 1.0
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 2, engine)


def none_at_all(engine: Engine) -> Ended:
    with serving(engine) as port:
        return run(f"http://127.0.0.1:{port}/metrics", 0, engine)


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
    """All cases, run at once because each is mostly waiting."""
    cases = (
        *(
            idle,
            running,
            waiting,
            streaming,
            kept_alive,
            never_quiet,
            sent_elsewhere,
            endless,
            none_at_all,
            gone,
            busy,
            by_variable,
        ),
    )
    with ThreadPoolExecutor(len(cases)) as pool:
        return dict(zip((case.__name__ for case in cases), pool.map(lambda case: case(Engine()), cases), strict=True))


def test_it_always_ends_well_and_says_nothing(ended: dict[str, Ended]) -> None:
    assert {(case.code, case.said) for case in ended.values()} == {(0, b"")}


def test_an_idle_engine_is_left_as_soon_as_its_endpoint_has_had_the_time_to_be_removed(ended: dict[str, Ended]) -> None:
    assert ended["idle"].seconds >= SETTLE_SECONDS
    assert ended["idle"].asked <= SETTLE_SECONDS + 1


@pytest.mark.parametrize("gauge", ["running", "waiting"])
def test_it_waits_until_no_request_runs_or_waits(ended: dict[str, Ended], gauge: str) -> None:
    assert ended[gauge].seconds >= 7.0 + KEEPS_ALIVE


def test_streams_in_progress_and_new_ones_on_their_connection_end_as_they_should(ended: dict[str, Ended]) -> None:
    assert ended["streaming"].answers == [b"token" * TOKENS] * 2
    assert ended["streaming"].quiet >= KEEPS_ALIVE


def test_it_outlasts_every_connection_that_the_engine_keeps_for_a_client(ended: dict[str, Ended]) -> None:
    *answers, end_of_connection = ended["kept_alive"].answers
    assert answers == [b"token"] * 6
    assert end_of_connection == b""
    assert ended["kept_alive"].quiet >= KEEPS_ALIVE


def test_a_client_that_never_rests_is_answered_until_the_time_is_over(ended: dict[str, Ended]) -> None:
    assert ended["never_quiet"].seconds >= 7.0
    assert set(ended["never_quiet"].answers) == {b"token"}


def test_a_client_that_never_rests_is_sent_elsewhere_by_an_engine_that_knows_how(ended: dict[str, Ended]) -> None:
    assert set(ended["sent_elsewhere"].answers) == {b"token"}
    assert len(ended["sent_elsewhere"].answers) < NEVER_SENT
    assert ended["sent_elsewhere"].quiet >= KEEPS_ALIVE


def test_it_gives_up_when_its_time_is_over(ended: dict[str, Ended]) -> None:
    assert ended["endless"].seconds >= 2.0
    assert ended["endless"].asked >= 1


def test_without_time_it_waits_for_nothing(ended: dict[str, Ended]) -> None:
    assert ended["none_at_all"].asked == 0


def test_it_ends_at_once_when_the_engine_is_gone(ended: dict[str, Ended]) -> None:
    assert ended["gone"].seconds < 15
    assert ended["gone"].asked == 0


def test_a_busy_engine_that_answers_late_is_waited_for(ended: dict[str, Ended]) -> None:
    assert ended["busy"].seconds >= 3.0


def test_the_host_may_come_from_the_environment(ended: dict[str, Ended]) -> None:
    assert ended["by_variable"].asked >= 1


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert 'f"[{host}]"' in drain_command("env:OWN_IP:1027/metrics", 30, BUSY)[2]


def test_the_command_is_python_with_its_times_and_metrics_as_its_last_words() -> None:
    command = drain_command("http://127.0.0.1:8000/metrics", 120, BUSY)
    assert command[:2] == ("python3", "-c")
    times = ("120", str(SETTLE_SECONDS), str(KEEPS_ALIVE + 1))
    assert command[3:] == ("http://127.0.0.1:8000/metrics", *times, f"{RUNNING},{WAITING}", FINISHED)
    compile(command[2], "drain", "exec")
