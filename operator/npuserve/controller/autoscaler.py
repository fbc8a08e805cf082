"""The autoscaler as a whole: what it hears, what it asks, and the loop that decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import ClientSession

from npuserve.configuration import Configuration
from npuserve.controller.activation import Activation
from npuserve.controller.activators import queued
from npuserve.controller.capacity import Capacity
from npuserve.controller.freshness import Freshness
from npuserve.controller.held import Holding
from npuserve.controller.kube import Kube
from npuserve.controller.limits import Limits
from npuserve.controller.meter import Meter
from npuserve.controller.number import Numbers
from npuserve.controller.rivals import Rivals
from npuserve.controller.scaling import Scaling, steady
from npuserve.controller.scaling_metrics import ScalingMetrics
from npuserve.controller.scrape import Scraper
from npuserve.controller.store import Store


class Autoscaler:
    """Its parts, put together.

    `http` asks replicas and the activator and holds no credentials; `look_at` and `rescaled` are called with the key of a
    service of which there is something new to say, or whose number changed.
    """

    def __init__(
        self,
        kube: Kube,
        store: Store,
        capacity: Capacity,
        *,
        configuration: Configuration,
        activation: Activation,
        http: ClientSession,
        metrics: ScalingMetrics,
        look_at: Callable[[str], None],
        rescaled: Callable[[str], None],
    ) -> None:
        self._kube = kube
        self._asks_activator = configuration.activator.enabled
        self._limits = Limits()
        self._rivals = Rivals(store, tell=look_at)
        scraper, clock = Scraper(http, metrics.unreadable), steady()
        self._scaling = Scaling(
            kube,
            capacity,
            self._limits,
            meter=lambda: Meter(scraper, clock=clock),
            held=lambda key: self._holding.of(key),  # noqa: PLW0108 - it is made below
            metrics=metrics,
            changed=rescaled,
            said=look_at,
            clock=clock,
        )
        self._holding = Holding(lambda: queued(http, activation.metrics()), began=self._scaling.look_now)
        self.numbers = Numbers(configuration, self._scaling, self._rivals)

    def hear(
        self, tasks: asyncio.TaskGroup, *, namespace: str, freshness: Freshness
    ) -> tuple[asyncio.Event, asyncio.Event]:
        """Begin to follow what limits services and who else scales them; the events are set once that was read."""
        rivals, limits = asyncio.Event(), asyncio.Event()
        for follow, listed in ((self._rivals.follow, rivals), (self._limits.follow, limits)):
            tasks.create_task(follow(self._kube, namespace=namespace, freshness=freshness, listed=listed))
        return rivals, limits

    def begin(self, tasks: asyncio.TaskGroup, *, freshness: Freshness) -> None:
        """Begin to decide."""
        tasks.create_task(self._scaling.run(heard=lambda: freshness.heard("the autoscaler")))
        if self._asks_activator:
            tasks.create_task(self._holding.follow())
