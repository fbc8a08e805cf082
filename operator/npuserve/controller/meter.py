"""What the replicas of one service do: their metrics asked for, and counted since they were asked before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from npuserve.autoscale.counting import Counting
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.page import Page
from npuserve.autoscale.profile import EngineProfile
from npuserve.controller.scrape import Scraper, Target
from npuserve.engines import find
from npuserve.plan.plan import Plan
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.step import Read


class Meter:
    """Reads a service; `clock` tells when the pages came."""

    def __init__(self, scraper: Scraper, *, clock: Callable[[], float]) -> None:
        self._scraper = scraper
        self._clock = clock
        self._counting: Counting | None = None

    async def read(
        self, pods: Sequence[ReplicaPod], plan: Plan, *, profile: EngineProfile, objectives: Objectives
    ) -> Read:
        """The load of each of these pods, and the traffic since the last look."""
        pages = await self._pages(pods, plan)
        counting = self._counting or Counting(profile, objectives)
        counting = replace(counting, profile=profile, objectives=objectives)
        self._counting, loads, traffic = counting.take(pages, time=self._clock())
        return Read(dict(zip(pages, loads, strict=True)), traffic)

    async def _pages(self, pods: Sequence[ReplicaPod], plan: Plan) -> dict[str, Page | None]:
        """A page for each pod; None without one. A pod of an earlier plan is read as one of the present, and missing where
        it shows something else."""
        engine = find(plan.backend)
        pages: dict[str, Page | None] = {pod.uid: None for pod in pods}
        if engine is not None:
            source = engine.metrics(plan.backend_version)
            pages |= await self._scraper.read([Target(pod.uid, pod.address, source) for pod in pods if pod.address])
        return pages
