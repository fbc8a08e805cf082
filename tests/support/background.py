"""An event loop in a thread of its own, beside a test that waits and asks in plain calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
ANSWER_SECONDS = 60.0


class Background:
    """A running loop for the length of a `with` block; what still runs at its end is cancelled."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin in the loop and return at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], *, within: float = ANSWER_SECONDS) -> T:
        """The result of something done in the loop."""
        return self.start(work).result(within)

    def call(self, ask: Callable[[], T]) -> T:
        """The result of a plain call made in the loop, where nothing else happens meanwhile."""

        async def called() -> T:
            return ask()

        return self.run(called())


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
