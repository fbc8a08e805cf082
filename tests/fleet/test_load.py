"""The number of replicas follows what the replicas say of their load, and stands still where they say nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from npuserve.controller.resources import CONFIG_MAPS
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World

CALM, BUSY = 1.0, 12.0
"""Requests per second that one replica, and about four, carry: prompts of 500 tokens with short answers."""
QUICK = {"holdSeconds": 5, "pauseSeconds": 5, "replicas": 1}
STILL_SECONDS = 30.0
"""Six looks: what shall not happen has had its time."""


@pytest.fixture
def chat(ground: World, tenant: Tenant) -> Iterator[Fleet]:
    """A service between one and six replicas under a load that one carries."""
    scaling = {"minReplicas": 1, "maxReplicas": 6, "scaleDown": QUICK}
    with followed(ground, tenant, "chat", autoscaling=scaling) as fleet:
        fleet.load.prompt, fleet.load.output, fleet.load.rate = 500, 20, CALM
        yield fleet


@pytest.fixture
def busy(chat: Fleet) -> Fleet:
    """The same under a load for several, and with them."""
    chat.load.rate = BUSY
    settle(chat)
    return chat


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


def test_a_load_that_goes_away_takes_its_replicas_along_step_by_step(busy: Fleet) -> None:
    since = time.monotonic()
    busy.load.rate = CALM / 2
    busy.wait_for_replicas(1, within=300)
    numbers = busy.numbers(since)
    assert all(before - after == 1 for before, after in itertools.pairwise(numbers) if after < before)
    busy.wait_for_endpoints(1, 1)


@pytest.mark.parametrize("how", ["error", "cut", "slow"])
def test_an_outage_of_all_metrics_changes_nothing_and_is_told(busy: Fleet, how: str) -> None:
    """Neither the load that vanishes meanwhile nor the one that grows is guessed at."""
    engines, count = busy.world.engines, busy.asked_for()
    busy.world.background.call(lambda: engines.answer_metrics(how, *busy.addresses()))  # type: ignore[arg-type]
    busy.wait_until_scaling("False", "MetricsMissing")
    busy.load.rate = 0.0
    assert busy.stays(STILL_SECONDS) == [count]
    busy.load.rate = 2 * BUSY
    assert busy.stays(STILL_SECONDS) == [count]
    busy.load.rate = BUSY
    busy.world.background.call(lambda: engines.answer_metrics("normal", *busy.addresses()))
    busy.wait_until_scaling("True", "FollowsLoad", "ScalingUp", "ScalingDown")


def test_one_replica_that_says_nothing_keeps_the_others_from_being_taken_away(busy: Fleet) -> None:
    engines, count, (silent, *_) = busy.world.engines, busy.asked_for(), busy.addresses()
    busy.world.background.call(lambda: engines.answer_metrics("cut", silent))
    busy.load.rate = 0.2
    assert busy.stays(2 * STILL_SECONDS) == [count]
    assert "could not be read" in busy.decision()["message"]
    busy.world.background.call(lambda: engines.answer_metrics("normal", silent))
    busy.wait_for_replicas(0, count - 1, within=120)


def test_an_operator_that_starts_again_goes_on_with_the_number_that_it_finds(busy: Fleet) -> None:
    site, count = busy.world.site, busy.asked_for()
    busy.world.site.operator.process.kill()
    since = time.monotonic()
    site.start()
    assert busy.stays(2 * STILL_SECONDS) == [count]
    assert busy.numbers(since) == [count]


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


def test_what_was_learned_lies_in_a_configmap_of_the_service(busy: Fleet) -> None:
    uid = busy.tenant.service("chat")["metadata"]["uid"]
    owned = [
        item
        for item in busy.world.site.api.list(CONFIG_MAPS, busy.tenant.namespace)
        if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", ()))
    ]
    assert len(owned) == 1
    assert "cold_start" in str(owned[0]["data"])
