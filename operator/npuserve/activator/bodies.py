"""The body of a request, bounded: kept while the request waits, streamed where a replica answers.

Rule: no body is longer than the limit, all that are kept together are no larger than the memory for them, and those of
one service no larger than half of it, so that no tenant can fill it for the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from aiohttp import web

from npuserve.activator.failures import Refused, body_too_large, memory_full


class Memory:
    """Bytes of bodies that are kept, and how many may be: `limit` in all, half of it for one service."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._of_one = limit // 2
        self._used: Counter[str] = Counter()

    @property
    def used(self) -> int:
        """Bytes that are kept now."""
        return self._used.total()

    @contextmanager
    def share(self, service: str) -> Iterator[Share]:
        """What one request of a service takes of it, given back at the end."""
        share = Share(self, service)
        try:
            yield share
        finally:
            self._used[service] -= share.taken
            if not self._used[service]:
                del self._used[service]

    def take(self, service: str, amount: int) -> bool:
        """Whether there was room for so many bytes more."""
        fits = self.used + amount <= self._limit and self._used[service] + amount <= self._of_one
        self._used[service] += amount if fits else 0
        return fits


class Share:
    """What one request took of the memory."""

    def __init__(self, memory: Memory, service: str) -> None:
        self._memory = memory
        self._service = service
        self.taken = 0

    def take(self, amount: int) -> bool:
        """Whether there was room for so many bytes more."""
        fits = self._memory.take(self._service, amount)
        self.taken += amount if fits else 0
        return fits


class Streamed:
    """A body on its way; `exceeded` once it turned out too long."""

    def __init__(self, request: web.Request, limit: int) -> None:
        self._request = request
        self._limit = limit
        self.exceeded = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in self._request.content.iter_any():
            sent += len(chunk)
            if sent > self._limit:
                self.exceeded = True
                raise Refused(body_too_large(self._limit))
            yield chunk


async def keep(request: web.Request, limit: int, *, share: Share, service: str) -> bytes:
    """The whole body; raises Refused where it is too long or finds no room."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        if len(body) + len(chunk) > limit:
            raise Refused(body_too_large(limit))
        if not share.take(len(chunk)):
            raise Refused(memory_full(service))
        body += chunk
    return bytes(body)
