"""The server that plays recordings behind all pods' addresses, and remembers when each was asked."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from zlib import crc32

from aiohttp import web

from tests.bench.scraping.recording import Recording

PORT = 8000
SPREAD = 120
"""Seconds by which the lives of replicas differ."""


@dataclass(slots=True)
class Player:
    """Two recordings: most addresses play `steady`, each from a second of its own, and some `stepped`."""

    steady: Recording
    stepped: Recording
    began: float | None = None
    """When the recordings start to run, seconds of `time.monotonic`; before that all show their beginning."""
    stepping: frozenset[str] = frozenset()
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @asynccontextmanager
    async def play(self) -> AsyncIterator[None]:
        """Answer at every address of this network."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=75)
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", PORT, backlog=2048).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        address, now = request.transport.get_extra_info("sockname")[0], time.monotonic()
        self.asked[address].append(now)
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {"Content-Encoding": "gzip"} if packed else {}
        body = self._page(address, now, packed=packed)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8", **headers})

    def _page(self, address: str, now: float, *, packed: bool) -> bytes:
        elapsed = 0.0 if self.began is None else now - self.began
        if address in self.stepping:
            return self.stepped.at(elapsed, packed=packed)
        return self.steady.at(elapsed + crc32(address.encode()) % SPREAD, packed=packed)


def lateness(asked: Mapping[str, list[float]], every: float, *, since: float, until: float) -> list[float]:
    """By how many seconds each question came later, or earlier, than `every` seconds after the one before; sorted."""
    found = []
    for times in asked.values():
        within = [at for at in times if since <= at <= until]
        found += [abs(later - earlier - every) for earlier, later in itertools.pairwise(within)]
    return sorted(found)
