"""The answer to one request: begun early where it streams, so that nobody takes a quiet connection for a dead one.

Rule: until the first comment is due the answer is whatever the replica says. From then on its status is 200 and it is a
stream of server-sent events: a comment every `every` seconds, and what goes wrong is an event. Every answer ends its
connection, so that the next request finds the replicas by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from aiohttp import ClientError, ClientResponse, web
from multidict import CIMultiDict

from npuserve.activator.failures import Failure, as_events, replica_lost, replica_refused, replica_silent
from npuserve.activator.headers import passed_on

T = TypeVar("T")

_EVENTS = "text/event-stream"
_STREAM = {
    "Content-Type": f"{_EVENTS}; charset=utf-8",
    "Cache-Control": "no-cache",
    # Asks nginx to send comments on as they come.
    "X-Accel-Buffering": "no",
}
_COMMENT = b": waiting for a replica\n\n"
_LONGEST_EXPLANATION = 1 << 20
"""Bytes of what a replica says at once that are put into an event."""


class Answer:
    """One answer. `every`: seconds between comments."""

    def __init__(self, request: web.Request, *, every: float, service: str, idle: float) -> None:
        self._request = request
        self._every = every
        self._service = service
        self._idle = idle
        self._begun: web.StreamResponse | None = None
        self.streams = False
        """Whether comments may be sent: the client asked for a stream of events."""

    async def during(self, work: Awaitable[T]) -> T:
        """What `work` gives; comments are sent meanwhile where the client wants a stream."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._every if self.streams else None)
                if not task.done():
                    await self._comment()
            return task.result()
        finally:
            task.cancel()

    async def fail(self, failure: Failure) -> web.StreamResponse:
        """Say why there is no answer."""
        if self._begun is None:
            return refusal(failure)
        await self._begun.write(failure.event())
        return await self._end()

    async def relay(self, upstream: ClientResponse) -> web.StreamResponse:
        """What the replica says, as it comes."""
        if self._begun is None:
            await self._begin(upstream.status, passed_on(upstream.headers), reason=upstream.reason)
        elif upstream.status != 200 or upstream.content_type != _EVENTS:
            return await self._tell(upstream)
        return await self._pipe(upstream)

    async def _pipe(self, upstream: ClientResponse) -> web.StreamResponse:
        assert self._begun is not None
        while True:
            try:
                chunk = await upstream.content.readany()
            except (ClientError, TimeoutError) as error:
                return await self._broken(upstream, error)
            if not chunk:
                return await self._end()
            await self._begun.write(chunk)

    async def _broken(self, upstream: ClientResponse, error: Exception) -> web.StreamResponse:
        """The replica broke off: an event says so, and what is no stream of events breaks off as well."""
        assert self._begun is not None
        if upstream.content_type == _EVENTS:
            silent = isinstance(error, TimeoutError)
            return await self.fail(replica_silent(self._service, self._idle) if silent else replica_lost(self._service))
        if self._request.transport is not None:
            self._request.transport.abort()
        return self._begun

    async def _tell(self, upstream: ClientResponse) -> web.StreamResponse:
        """An answer that is no stream of events, to a client that has been sent the beginning of one."""
        assert self._begun is not None
        text = bytearray()
        try:
            async for chunk in upstream.content.iter_any():
                text += chunk
                if len(text) > _LONGEST_EXPLANATION:
                    break
            content = json.loads(text)
        except (ClientError, TimeoutError, ValueError):
            content = None
        if not isinstance(content, dict) or (upstream.status >= 400 and "error" not in content):
            return await self.fail(replica_refused(self._service, upstream.status))
        await self._begun.write(as_events(content))
        return await self._end()

    async def _comment(self) -> None:
        if self._begun is None:
            await self._begin(200, CIMultiDict(_STREAM), reason=None)
        assert self._begun is not None
        await self._begun.write(_COMMENT)

    async def _begin(self, status: int, headers: Mapping[str, str], *, reason: str | None) -> None:
        self._begun = web.StreamResponse(status=status, reason=reason, headers=headers)
        self._begun.force_close()
        await self._begun.prepare(self._request)

    async def _end(self) -> web.StreamResponse:
        assert self._begun is not None
        await self._begun.write_eof()
        return self._begun


def refusal(failure: Failure) -> web.Response:
    """A failure as an answer of its own."""
    again = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return answer(failure.body(), status=failure.status, headers=again)


def answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON, after which the connection ends."""
    found = web.Response(body=body, status=status, headers=headers, content_type="application/json")
    found.force_close()
    return found
