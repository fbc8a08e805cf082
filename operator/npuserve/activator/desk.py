"""What becomes of a request: passed on where a replica answers, else held until one does.

    port ──► service ──► a replica answers? ── yes ──► passed on, its body as it comes
                                  └─ no ──► place in the line ──► body kept ──► a replica answers ──► passed on
                                                 └─ 429              └─ 413           └─ 503 when it took too long

Rule: questions that need no replica wake none. A client that goes away takes its place in the line with it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import ClientResponse, web

from npuserve.activator.answer import Answer, answer, refusal
from npuserve.activator.asked import Asked, Question, models_answer, question_of, read_asked
from npuserve.activator.bodies import Memory, Share, keep
from npuserve.activator.failures import (
    Refused,
    body_too_large,
    no_upgrade,
    not_started,
    unknown_model,
    unknown_port,
    waited_too_long,
)
from npuserve.activator.line import Line, Replica
from npuserve.activator.passing import NotTaken, Sender
from npuserve.activator.table import Table

AGAIN_SECONDS = 0.25
"""Between two attempts to reach a replica that does not take connections yet."""
_GONE = 499
"""The status by which proxies tell of clients that did not wait for the end."""
_PARSED_BESIDE = 1 << 20
"""Bodies of more bytes are read in a thread."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one body, bytes of all bodies that are kept, seconds between two comments on a stream that waits, and
    seconds for which a replica may be silent."""

    body: int = 32 << 20
    kept: int = 256 << 20
    comment: float = 10.0
    idle: float = 3600.0


class Desk:
    """Answers requests. `memory` is shared by all services."""

    def __init__(self, table: Table, sender: Sender, limits: Limits) -> None:
        self._table = table
        self._sender = sender
        self._limits = limits
        self._memory = Memory(limits.kept)
        self.present = 0
        """Requests that are not answered to the end."""

    @property
    def kept(self) -> int:
        """Bytes of bodies that wait."""
        return self._memory.used

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request on any port."""
        port = (request.get_extra_info("sockname") or ("", 0))[1]
        line = self._table.at(port)
        if line is None:
            return refusal(unknown_port())
        reply = Answer(request, every=self._limits.comment, service=line.name, idle=self._limits.idle)
        self.present += 1
        try:
            return await self._counted(request, line, reply)
        except ConnectionResetError:
            # The client went away while something was written to it.
            line.answered[_GONE] += 1
            return web.Response(status=_GONE)
        finally:
            self.present -= 1

    async def _counted(self, request: web.Request, line: Line, reply: Answer) -> web.StreamResponse:
        try:
            found = await self._answer(request, line, reply)
        except Refused as refused:
            line.answered[refused.failure.status] += 1
            return await reply.fail(refused.failure)
        line.answered[found.status] += 1
        return found

    async def _answer(self, request: web.Request, line: Line, reply: Answer) -> web.StreamResponse:
        question = question_of(request.method, request.path, upgrade=_is_websocket(request))
        if question is Question.UPGRADE:
            raise Refused(no_upgrade())
        own = None if line.replicas or question is None else _own_answer(question, line, request.path)
        if own is not None:
            return own
        if (request.content_length or 0) > self._limits.body:
            raise Refused(body_too_large(self._limits.body))
        line.arrived += 1
        if line.replicas:
            try:
                return await self._pass_on(request, line, reply)
            except NotTaken:
                pass
        return await self._hold(request, line, reply)

    async def _pass_on(self, request: web.Request, line: Line, reply: Answer) -> web.StreamResponse:
        """To a replica at once."""
        replica = line.best()
        with line.given_to(replica):
            return await _relay(await self._sender.stream(request, line, replica), reply)

    async def _hold(self, request: web.Request, line: Line, reply: Answer) -> web.StreamResponse:
        """To a replica as soon as one takes it."""
        seconds = line.activation.holding.seconds
        end = asyncio.get_running_loop().time() + seconds
        with self._memory.share(line.activation.service.uid) as share:
            body, replica = await self._wait(request, line, reply, share=share, end=end)
            while True:
                with line.given_to(replica):
                    try:
                        sent = self._sender.deliver(request, line, replica, body=body, plain=reply.streams)
                        return await _relay(await reply.during(sent), reply)
                    except NotTaken:
                        pass
                replica = await self._wait_again(line, reply, end=end)

    async def _wait(
        self, request: web.Request, line: Line, reply: Answer, *, share: Share, end: float
    ) -> tuple[bytes, Replica]:
        """The body, kept, and a replica that answers."""
        with line.place():
            try:
                async with asyncio.timeout_at(end):
                    body = await keep(request, self._limits.body, share=share, service=line.name)
                    asked = await _read(body)
                    served = line.activation.holding.model
                    if served and asked.model and asked.model != served:
                        raise Refused(unknown_model(asked.model, served))
                    reply.streams = asked.streams
                    return body, await reply.during(line.replica())
            except TimeoutError:
                raise Refused(waited_too_long(line.name, line.activation.holding.seconds)) from None

    async def _wait_again(self, line: Line, reply: Answer, *, end: float) -> Replica:
        """A replica, after one took no connection."""
        with line.place(again=True):
            try:
                async with asyncio.timeout_at(end):
                    await reply.during(asyncio.sleep(AGAIN_SECONDS))
                    return await reply.during(line.replica())
            except TimeoutError:
                raise Refused(waited_too_long(line.name, line.activation.holding.seconds)) from None


async def _relay(upstream: ClientResponse, reply: Answer) -> web.StreamResponse:
    try:
        return await reply.relay(upstream)
    finally:
        upstream.close()


def _is_websocket(request: web.Request) -> bool:
    """Other protocols are offers, which a server may pass over: some clients offer HTTP/2 with every request."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


async def _read(body: bytes) -> Asked:
    return read_asked(body) if len(body) <= _PARSED_BESIDE else await asyncio.to_thread(read_asked, body)


def _own_answer(question: Question, line: Line, path: str) -> web.Response | None:
    """The answer to what needs no replica; None where only a replica knows."""
    served = line.activation.holding.model
    match question:
        case Question.HEALTH:
            return web.Response()
        case Question.METRICS:
            return refusal(not_started(line.name))
        case Question.MODELS if served:
            found = models_answer(served, path)
            return refusal(unknown_model(path.rpartition("/")[2], served)) if found is None else answer(found)
    return None
