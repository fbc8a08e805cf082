"""A load that asks for more than there is room for gets what fits, hears why, and fights nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from npuserve.controller.resources import PODS
from tests.cluster import nodes
from tests.support.api import QUOTAS
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.world import World, world

DEVICES = 3
BUSY = 20.0
RESOURCE = "huawei.com/Ascend910"
STILL_SECONDS = 20.0


@pytest.fixture(scope="module")
def ground() -> Iterator[World]:
    """One server with three devices; the operator works."""
    with world(nodes.a2_64g("a2", 1, devices=DEVICES)) as built:
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
