"""What the operator answers over HTTP: /healthz, /readyz and /metrics, on one port without credentials.

/healthz is 200 while nothing is stale, 503 with the reason otherwise; a standby is healthy. /readyz is 200 once this
replica works or waits for its turn.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from npuserve.controller.freshness import Freshness
from npuserve.controller.metrics import CONTENT_TYPE, Metrics

logger = logging.getLogger(__name__)


class Role(StrEnum):
    """What this replica does now."""

    STARTING = "starting"
    STANDBY = "standby"
    SYNCING = "leader, reading the cluster"
    LEADER = "leader"


@dataclass(slots=True)
class Health:
    """The answers, and the server that gives them."""

    freshness: Freshness
    metrics: Metrics
    role: Role = Role.STARTING
    port: int = 0
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def start(self, address: str, port: int) -> None:
        """Listen; `port` 0 takes a free one, which is then in `self.port`. Raises OSError when it is taken."""
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        self.port = self._runner.addresses[0][1]
        logger.info("listening on port %d", self.port)

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        stale = self.freshness.stale()
        ages = "".join(f"{stream}: {age:.0f} s\n" for stream, age in sorted(self.freshness.ages().items()))
        return web.Response(status=200 if stale is None else 503, text=f"{stale or 'ok'} ({self.role})\n{ages}")

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self.role in (Role.STANDBY, Role.LEADER)
        return web.Response(status=200 if ready else 503, text=f"{self.role}\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        # Thousands of services are hundreds of milliseconds of text; the loop goes on meanwhile.
        text = await asyncio.to_thread(self.metrics.text)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
