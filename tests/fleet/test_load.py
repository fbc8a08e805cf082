"""The number of replicas follows what the replicas say of their load, and stands still where they say nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.api import NAMESPACES
from tests.support.fleet import Fleet, followed, settle
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World

CALM, BUSY = 1.0, 12.0
"""Requests per second that one replica, and about four, carry: prompts of 500 tokens with short answers."""
QUICK = {"holdSeconds": 20, "pauseSeconds": 5, "replicas": 1}
STILL_SECONDS = 15.0
"""Three looks: what shall not happen has had its time."""


SCALING = {"minReplicas": 1, "maxReplicas": 6, "scaleDown": QUICK}


@pytest.fixture(scope="module")
def busy(ground: World) -> Iterator[Fleet]:
    """One under a load for several replicas, and with them. The tests that share it leave it so."""
    tenant = Tenant(ground.site.api, "busy")
    with followed(ground, tenant, "chat", rate=BUSY, replicas=4, autoscaling=SCALING) as fleet:
        settle(fleet)
        yield fleet
    ground.site.api.delete(NAMESPACES, "", tenant.namespace)


def test_an_outage_of_all_metrics_changes_nothing_and_is_told(busy: Fleet) -> None:
    """Neither the load that vanishes meanwhile nor the one that grows is guessed at."""
    addresses = busy.addresses()
    busy.answer_metrics("error", *addresses[::2])
    busy.answer_metrics("slow", *addresses[1::2])
    busy.wait_until_scaling("False", "MetricsMissing")
    count = busy.asked_for()
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
    until(lambda: True if _silences_one(busy) else NotYet("all can be read"))
    until(lambda: NotYet("some leave for an earlier reason") if busy.measured("leaving_replicas") else True, within=240)
    count = busy.asked_for()
    busy.load.rate = CALM / 2
    assert busy.stays(2 * STILL_SECONDS) == [count]
    until(lambda: True if "could not be read" in _why(busy) else NotYet(_why(busy)), within=240)
    assert busy.asked_for() == count
    since = time.monotonic()
    busy.answer_metrics("normal")
    until(lambda: True if busy.numbers(since)[-1] == 1 else NotYet(f"{busy.numbers(since)}"), within=240)
    assert busy.numbers(since) == list(range(count, 0, -1))
    busy.wait_for_endpoints(1, 1)


def _silences_one(fleet: Fleet) -> bool:
    """Whether a replica that serves is not read any more; one that leaves meanwhile is none of those to be read."""
    silent, *_ = fleet.addresses()
    fleet.answer_metrics("cut", silent)
    return bool(fleet.measured("unread_replicas"))


def _why(fleet: Fleet) -> str:
    return str(fleet.decision()["message"])


def test_mindie_is_read_on_its_own_port_under_its_own_names(ground: World, tenant: Tenant) -> None:
    tenant.has_weights()
    service = {"backend": "mindie", "model": {"uri": "pvc://weights/Qwen/Qwen3-8B"}, "autoscaling": SCALING}
    with followed(ground, tenant, "chat", rate=BUSY, **service) as fleet:
        fleet.wait_for_endpoints(2, within=120)
        assert {endpoint.port for endpoint in fleet.proxy.endpoints} == {1025}
        asked = ground.background.call(lambda: ground.engines.requests("/metrics"))
        assert asked.keys() & set(fleet.addresses())
