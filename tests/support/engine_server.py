"""One server that plays the engine in every pod: which replica is asked is told by the address that the client dialled.

It answers the OpenAI API and the metrics page as vLLM and MindIE do.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from tests.support.engine_replica import Request
from tests.support.engines import PORTS, TICK_SECONDS, Asked, Engines, Pod, ticks_until

SLOW_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 60.0

_Handler = Callable[[web.Request, Pod, Asked], Awaitable[web.StreamResponse]]


class EngineServer:
    """Answers for these engines at every address of this network."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

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
            self._engines.tick(time.monotonic())
            await asyncio.sleep(TICK_SECONDS)

    def _noted(self, handler: _Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of a path, told which pod was asked."""

        async def answered(request: web.Request) -> web.StreamResponse:
            transport = request.transport
            if transport is None:
                raise web.HTTPServiceUnavailable
            address, port = transport.get_extra_info("sockname")[:2]
            note = Asked(time.monotonic(), address, request.path, transport.get_extra_info("peername")[:2])
            pod = self._engines.pod(address, port) if self._engines.answers(address) else None
            if pod is None or (pod.ending and transport not in pod.connections):
                # A real engine that has ended, or is ending, refuses the connection.
                self._engines.missed.append(note)
                transport.abort()
                raise web.HTTPServiceUnavailable
            self._engines.asked.append(note)
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
        return web.json_response({"object": "list", "data": [{"id": self._engines.model, "object": "model"}]})

    async def _complete(self, request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
        body = await request.json()
        if body.get("model") != self._engines.model:
            missing = f"The model `{body.get('model')}` does not exist."
            return web.json_response({"error": {"message": missing, "code": 404}}, status=404)
        prompt = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
        work = Request(max(1, prompt), int(body.get("max_tokens") or 16), time.monotonic())
        pod.replica.add(work)
        try:
            if body.get("stream"):
                return await self._stream(request, pod, work)
            await ticks_until(lambda: bool(work.ended) or _over(request, pod))
            return web.json_response(self._whole(work))
        finally:
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
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": self._engines.model,
            "choices": [choice],
        }

    def _whole(self, work: Request) -> dict[str, Any]:
        text = "".join(f" {number + 1}" for number in range(work.tokens))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": work.prompt, "completion_tokens": work.tokens}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": self._engines.model,
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


def _over(request: web.Request, pod: Pod) -> bool:
    """Whether nobody works on the request or waits for it any more."""
    return pod.ended or request.transport is None or request.transport.is_closing()


async def _healthy(request: web.Request, pod: Pod, note: Asked) -> web.StreamResponse:
    return web.Response()
