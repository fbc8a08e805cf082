"""The engines behind all pods' addresses: how busy each is, how it answers, and what it was asked.

Rule: a replica begins empty at the address of a new pod. As with a real engine, one that is shut down ends its idle
connections, finishes what it has within its time, and cuts off the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.support.engine_page import Instruments, mindie, vllm
from tests.support.engine_replica import Replica, Speed

PORTS = {8000: vllm, 1025: mindie, 1026: mindie, 1027: mindie}
"""Where engines listen; the port tells which engine it is."""
MODEL = "Qwen3-8B"
TICK_SECONDS = 0.05

Metrics = Literal["normal", "slow", "error", "cut"]
"""How the metrics page is answered: as it is, after half a minute, with 500, or by closing the connection."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached a replica."""

    at: float
    address: str
    path: str
    connection: tuple[str, int]
    """The client's end: the same for all requests of one connection."""


@dataclass(slots=True)
class Pod:
    """One address: its replica, its connections, and how it behaves."""

    replica: Replica
    metrics: Metrics = "normal"
    connections: dict[asyncio.Transport, int] = field(default_factory=dict)
    """Requests in work by connection."""
    ending: bool = False
    ended: bool = False


class Engines:
    """All replicas there are. Everything is called in the loop that serves."""

    def __init__(self, *, model: str = MODEL, speed: Speed | None = None) -> None:
        self.model = model
        self.speed = speed or Speed()
        self.metrics: Metrics = "normal"
        """For addresses that have none of their own."""
        self.asked: list[Asked] = []
        self.cut: dict[str, int] = {}
        """Requests that had no answer yet when their replica ended, by address."""
        self.missed: list[Asked] = []
        """Requests to addresses where no replica is any more."""
        self.ticks: list[Callable[[float], None]] = []
        """Called at every tick with its time."""
        self._pods: dict[str, Pod] = {}
        self._gone: set[str] = set()

    def pod(self, address: str, port: int = 8000) -> Pod:
        """What answers at an address; it begins empty."""
        if address not in self._pods:
            make: Callable[[str], Instruments] = PORTS.get(port, vllm)
            self._pods[address] = Pod(Replica(make(self.model), time.monotonic(), self.speed), self.metrics)
        return self._pods[address]

    def in_flight(self) -> dict[str, int]:
        """Requests in work by address."""
        return {address: pod.replica.in_flight for address, pod in self._pods.items()}

    def connections(self) -> dict[str, int]:
        """Open connections by address, the scraper's included."""
        return {
            address: sum(1 for transport in pod.connections if not transport.is_closing())
            for address, pod in self._pods.items()
        }

    def answer_metrics(self, how: Metrics, *addresses: str) -> None:
        """From now on, at these addresses; at all, and at those to come, where none is named."""
        if not addresses:
            self.metrics = how
        for address in addresses or self._pods:
            self.pod(address).metrics = how

    def requests(self, path: str = "/v1/") -> dict[str, int]:
        """How often each address was asked for paths that begin so."""
        found: dict[str, int] = defaultdict(int)
        for asked in self.asked:
            if asked.path.startswith(path):
                found[asked.address] += 1
        return dict(found)

    def answers(self, address: str) -> bool:
        """Whether a replica is there."""
        return address not in self._gone

    def tick(self, now: float) -> None:
        """Everything that happens until then."""
        for tick in self.ticks:
            tick(now)
        for pod in self._pods.values():
            pod.replica.advance(now)

    async def shut_down(self, address: str, seconds: float) -> None:
        """What SIGTERM does to an engine, and SIGKILL `seconds` later."""
        pod = self.pod(address)
        pod.ending = True
        for transport, working in pod.connections.items():
            if not working:
                transport.close()
        deadline = time.monotonic() + seconds
        await ticks_until(lambda: not pod.replica.in_flight or time.monotonic() >= deadline)
        self.kill(address)

    def begin(self, address: str) -> None:
        """A new replica answers there, with counters at zero."""
        self._gone.discard(address)
        self._pods.pop(address, None)

    def kill(self, address: str) -> None:
        """End a replica at once; nothing answers there until another one begins."""
        self._gone.add(address)
        pod = self._pods.pop(address, None)
        if pod is not None:
            if pod.replica.in_flight:
                self.cut[address] = self.cut.get(address, 0) + pod.replica.in_flight
            pod.ended = True
            for transport in pod.connections:
                transport.abort()


async def ticks_until(over: Callable[[], bool]) -> None:
    """Return at the first tick at which it is over."""
    while not over():  # noqa: ASYNC110  the engines' time goes in ticks
        await asyncio.sleep(TICK_SECONDS)
