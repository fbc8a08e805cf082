"""The ports on which the activator listens, one per service that may have no replica.

Rule: what the table says is brought about one change after the other; a port that cannot be had is tried again. A port
that is given up takes no more connections, and those that there are go on to their end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

_AGAIN_SECONDS = 5.0
_BACKLOG = 1024
_END_SECONDS = 1.0
"""For answers to end once nobody waits any longer."""

logger = logging.getLogger(__name__)


class Doors:
    """Open and close ports. `wanted` gives those that shall be open; `address` None listens on every one."""

    def __init__(
        self, handler: Callable[[web.Request], object], *, wanted: Callable[[], frozenset[int]], address: str | None
    ) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            handler_cancellation=True,
            auto_decompress=False,
            shutdown_timeout=_END_SECONDS,
        )
        self._wanted = wanted
        self._address = address
        self._open: dict[int, web.TCPSite] = {}
        self._changed = asyncio.Event()

    @property
    def open(self) -> frozenset[int]:
        """The ports that are open."""
        return frozenset(self._open)

    def changed(self) -> None:
        """Other ports are wanted than before."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the right ports open for ever."""
        await self._runner.setup()
        while True:
            self._changed.clear()
            failed = await self.settle()
            try:
                await asyncio.wait_for(self._changed.wait(), _AGAIN_SECONDS if failed else None)
            except TimeoutError:
                continue

    async def settle(self) -> bool:
        """Open and close what has to be; whether a port could not be had."""
        wanted, failed = self._wanted(), False
        for port in self._open.keys() - wanted:
            await self._open.pop(port).stop()
        for port in sorted(wanted - self._open.keys()):
            site = web.TCPSite(self._runner, self._address, port, backlog=_BACKLOG)
            try:
                await site.start()
            except OSError as error:
                logger.error("port %d cannot be listened on: %s", port, error)  # noqa: TRY400 - the trace tells nothing more
                failed = True
            else:
                self._open[port] = site
        return failed

    async def shut(self) -> None:
        """Take no more connections."""
        for site in self._open.values():
            await site.stop()
        self._open.clear()

    async def end(self) -> None:
        """End every connection."""
        await self._runner.cleanup()
