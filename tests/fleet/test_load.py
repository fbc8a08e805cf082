"""The number of replicas follows what the replicas say of their load, and stands still where they say nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.support.api import NAMESPACES
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World

CALM, BUSY = 1.0, 12.0
"""Requests per second that one replica, and about four, carry: prompts of 500 tokens with short answers."""
QUICK = {"holdSeconds": 5, "pauseSeconds": 5, "replicas": 1}
STILL_SECONDS = 15.0
"""Three looks: what shall not happen has had its time."""


SCALING = {"minReplicas": 1, "maxReplicas": 6, "scaleDown": QUICK}


def followed_under(load: float, ground: World, tenant: Tenant) -> AbstractContextManager[Fleet]:
    """A service between one and six replicas under a load."""
    return followed(ground, tenant, "chat", rate=load, prompt=500, output=20, autoscaling=SCALING)


@pytest.fixture
def chat(ground: World, tenant: Tenant) -> Iterator[Fleet]:
    """A service under a load that one replica carries."""
    with followed_under(CALM, ground, tenant) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def busy(ground: World) -> Iterator[Fleet]:
    """One under a load for several replicas, and with them. The tests that share it leave it so."""
    tenant = Tenant(ground.site.api, "busy")
    with followed_under(BUSY, ground, tenant) as fleet:
        settle(fleet)
        yield fleet
    ground.site.api.delete(NAMESPACES, "", tenant.namespace)


def settle(fleet: Fleet) -> int:
    """The number of replicas, once it has not changed for a while and all of them serve."""

    def settled() -> int | NotYet:
        if not fleet.history:
            return NotYet("nothing seen")
        at, count = fleet.history[-1]
        if count < 3 or len(fleet.addresses()) != count or time.monotonic() - at < STILL_SECONDS:
            return NotYet(f"{count} replicas since {time.monotonic() - at:.0f} s; {fleet.decision()}")
        return count

    return until(settled, within=240, every=0.5)


def test_a_load_step_is_met_with_replicas(chat: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    until(lambda: chat.decision() or NotYet("nothing decided"))
    assert set(chat.stays(20)) <= {1, 2}
    before, began = chat.numbers()[-1], time.monotonic()
    chat.load.rate = BUSY
    chat.wait_for_replicas(before + 1, 6)
    decided = chat.history[-1][0] - began if chat.history[-1][0] > began else time.monotonic() - began
    chat.wait_for_endpoints(3)
    with capsys.disabled():
        print(
            f"\n  from the step to the decision {decided:.1f} s, to three serving {time.monotonic() - began:.1f} s ",
            end="",
        )
    assert not chat.load.refused


def test_an_outage_of_all_metrics_changes_nothing_and_is_told(busy: Fleet) -> None:
    """Neither the load that vanishes meanwhile nor the one that grows is guessed at."""
    count, addresses = busy.asked_for(), busy.addresses()
    busy.answer_metrics("error", *addresses[::2])
    busy.answer_metrics("slow", *addresses[1::2])
    busy.wait_until_scaling("False", "MetricsMissing")
    busy.load.rate = 0.0
    assert busy.stays(STILL_SECONDS) == [count]
    busy.load.rate = 2 * BUSY
    assert busy.stays(STILL_SECONDS) == [count]
    busy.load.rate = BUSY
    until(lambda: NotYet("a backlog is left") if busy.in_flight() > 10 * count else True)
    busy.answer_metrics("normal")
    busy.wait_until_scaling("True", "FollowsLoad", "ScalingUp", "ScalingDown")
    settle(busy)


def test_replicas_go_step_by_step_and_none_while_one_says_nothing(busy: Fleet) -> None:
    count, (silent, *_) = busy.asked_for(), busy.addresses()
    busy.answer_metrics("cut", silent)
    busy.load.rate = CALM / 2
    assert busy.stays(2 * STILL_SECONDS) == [count]
    until(lambda: True if "could not be read" in _why(busy) else NotYet(_why(busy)), within=240)
    assert busy.asked_for() == count
    since = time.monotonic()
    busy.answer_metrics("normal", silent)
    until(lambda: True if busy.numbers(since)[-1] == 1 else NotYet(f"{busy.numbers(since)}"), within=240)
    assert busy.numbers(since) == list(range(count, 0, -1))
    busy.wait_for_endpoints(1, 1)


def _why(fleet: Fleet) -> str:
    return str(fleet.decision()["message"])


def test_an_operator_that_is_killed_while_replicas_start_orders_none_twice(chat: Fleet) -> None:
    kubelet = chat.world.kubelet
    kubelet.start_seconds = 40.0
    try:
        chat.load.rate = BUSY
        chat.wait_for_replicas(3, 6)
        time.sleep(8)
        count = chat.asked_for()
        chat.world.site.operator.process.kill()
        chat.world.site.start()
        numbers = chat.stays(20)
    finally:
        kubelet.start_seconds = 1.0
    assert numbers[0] == count
    assert max(numbers) <= 6
    assert min(numbers) >= count


def test_an_operator_that_starts_again_changes_nothing_and_holds_what_the_last_one_held(
    ground: World, tenant: Tenant
) -> None:
    """First under the same load, then when it is gone and the replicas are kept for having been needed a moment ago."""
    with followed(ground, tenant, "chat", rate=BUSY, autoscaling={"minReplicas": 1, "maxReplicas": 6}) as fleet:
        count = settle(fleet)
        start_again(fleet)
        assert fleet.stays(3 * STILL_SECONDS) == [count]
        fleet.load.rate = CALM / 2
        wait_until_fewer_are_wanted(fleet, count)
        start_again(fleet)
        assert fleet.stays(3 * STILL_SECONDS) == [count]
        wait_until_fewer_are_wanted(fleet, count)
        assert fleet.asked_for() == count


def start_again(fleet: Fleet) -> None:
    """End the operator as a crash would, and start another one."""
    fleet.world.site.operator.process.kill()
    fleet.world.site.start()


def wait_until_fewer_are_wanted(fleet: Fleet, count: int) -> None:
    until(lambda: True if 0 < (found := fleet.wanted()) < count else NotYet(f"{found} are wanted"), within=120)


def test_mindie_is_read_on_its_own_port_under_its_own_names(ground: World, tenant: Tenant) -> None:
    tenant.has_weights()
    service = {"backend": "mindie", "model": {"uri": "pvc://weights/Qwen/Qwen3-8B"}, "autoscaling": SCALING}
    with followed(ground, tenant, "chat", rate=BUSY, **service) as fleet:
        fleet.wait_for_endpoints(2, within=120)
        assert {endpoint.port for endpoint in fleet.proxy.endpoints} == {1025}
        asked = ground.background.call(lambda: ground.engines.requests("/metrics"))
        assert asked.keys() & set(fleet.addresses())
