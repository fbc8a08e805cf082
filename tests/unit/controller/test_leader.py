"""Which replica of the operator works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from npuserve.controller.answers import ApiError, Unreachable
from npuserve.controller.leader import DEADLINE_SECONDS, LEASE_SECONDS, Leadership
from npuserve.controller.resources import LEASES
from tests.unit.controller.standin import StandIn


class Clock:
    """Time that passes when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await _really_sleep(0)


_really_sleep = asyncio.sleep


def replica(kube: Any, clock: Clock, identity: str) -> Leadership:
    return Leadership(kube, "npuserve", identity=identity, heard=lambda: None, clock=clock)


def run(scenario: Callable[[StandIn, Clock], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("npuserve.controller.leader.asyncio.sleep", clock.sleep)

    async def main() -> None:
        async with asyncio.timeout(5):
            await scenario(StandIn(), clock)

    asyncio.run(main())


def holder(kube: StandIn) -> str:
    (lease,) = kube.of(LEASES)
    return str(lease["spec"]["holderIdentity"])


def test_the_first_replica_leads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        await replica(kube, clock, "one").acquire()
        assert holder(kube) == "one"
        assert clock.now == 1000.0

    run(scenario, monkeypatch)


def test_a_second_replica_waits_until_the_lease_was_not_renewed_for_its_duration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        await replica(kube, clock, "one").acquire()
        await replica(kube, clock, "two").acquire()
        assert clock.now - 1000.0 >= LEASE_SECONDS
        assert holder(kube) == "two"
        assert kube.of(LEASES)[0]["spec"]["leaseTransitions"] == 1

    run(scenario, monkeypatch)


def test_a_renewed_lease_is_never_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        first = replica(kube, clock, "one")
        await first.acquire()
        holding = asyncio.create_task(first.hold())
        waiting = asyncio.create_task(replica(kube, clock, "two").acquire())
        for _ in range(200):
            await _really_sleep(0)
        assert clock.now > 1000.0 + 3 * LEASE_SECONDS
        assert holder(kube) == "one"
        assert not waiting.done()
        assert not holding.done()
        for task in (holding, waiting):
            task.cancel()

    run(scenario, monkeypatch)


def test_a_lease_that_was_given_up_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        first = replica(kube, clock, "one")
        await first.acquire()
        await first.release()
        await replica(kube, clock, "two").acquire()
        assert clock.now == 1000.0

    run(scenario, monkeypatch)


def test_a_restarted_replica_takes_its_own_lease_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        await replica(kube, clock, "one").acquire()
        await replica(kube, clock, "one").acquire()
        assert clock.now == 1000.0

    run(scenario, monkeypatch)


def test_leadership_that_cannot_be_renewed_ends_before_anyone_else_can_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        first = replica(kube, clock, "one")
        await first.acquire()

        async def down(*_: Any, **__: Any) -> Any:
            raise Unreachable("down")

        kube.get = kube.replace = down  # type: ignore[method-assign]
        await first.hold()
        assert DEADLINE_SECONDS <= clock.now - 1000.0 < LEASE_SECONDS

    run(scenario, monkeypatch)


def test_a_replica_whose_lease_was_taken_stops_at_its_next_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        first = replica(kube, clock, "one")
        await first.acquire()
        (lease,) = kube.of(LEASES)
        kube.put(LEASES, {**lease, "spec": {**lease["spec"], "holderIdentity": "two"}})
        await first.hold()
        assert clock.now - 1000.0 < DEADLINE_SECONDS
        await first.release()
        assert holder(kube) == "two"

    run(scenario, monkeypatch)


def test_of_two_replicas_that_take_a_free_lease_together_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        taken = await asyncio.gather(*(replica(kube, clock, name)._attempt() for name in ("one", "two")))
        assert sorted(taken) == [False, True]

    run(scenario, monkeypatch)


def test_a_forbidden_lease_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: StandIn, clock: Clock) -> None:
        refusals = iter([ApiError(403, reason="Forbidden", message="not yet"), None])
        kube.refuse = lambda *_: next(refusals)
        await replica(kube, clock, "one").acquire()
        assert holder(kube) == "one"

    run(scenario, monkeypatch)
