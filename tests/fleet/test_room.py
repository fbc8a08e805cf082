"""A load that asks for more than there is room for gets what fits, hears why, and fights nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from npuserve.controller.resources import PODS, PRIORITIES
from tests.cluster import nodes
from tests.support.api import QUOTAS
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.world import World, world

DEVICES = 3
BUSY = 20.0
MORE = 7.0
"""Requests per second: one replica does not carry the second number, two do."""
RESOURCE = "huawei.com/Ascend910"
STILL_SECONDS = 20.0
QUICK = {"holdSeconds": 5, "pauseSeconds": 5, "replicas": 1}
PRIORITY = {"urgent": 1000, "batch": 10}
"""The value of each PriorityClass; the services that compete are called as theirs."""


@pytest.fixture(scope="module")
def ground() -> Iterator[World]:
    """One server with three devices; the operator works."""
    values = {"config": {"allow": {"priorityClassNames": list(PRIORITY)}}}
    with world(nodes.a2_64g("a2", 1, devices=DEVICES), values=values) as built:
        for name, value in PRIORITY.items():
            built.site.api.create(PRIORITIES, {"metadata": {"name": name}, "value": value})
        built.site.start()
        yield built


def limited_by(ground: World, tenant: Tenant, room: int) -> tuple[Fleet, str]:
    """A service with more load than room, once it says so, and what it says."""
    scaling = {"minReplicas": 1, "maxReplicas": 8}
    with followed(ground, tenant, "chat", rate=BUSY, autoscaling=scaling) as fleet:
        fleet.wait_until_scaling("False", "CapacityLimited", within=120)
        fleet.wait_for_endpoints(room, room)
        position = ground.site.position()
        assert fleet.stays(STILL_SECONDS) == [room]
        assert ground.site.writes(position, namespace=tenant.namespace) == []
        return fleet, fleet.wait_until_scaling("False", "CapacityLimited")


def test_a_full_cluster_is_told_and_not_fought(ground: World, tenant: Tenant) -> None:
    fleet, message = limited_by(ground, tenant, DEVICES)
    assert f"room for {DEVICES}" in message
    pods = ground.site.api.list(PODS, tenant.namespace)
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * DEVICES
    assert fleet.decision()["wanted"] > DEVICES
    assert "CapacityLimited" in {reason for reason, _ in tenant.news("chat")}
    tenant.withdraw("chat")
    tenant.wait_until_empty()


def test_a_quota_on_devices_is_room_too(ground: World, tenant: Tenant) -> None:
    body = {
        "metadata": {"name": "npus", "namespace": tenant.namespace},
        "spec": {"hard": {f"requests.{RESOURCE}": "2"}},
    }
    ground.site.api.apply(QUOTAS, {"apiVersion": "v1", "kind": "ResourceQuota", **body})
    _, message = limited_by(ground, tenant, 2)
    assert "npus" in message
    assert "room for 2" in message


@contextmanager
def competing(ground: World, tenant: Tenant, name: str) -> Iterator[Fleet]:
    """A service of that name and priority, without load."""
    scaling = {"minReplicas": 1, "maxReplicas": 3, "scaleDown": QUICK}
    template = {"priorityClassName": name}
    with followed(ground, tenant, name, autoscaling=scaling, template=template) as fleet:
        yield fleet


def test_of_two_that_want_the_last_devices_the_higher_priority_gets_them_and_the_other_what_is_left_of_it(
    ground: World, tenant: Tenant
) -> None:
    tenant.ask("fixed")
    tenant.wait_until_ready("fixed")
    with competing(ground, tenant, "batch") as batch, competing(ground, tenant, "urgent") as urgent:
        batch.load.rate = urgent.load.rate = MORE
        urgent.wait_until_scaling("False", "CapacityLimited", within=120)
        message = batch.wait_until_scaling("False", "CapacityLimited", within=120)
        assert f"{tenant.namespace}/urgent (priority {PRIORITY['urgent']})" in message
        assert "batch" not in urgent.wait_until_scaling("False", "CapacityLimited")

        tenant.withdraw("fixed")
        urgent.wait_for_endpoints(2, within=120)
        assert batch.stays(STILL_SECONDS) == [1]
        assert urgent.numbers() == [1, 2]

        urgent.load.rate = 0.0
        batch.wait_for_endpoints(2, within=240)
        assert urgent.numbers() == [1, 2, 1]
        assert batch.numbers() == [1, 2]
