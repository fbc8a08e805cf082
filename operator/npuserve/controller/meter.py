"""What the replicas of one service do: their metrics asked for, and counted since they were asked before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        self._asked: frozenset[str] = frozenset()

    async def read(
        self, pods: Sequence[ReplicaPod], plan: Plan, *, profile: EngineProfile, objectives: Objectives
    ) -> Read:
        """The load of each of these pods, and the traffic since the last look."""
        pages = await self._pages(pods, plan)
        counting = self._counting or Counting(profile, objectives)
        counting = replace(counting, profile=profile, objectives=objectives)
        self._counting, loads, traffic = counting.take(pages, time=self._clock())
        return Read(dict(zip(pages, loads, strict=True)), traffic, self._why(pages))

    def _why(self, pages: Mapping[str, Page | None]) -> str:
        """Why replicas could not be read, in the words of one of them; empty where all could."""
        for gone in self._asked - pages.keys():
            self._scraper.forget(gone)
        self._asked = frozenset(pages)
        found = (self._scraper.missing.get(uid) for uid in sorted(uid for uid, page in pages.items() if page is None))
        missing = next((item for item in found if item is not None), None)
        return "" if missing is None else f"{missing.trouble}: {missing.detail}"

    async def _pages(self, pods: Sequence[ReplicaPod], plan: Plan) -> dict[str, Page | None]:
        """A page for each pod; None without one. A pod of an earlier plan is read as one of the present, and missing where
        it shows something else."""
        engine = find(plan.backend)
        pages: dict[str, Page | None] = {pod.uid: None for pod in pods}
        if engine is not None:
            source = engine.metrics(plan.backend_version)
            pages |= await self._scraper.read([Target(pod.uid, pod.address, source) for pod in pods if pod.address])
        return pages
