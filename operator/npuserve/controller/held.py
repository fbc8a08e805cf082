"""How many requests are held in front of services, asked of the activator again and again.

Rule: a service that requests begin to wait for is looked at then, and not at its next turn: its first replica is what
they wait for. Where the activator is not enabled nobody is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

ASK_SECONDS = 1.0

Held = Mapping[tuple[str, str], int]
"""Requests by namespace and name of a service."""

logger = logging.getLogger(__name__)


class Holding:
    """The last answer. `began` is called with the key of each service that requests begin to wait for."""

    def __init__(self, ask: Callable[[], Awaitable[Held]], *, began: Callable[[str], None]) -> None:
        self._ask = ask
        self._began = began
        self._held: dict[str, int] = {}

    def of(self, key: str) -> int:
        """Requests that are held for a service."""
        return self._held.get(key, 0)

    async def follow(self) -> None:
        """Ask for ever. An answer that does not come leaves the last one, for requests do not vanish with it."""
        while True:
            try:
                await self.ask()
            except Exception:
                logger.exception("nobody tells how many requests are held")
            await asyncio.sleep(ASK_SECONDS)

    async def ask(self) -> None:
        """Ask once."""
        found = {f"{namespace}/{name}": count for (namespace, name), count in (await self._ask()).items() if count}
        before, self._held = self._held, found
        for key in found.keys() - before.keys():
            self._began(key)
