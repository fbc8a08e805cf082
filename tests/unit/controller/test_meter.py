"""What is read of the replicas of one service, and what is known of those that could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from npuserve.autoscale.objectives import USUAL
from npuserve.autoscale.page import Page
from npuserve.autoscale.profile import EngineProfile
from npuserve.controller.exposition import Reader
from npuserve.controller.meter import Meter
from npuserve.controller.scrape import Missing, Target
from npuserve.reconcile.step import Read
from tests.support.fleets import a_pod_of
from tests.support.plans import a_plan
from tests.support.vllm_pages import VllmReplica

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)
PODS = (a_pod_of("one"), a_pod_of("two", address="10.0.0.2"))


class Scraper:
    """Replicas by the UID of their pod; the others do not answer."""

    def __init__(self) -> None:
        self.replicas: dict[str, VllmReplica] = {"one": VllmReplica(), "two": VllmReplica()}
        self.missing: dict[str, Missing] = {}
        self.asked: list[str] = []

    async def read(self, targets: Sequence[Target]) -> dict[str, Page | None]:
        self.asked = [target.address for target in targets]
        return {target.uid: self._page(target) for target in targets}

    def forget(self, uid: str) -> None:
        self.missing.pop(uid, None)

    def _page(self, target: Target) -> Page | None:
        replica = self.replicas.get(target.uid)
        if replica is None:
            self.missing[target.uid] = Missing("Timeout", "no page within 3 s")
            return None
        return Reader(target.source).read(replica.text())


class Metered:
    """A meter over such replicas, and a clock."""

    def __init__(self) -> None:
        self.scraper, self.now = Scraper(), 1000.0
        self.meter = Meter(self.scraper, clock=lambda: self.now)  # type: ignore[arg-type]

    def read(self, *pods: object, backend: str = "vllm-ascend") -> Read:
        plan = a_plan(backend=backend)
        found = asyncio.run(self.meter.read(pods or PODS, plan, profile=PROFILE, objectives=USUAL))  # type: ignore[arg-type]
        self.now += 5.0
        return found


def test_the_first_look_tells_what_runs_and_the_second_what_came() -> None:
    metered = Metered()
    first = metered.read()
    assert set(first.loads) == {"one", "two"}
    assert first.traffic is not None
    assert first.traffic.seconds == 0
    for _ in range(2):
        metered.scraper.replicas["one"].serve(prompt=1000, output=50, wait=0.5, time=4.0)
    metered.scraper.replicas["two"].show(running=3, cache=0.5)
    second = metered.read()
    assert second.traffic is not None
    assert (second.traffic.seconds, second.traffic.arrivals, second.traffic.generated) == (5.0, 2, 100)
    load = second.loads["two"]
    assert load is not None
    assert (load.running, load.cached) == (3, 0.5 * PROFILE.cache_tokens)
    assert second.why == ""


def test_a_replica_that_does_not_answer_is_missing_and_the_reason_is_told() -> None:
    metered = Metered()
    del metered.scraper.replicas["two"]
    found = metered.read()
    assert found.loads["two"] is None
    assert found.loads["one"] is not None
    assert found.why == "Timeout: no page within 3 s"


def test_a_pod_without_an_address_is_missing_and_not_asked() -> None:
    metered = Metered()
    found = metered.read(a_pod_of("one"), a_pod_of("new", address=""))
    assert found.loads["new"] is None
    assert metered.scraper.asked == ["10.244.0.7"]


def test_a_pod_that_is_gone_is_forgotten() -> None:
    metered = Metered()
    metered.scraper.replicas.clear()
    metered.read()
    metered.read(PODS[0])
    assert set(metered.scraper.missing) == {"one"}


def test_an_engine_that_the_operator_does_not_know_any_more_is_not_asked() -> None:
    metered = Metered()
    found = metered.read(backend="of-long-ago")
    assert found.loads == {"one": None, "two": None}
    assert metered.scraper.asked == []
