"""One server that plays the engine in every pod: which replica is asked is told by the address that the client dialled.

It answers the OpenAI API and the metrics page, and remembers who was asked for what. As with a real engine, one that is
shut down ends its idle connections, finishes what it has within its time, and cuts off the rest.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.support.engine_page import Instruments, mindie, vllm
from tests.support.engine_replica import Replica, Request, Speed

PORTS = {8000: vllm, 1025: mindie, 1026: mindie, 1027: mindie}
"""Where engines listen; the port tells which engine it is."""
MODEL = "Qwen3-8B"
TICK_SECONDS = 0.05
SLOW_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 60.0

Metrics = Literal["normal", "slow", "error", "cut"]
"""How the metrics page is answered: as it is, after SLOW_SECONDS, with 500, or by closing the connection."""


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


_Handler = Callable[[web.Request, Pod, Asked], Awaitable[web.StreamResponse]]


class Engines:
    """All replicas there are. Everything but `serve` is called in the loop that serves."""

    def __init__(self, *, model: str = MODEL, speed: Speed | None = None) -> None:
        self.model = model
        self.speed = speed or Speed()
        self.metrics: Metrics = "normal"
        """For addresses that have none of their own."""
        self.asked: list[Asked] = []
        self.cut: list[Asked] = []
        """Requests that were taken and ended without an answer because their replica did."""
        self.missed: list[Asked] = []
        """Requests to addresses where no replica is any more."""
        self._gone: set[str] = set()
        self.ticks: list[Callable[[float], None]] = []
        """Called at every tick with its time."""
        self._pods: dict[str, Pod] = {}

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

    async def shut_down(self, address: str, seconds: float) -> None:
        """What SIGTERM does to an engine, and SIGKILL `seconds` later."""
        pod = self.pod(address)
        pod.ending = True
        for transport, working in pod.connections.items():
            if not working:
                transport.close()
        deadline = time.monotonic() + seconds
        await _ticks_until(lambda: not pod.replica.in_flight or time.monotonic() >= deadline)
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
            pod.ended = True
            for transport in pod.connections:
                transport.abort()

    @asynccontextmanager
    async def serve(self, ports: tuple[int, ...] = tuple(PORTS)) -> AsyncIterator[None]:
        """Answer at every address of this network."""
        app = web.Application()
        app.router.add_get("/metrics", self._noted(self._metrics))
        app.router.add_get("/health", self._noted(_healthy))
        app.router.add_get("/v1/models", self._noted(self._models))
        app.router.add_post("/v1/chat/completions", self._noted(self._complete))
        runner = web.AppRunner(app, keepalive_timeout=KEEP_ALIVE_SECONDS, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        for port in ports:
            await web.TCPSite(runner, "0.0.0.0", port, reuse_address=True).start()
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            await runner.cleanup()

    async def _tick(self) -> None:
        while True:
            now = time.monotonic()
            for tick in self.ticks:
                tick(now)
            for pod in self._pods.values():
                pod.replica.advance(now)
            await asyncio.sleep(TICK_SECONDS)

    def _noted(self, handler: _Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of a path, told which pod was asked."""

        async def answered(request: web.Request) -> web.StreamResponse:
            transport = request.transport
            if transport is None:
                raise web.HTTPServiceUnavailable
            address, port = transport.get_extra_info("sockname")[:2]
            note = Asked(time.monotonic(), address, request.path, transport.get_extra_info("peername")[:2])
            if address in self._gone:
                self.missed.append(note)
                transport.abort()
                raise web.HTTPServiceUnavailable
            self.asked.append(note)
            pod = self.pod(address, port)
            with _counted(pod, transport):
                answer = await handler(request, pod, note)
            if pod.ending:
                answer.force_close()
            return answer

        return answered

    async def _metrics(self, request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
        if pod.metrics == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if pod.metrics == "error":
            return web.Response(status=500, text="Internal Server Error")
        if pod.metrics == "cut" and request.transport is not None:
            request.transport.abort()
        return web.Response(body=pod.replica.page(), content_type="text/plain")

    async def _models(self, request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": self.model, "object": "model"}]})

    async def _complete(self, request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
        body = await request.json()
        if body.get("model") != self.model:
            missing = f"The model `{body.get('model')}` does not exist."
            return web.json_response({"error": {"message": missing, "code": 404}}, status=404)
        prompt = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
        work = Request(max(1, prompt), int(body.get("max_tokens") or 16), time.monotonic())
        pod.replica.add(work)
        try:
            if body.get("stream"):
                return await self._stream(request, pod, work)
            await _ticks_until(lambda: bool(work.ended) or _over(request, pod))
            return web.json_response(self._whole(work))
        finally:
            if pod.ended and work.ended != "stop":
                self.cut.append(note)
            pod.replica.abandon(work)

    async def _stream(self, request: web.Request, pod: Pod, work: Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        if pod.ending:
            answer.force_close()
        await answer.prepare(request)
        sent = 0
        while not _over(request, pod):
            while sent < work.tokens:
                sent += 1
                await answer.write(b"data: " + json.dumps(self._chunk({"content": f" {sent}"})).encode() + b"\n\n")
            if work.ended:
                break
            await asyncio.sleep(TICK_SECONDS)
        await answer.write(b"data: " + json.dumps(self._chunk({}, ended="stop")).encode() + b"\n\n")
        await answer.write(b"data: [DONE]\n\n")
        await answer.write_eof()
        return answer

    def _chunk(self, delta: dict[str, str], *, ended: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": ended}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self.model, "choices": [choice]}

    def _whole(self, work: Request) -> dict[str, Any]:
        text = "".join(f" {number + 1}" for number in range(work.tokens))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": work.prompt, "completion_tokens": work.tokens}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": self.model,
            "choices": [choice],
            "usage": usage,
        }


@contextmanager
def _counted(pod: Pod, transport: asyncio.Transport) -> Iterator[None]:
    """The connection has one more request in work."""
    pod.connections[transport] = pod.connections.get(transport, 0) + 1
    try:
        yield
    finally:
        pod.connections[transport] -= 1
        if transport.is_closing():
            pod.connections.pop(transport, None)


async def _ticks_until(over: Callable[[], bool]) -> None:
    while not over():  # noqa: ASYNC110  the engine's time goes in ticks
        await asyncio.sleep(TICK_SECONDS)


def _over(request: web.Request, pod: Pod) -> bool:
    """Whether nobody works on the request or waits for it any more."""
    return pod.ended or request.transport is None or request.transport.is_closing()


async def _healthy(request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
    return web.Response()
