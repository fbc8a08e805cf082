"""The workers between a piece of news and a finished pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from npuserve.controller.answers import ApiError, Unreachable
from npuserve.controller.children import Moved
from npuserve.controller.freshness import Freshness
from npuserve.controller.loop import After, Passed
from npuserve.controller.metrics import Metrics
from npuserve.controller.queue import Queue
from npuserve.controller.resources import SERVICE
from npuserve.controller.store import News, Store
from npuserve.controller.work import Work

Scenario = Callable[["Bench"], Awaitable[None]]


class Bench:
    """Workers over a scripted pass."""

    def __init__(self) -> None:
        self.queue = Queue(jitter=lambda: 0.001)
        self.store = Store()
        self.metrics = Metrics()
        self.passes: list[str] = []
        self.answers: list[Passed | Exception] = []
        self.gate: asyncio.Event | None = None
        self.at_once = self.most_at_once = 0
        self.work = Work(
            self.reconcile, queue=self.queue, store=self.store, metrics=self.metrics, freshness=Freshness()
        )

    async def reconcile(self, key: str) -> Passed:
        self.passes.append(key)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            answer = self.answers.pop(0) if self.answers else Passed("unchanged")
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            self.at_once -= 1

    async def settle(self) -> None:
        await asyncio.sleep(0.05)


def run(scenario: Scenario, *, workers: int = 4) -> None:
    async def main() -> None:
        bench = Bench()
        working = asyncio.create_task(bench.work.run(workers))
        async with asyncio.timeout(5):
            await scenario(bench)
        working.cancel()
        await asyncio.wait([working])
        bench.queue.close()

    asyncio.run(main())


def service(version: int, generation: int = 1) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "a",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": str(version),
            "generation": generation,
        }
    }


@pytest.mark.parametrize(
    "error", [ApiError(503, reason="x", message="y"), Unreachable("down"), Moved("m"), ValueError("a bug")]
)
def test_a_pass_that_fails_is_repeated(error: Exception) -> None:
    async def scenario(bench: Bench) -> None:
        bench.answers = [error]
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        assert bench.passes == ["n/a", "n/a"]

    run(scenario)


def test_no_more_services_are_in_work_than_there_are_workers() -> None:
    async def scenario(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        for number in range(20):
            bench.work.tell(News(f"n/{number}", fresh=True))
        await bench.settle()
        bench.gate.set()
        await bench.settle()
        assert bench.most_at_once == 3
        assert len(set(bench.passes)) == 20

    run(scenario, workers=3)


def test_news_that_comes_during_a_pass_brings_another_one() -> None:
    async def scenario(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        bench.store.observe(SERVICE, service(1))
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        assert bench.store.observe(SERVICE, service(2, generation=2)) is None
        bench.gate.set()
        await bench.settle()
        assert bench.passes == ["n/a", "n/a"]

    run(scenario)


def test_a_service_that_waits_for_nodes_is_looked_at_when_they_change_and_no_other_one() -> None:
    async def scenario(bench: Bench) -> None:
        bench.answers = [Passed("refused", After.NODES)]
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        bench.work.tell(News("n/b", fresh=True))
        await bench.settle()
        bench.work.nodes_changed()
        await bench.settle()
        bench.work.nodes_changed()
        await bench.settle()
        assert bench.passes == ["n/a", "n/b", "n/a"]

    run(scenario)


def test_words_that_were_put_off_are_said_by_another_pass() -> None:
    async def scenario(bench: Bench) -> None:
        bench.answers = [Passed("changed", After.WORDS)]
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        assert bench.passes == ["n/a", "n/a"]

    run(scenario)


def test_the_trouble_of_an_unknown_service_is_nobodys() -> None:
    async def scenario(bench: Bench) -> None:
        bench.store.observe(SERVICE, service(1))
        bench.work.look_at_uid("someone")
        bench.work.look_at_uid("u")
        await bench.settle()
        assert bench.passes == ["n/a"]

    run(scenario)


def test_passes_are_counted_and_conditions_are_kept_while_the_service_is() -> None:
    async def scenario(bench: Bench) -> None:
        bench.answers = [Passed("changed", conditions=(("Ready", "True"),)), Passed("gone")]
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        text = bench.metrics.text().decode()
        assert 'npuserve_service_condition{name="a",namespace="n",type="Ready"} 1.0' in text
        assert 'npuserve_reconcile_total{result="changed"} 1.0' in text
        bench.work.tell(News("n/a", fresh=True))
        await bench.settle()
        assert 'name="a"' not in bench.metrics.text().decode()

    run(scenario)
