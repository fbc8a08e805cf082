"""The workers: take a service, do a pass, see what it waits for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from npuserve.controller.answers import ApiError, Unreachable
from npuserve.controller.children import Moved
from npuserve.controller.freshness import Freshness
from npuserve.controller.loop import LOOK_AGAIN_SECONDS, After, Passed
from npuserve.controller.metrics import Metrics
from npuserve.controller.queue import Lane, Queue
from npuserve.controller.resources import BadName
from npuserve.controller.store import News, Store

logger = logging.getLogger(__name__)


class Pass(Protocol):
    """One pass over a service."""

    def __call__(self, key: str) -> Awaitable[Passed]: ...


class Work:
    """Everything between a piece of news and a finished pass. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        reconcile: Pass,
        *,
        queue: Queue,
        store: Store,
        metrics: Metrics,
        freshness: Freshness,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reconcile = reconcile
        self._queue = queue
        self._store = store
        self._metrics = metrics
        self._freshness = freshness
        self._clock = clock
        self._for_nodes: set[str] = set()

    def tell(self, news: News) -> None:
        """Take in what a watch showed."""
        self._add(news.key, Lane.FRESH if news.fresh else Lane.KNOWN)

    def nodes_changed(self) -> None:
        """Look again at services that could not be planned for the nodes there were."""
        for key in tuple(self._for_nodes):
            self._add(key, Lane.KNOWN)

    def rescaled(self, key: str) -> None:
        """The autoscaler has another number for the service: that is as urgent as an edit."""
        self._add(key, Lane.FRESH)

    def look_at(self, key: str) -> None:
        """Something outside the store changed for the service."""
        self._add(key, Lane.KNOWN)

    def look_at_uid(self, uid: str) -> None:
        """Something outside the store changed for the service with this UID."""
        key = self._store.key_of(uid)
        if key is not None:
            self._add(key, Lane.KNOWN)

    async def run(self, workers: int) -> None:
        """Work for ever, on so many services at once."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(workers):
                tasks.create_task(self._work())

    def _add(self, key: str, lane: Lane) -> None:
        self._freshness.work_arrived()
        self._queue.add(key, lane)

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            began = self._clock()
            self._store.begin(key)
            passed = await self._attempt(key)
            news = self._store.end(key)
            if news is not None:
                self.tell(news)
            self._settle(key, passed)
            self._metrics.passed(passed.result, self._clock() - began)
            self._freshness.worked(self._queue.left())

    async def _attempt(self, key: str) -> Passed:
        try:
            return await self._reconcile(key)
        except (ApiError, Unreachable, Moved, BadName) as error:
            logger.warning("a pass is repeated later: %s", error, extra={"service": key})
        except Exception:
            logger.exception("a pass failed", extra={"service": key})
        return Passed("failed", After.LUCK)

    def _settle(self, key: str, passed: Passed) -> None:
        (self._for_nodes.add if passed.after is After.NODES else self._for_nodes.discard)(key)
        match passed.after:
            case After.NOTHING | After.NODES:
                self._queue.done(key)
            case After.WORDS:
                self._queue.add(key, Lane.UNSAID)
                self._queue.done(key)
            case After.TIME:
                self._queue.later(key, LOOK_AGAIN_SECONDS)
            case After.LUCK:
                self._queue.failed(key)
        if passed.result == "gone":
            self._metrics.forget(key)
        elif passed.conditions:
            self._metrics.conditions(key, passed.conditions)
