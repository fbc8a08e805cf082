"""The activator's process: hear of services, listen for them, hold requests, stop.

Rule: it is ready once it has heard of every service and listens for each. At SIGTERM it is not ready any more, takes
connections for as long as others may not know that yet, and then no more; who waits goes on waiting, up to the limit.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import signal
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from npuserve.activator.desk import Desk, Limits
from npuserve.activator.doors import Doors
from npuserve.activator.metrics import CONTENT_TYPE, Metrics
from npuserve.activator.passing import Sender, client
from npuserve.activator.slices import NoLogin, Slices, log_in
from npuserve.activator.table import Table
from npuserve.logs import set_up_logging

STALE_SECONDS = 180.0
_LOOK_SECONDS = 0.1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setting:
    """How the process is set up: where services are (empty: everywhere), where it listens, and its limits.

    `linger` seconds pass between SIGTERM and the last connection that is taken, `stop` seconds until nobody waits.
    """

    namespace: str
    address: str | None
    http_port: int
    limits: Limits
    linger: float
    stop: float
    log_level: str = "INFO"
    log_format: str = "json"


def run(setting: Setting) -> int:
    """Run until told to stop; the exit code: 0 after a signal, 1 when it cannot go on."""
    set_up_logging(setting.log_level, setting.log_format)
    # Every port and every request that waits is an open file, and some systems begin with 1,024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        return asyncio.run(Activator(setting).run())
    except (NoLogin, OSError) as error:
        logger.critical("the activator cannot start: %s", error)
        return 1


class Activator:
    """One run."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._table = Table(changed=lambda: self._doors.changed())  # noqa: PLW0108 - made below
        self._stopping = asyncio.Event()
        self._heard = time.monotonic()
        self._open = False
        self._doors: Doors
        self._slices: Slices

    async def run(self) -> int:
        """Everything between the first probe and the last."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        limits = self._setting.limits
        async with await log_in() as api, client(limits.idle) as session:
            desk = Desk(self._table, Sender(session, limit=limits.body, idle=limits.idle), limits)
            self._doors = Doors(desk.answer, wanted=self._table.ports, address=self._setting.address)
            self._slices = Slices(api, self._table, namespace=self._setting.namespace, heard=self._note)
            metrics = Metrics(self._table, kept=lambda: desk.kept, present=lambda: desk.present)
            health = await self._health(metrics)
            working = [asyncio.create_task(self._slices.follow()), asyncio.create_task(self._doors.run())]
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
            code = await self._stop(desk, working)
            await health.cleanup()
        return code

    async def _stop(self, desk: Desk, working: list[asyncio.Task[Any]]) -> int:
        """Let who is here be answered, and end."""
        if not self._stopping.is_set():
            for task in working:
                if task.done() and task.exception() is not None:
                    logger.critical("the activator cannot go on", exc_info=task.exception())
            return 1
        logger.info("stopping, %d requests are under way", desk.present)
        await asyncio.sleep(self._setting.linger)
        following, opening = working
        opening.cancel()
        await self._doors.shut()
        end = time.monotonic() + self._setting.stop
        while desk.present and time.monotonic() < end:  # noqa: ASYNC110 - requests end in many places
            await asyncio.sleep(_LOOK_SECONDS)
        for line in self._table.lines():
            line.end()
        following.cancel()
        await self._doors.end()
        return 0

    def _note(self) -> None:
        self._heard = time.monotonic()

    async def _health(self, metrics: Metrics) -> web.AppRunner:
        """/healthz, /readyz and /metrics on a port of their own."""

        async def healthz(_: web.Request) -> web.Response:
            age = time.monotonic() - self._heard
            return web.Response(status=200 if age < STALE_SECONDS else 503, text=f"endpointslices: {age:.0f} s\n")

        async def readyz(_: web.Request) -> web.Response:
            wanted, listening = self._table.ports(), self._doors.open
            self._open |= self._slices.listed.is_set() and wanted <= listening
            told = {"services": len(wanted), "listening": len(listening), "stopping": self._stopping.is_set()}
            ready = self._open and not self._stopping.is_set()
            return web.Response(status=200 if ready else 503, text=f"{json.dumps(told)}\n")

        async def numbers(_: web.Request) -> web.Response:
            return web.Response(body=await asyncio.to_thread(metrics.text), headers={"Content-Type": CONTENT_TYPE})

        app = web.Application()
        app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", numbers)])
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, self._setting.address, self._setting.http_port).start()
        logger.info("listening on port %d", runner.addresses[0][1])
        return runner
