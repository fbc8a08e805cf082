"""An activator on real ports with a service, and replicas of it that are real HTTP servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector, web

from npuserve.activator.desk import Desk, Limits
from npuserve.activator.doors import Doors
from npuserve.activator.line import Line
from npuserve.activator.metrics import Metrics
from npuserve.activator.passing import Sender, client
from npuserve.activator.table import Table
from npuserve.plan.activation import Holding
from npuserve.render import labels
from npuserve.render.activation import activation_slice
from npuserve.render.owner import Owner
from tests.cluster import ports

HOST = "127.0.0.1"
CHAT = "/v1/chat/completions"
OWNER = Owner("chat", "team-a", "uid-chat")
LIMITS = Limits(body=1 << 20, kept=4 << 20, comment=0.2, idle=5.0)

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Replica:
    """A server in place of an engine; `got` is every request that it saw, with its body where it `reads` it first."""

    port: int
    serve: Serve | None = None
    reads: bool = True
    got: list[tuple[web.Request, bytes]] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, backlog=1024).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read() if self.reads else b""
        self.got.append((request, body))
        return await (self.serve or speak)(request)


async def speak(request: web.Request) -> web.StreamResponse:
    """Three tokens as an engine sends them, or all at once."""
    asked = json.loads(await request.read() or b"{}")
    if not asked.get("stream"):
        return web.json_response({"choices": [{"message": {"content": "one two three"}}]})
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await answer.prepare(request)
    for word in ("one", "two", "three"):
        await answer.write(event({"choices": [{"delta": {"content": word}}]}))
    await answer.write(b"data: [DONE]\n\n")
    await answer.write_eof()
    return answer


def event(content: Any) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()


@dataclass
class House:
    """The activator as its parts; `port` is the service's."""

    table: Table
    desk: Desk
    doors: Doors
    metrics: Metrics
    session: ClientSession
    port: int

    @property
    def line(self) -> Line:
        found = self.table.at(self.port)
        assert found is not None
        return found

    def answers(self, *replicas: Replica) -> None:
        """These replicas are ready now, as the cluster says."""
        self.table.put(pods_slice({replica.port: True for replica in replicas}))

    def ask(self, path: str = CHAT, **body: Any) -> Awaitable[ClientResponse]:
        """A request with a JSON body."""
        return self.session.post(f"http://{HOST}:{self.port}{path}", json={"model": "qwen", **body})

    def get(self, path: str) -> Awaitable[ClientResponse]:
        return self.session.get(f"http://{HOST}:{self.port}{path}")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when something has become true; raises TimeoutError after ten seconds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)


def own_slice(port: int, holding: Holding, owner: Owner = OWNER) -> dict[str, Any]:
    """The operator's slice as the API server stores it."""
    made = activation_slice(owner, "vllm-ascend", port=port, holding=holding, family="IPv4", addresses=["10.0.0.1"])
    made["metadata"]["uid"] = f"slice-of-{owner.uid}"
    return made


def pods_slice(ready: dict[int, bool], owner: Owner = OWNER) -> dict[str, Any]:
    """The slices of the Service's pods, whose ports differ here as their addresses do elsewhere.

    One slice has one port, so a second replica would be in another; the reader takes all of a slice under its port.
    """
    (port,) = ready or {1: False}
    marks = {labels.SERVICE_UID: owner.uid, labels.SLICE_MANAGER: labels.SLICES_OF_PODS}
    return {
        "metadata": {"uid": f"slice-of-pods-{owner.uid}", "namespace": owner.namespace, "labels": marks},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [HOST], "conditions": {"ready": ready[port]}}] if ready else [],
        "ports": [{"name": "http", "port": port}],
    }


@asynccontextmanager
async def house(
    *, requests: int = 1000, seconds: int = 30, model: str = "qwen", limits: Limits = LIMITS
) -> AsyncIterator[House]:
    """An activator with one service, which has no replica yet."""
    (port,) = ports.free(1)
    table = Table(changed=lambda: doors.changed())  # noqa: PLW0108 - made below
    async with (
        client(limits.idle) as outward,
        ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=60)) as session,
    ):
        desk = Desk(table, Sender(outward, limit=limits.body, idle=limits.idle), limits)
        doors = Doors(desk.answer, wanted=table.ports, address=HOST)
        running = asyncio.create_task(doors.run())
        metrics = Metrics(table, kept=lambda: desk.kept, present=lambda: desk.present)
        built = House(table, desk, doors, metrics, session, port)
        table.put(own_slice(port, Holding(requests, seconds, model)))
        await built.until(lambda: port in doors.open)
        try:
            yield built
        finally:
            running.cancel()
            await doors.end()


@asynccontextmanager
async def replica(serve: Serve | None = None, *, started: bool = True) -> AsyncIterator[Replica]:
    """A replica that answers as `serve` does."""
    (port,) = ports.free(1)
    made = Replica(port, serve)
    if started:
        await made.start()
    try:
        yield made
    finally:
        await made.stop()
