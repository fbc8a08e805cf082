"""The body of a request, bounded: kept while the request waits, streamed where a replica answers.

Rule: no body is longer than the limit, and all that are kept together no larger than the memory for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from aiohttp import web

from npuserve.activator.failures import Refused, body_too_large, memory_full


class Memory:
    """Bytes of bodies that are kept, and how many may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A share of it, given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.used -= share.taken

    def take(self, amount: int) -> bool:
        """Whether there was room for so many bytes more."""
        fits = self.used + amount <= self._limit
        self.used += amount if fits else 0
        return fits


class Share:
    """What one request took of the memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.taken = 0

    def take(self, amount: int) -> bool:
        fits = self._memory.take(amount)
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
