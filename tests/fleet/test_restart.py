"""An operator that starts again or takes over goes on where the last one stopped: no number jumps."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from npuserve.controller.leader import LEASE_SECONDS
from tests.support.api import NAMESPACES
from tests.support.fleet import Fleet, followed, settle
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World

CALM, BUSY = 1.0, 12.0
"""Requests per second that one replica, and about four, carry."""
SCALING = {"minReplicas": 1, "maxReplicas": 6}
STILL_SECONDS = 15.0
"""Three looks after the first decision: what shall not happen has had its time."""


@pytest.fixture(scope="module")
def held(ground: World) -> Iterator[Fleet]:
    """A service with replicas for its load, whose wishes are held for ten minutes. The last test takes the load away."""
    tenant = Tenant(ground.site.api, "held")
    with followed(ground, tenant, "chat", rate=BUSY, replicas=4, autoscaling=SCALING) as fleet:
        settle(fleet)
        yield fleet
    ground.site.api.delete(NAMESPACES, "", tenant.namespace)


def stays_once_decided(fleet: Fleet) -> list[int]:
    """The numbers from now until some looks after the first decision of the operator that works now."""
    since = time.monotonic()
    until(lambda: True if fleet.wanted() else NotYet("nothing is decided yet"))
    fleet.stays(STILL_SECONDS)
    return fleet.numbers(since)


def start_again(fleet: Fleet) -> None:
    """End the operator as a crash would, and start another one."""
    fleet.world.site.operator.process.kill()
    fleet.world.site.start()


def test_an_operator_that_is_killed_while_replicas_start_orders_none_twice(ground: World, tenant: Tenant) -> None:
    kubelet = ground.kubelet
    with followed(ground, tenant, "chat", rate=CALM, autoscaling=SCALING) as fleet:
        kubelet.start_seconds = 40.0
        try:
            fleet.load.rate = BUSY
            fleet.wait_for_replicas(3, 6)
            time.sleep(8)
            count = fleet.asked_for()
            start_again(fleet)
            numbers = stays_once_decided(fleet)
        finally:
            kubelet.start_seconds = 1.0
    assert numbers[0] == count
    assert max(numbers) <= 6
    assert min(numbers) >= count


def test_an_operator_that_takes_over_takes_nothing_away_and_the_last_one_writes_nothing_when_it_awakes(
    held: Fleet,
) -> None:
    """The leader is frozen until its lease has ended and another one works. The noise of the load may add a replica."""
    site, count = held.world.site, held.asked_for()
    first = site.operator
    site.start(name="second")
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        until(
            lambda: True if (leader := site.leader()) == "second" else NotYet(f"{leader} leads"),
            within=3 * LEASE_SECONDS,
        )
        numbers = stays_once_decided(held)
    finally:
        position = site.position()
        os.kill(first.process.pid, signal.SIGCONT)
        until(lambda: True if first.process.exit_code is not None else NotYet("it still runs"))
    held.stays(STILL_SECONDS)
    assert (min(numbers), max(numbers) - count) in ((count, 0), (count, 1))
    assert first.process.exit_code == 1
    assert site.leader() == "second"
    assert site.writes(position, by=first) == []


def test_an_operator_that_starts_again_holds_what_the_last_one_held(held: Fleet) -> None:
    """The load is gone, and the replicas are kept for having been needed a moment ago."""
    held.load.rate = CALM / 2
    count = held.asked_for()
    _wait_until_fewer_are_wanted(held, count)
    start_again(held)
    assert stays_once_decided(held) == [count]
    _wait_until_fewer_are_wanted(held, count)
    assert held.asked_for() == count


def _wait_until_fewer_are_wanted(fleet: Fleet, count: int) -> None:
    until(lambda: True if 0 < (found := fleet.wanted()) < count else NotYet(f"{found} are wanted"), within=120)
