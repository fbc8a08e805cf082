"""What the cluster refuses to run is said in its own words, and heals when the cluster allows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from npuserve.controller.resources import NODES
from tests.cluster import nodes
from tests.cluster.kubectl import Object
from tests.support.api import QUOTAS, REPLICA_SETS
from tests.support.manifests import condition
from tests.support.site import Site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

ZONE = "topology.kubernetes.io/zone"


def set_quota(tenant: Tenant, **hard: str) -> None:
    body = {"metadata": {"name": "limit", "namespace": tenant.namespace}, "spec": {"hard": hard}}
    tenant.api.apply(QUOTAS, {"apiVersion": "v1", "kind": "ResourceQuota", **body})
    until(lambda: True if _in_force(tenant, hard) else NotYet("the quota is not in force"))


def _in_force(tenant: Tenant, hard: dict[str, str]) -> bool:
    found = tenant.api.get(QUOTAS, tenant.namespace, "limit")
    return bool(found.get("status", {}).get("hard") == hard)


@pytest.mark.parametrize(("what", "none", "enough"), [("pods", "0", "9"), ("requests.huawei.com/Ascend910", "0", "8")])
def test_a_quota_that_allows_no_pod_is_told_and_a_larger_one_heals(
    tenant: Tenant, what: str, none: str, enough: str
) -> None:
    set_quota(tenant, **{what: none})
    tenant.ask("chat", hardware={"product": "Atlas 800I A2 64G"})
    service = tenant.wait_until_said("chat", "Ready", "False", "QuotaExceeded")
    message = condition(service, "Ready")["message"]
    assert "exceeded quota: limit" in message
    assert what in message
    assert condition(service, "Accepted")["status"] == "True"
    assert condition(service, "Reconciling")["reason"] == "QuotaExceeded"
    set_quota(tenant, **{what: enough})
    _wake(tenant)
    tenant.wait_until_ready("chat")


def _wake(tenant: Tenant) -> None:
    """Have the ReplicaSet controller try again now: it doubles its pause with each refusal, up to minutes."""
    for item in tenant.api.list(REPLICA_SETS, tenant.namespace):
        tenant.api.merge(
            REPLICA_SETS, tenant.namespace, item["metadata"]["name"], {"metadata": {"labels": {"woken": "1"}}}
        )


def test_a_quota_that_allows_fewer_replicas_degrades_a_service_that_serves(tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    set_quota(tenant, pods="1")
    tenant.edit("chat", replicas=3)
    service = tenant.wait("chat", _degraded)
    assert condition(service, "Ready")["status"] == "True"
    assert condition(service, "Degraded")["reason"] == "QuotaExceeded"
    assert "exceeded quota" in condition(service, "Degraded")["message"]


def _degraded(service: Object) -> Object | NotYet:
    found = condition(service, "Degraded")
    return service if found.get("reason") == "QuotaExceeded" else NotYet(f"Degraded is {found or 'absent'}")


@pytest.fixture
def small_zone(ground: Site) -> Iterator[dict[str, Any]]:
    """One server with two NPUs in a zone of its own; what a service that belongs there asks for."""
    added = _in_zone(nodes.a2_64g("zone", 1, devices=2))
    ground.cluster.add_nodes(added)
    yield {"nodeSelector": {ZONE: "small"}, "devices": 1}
    for node in ground.api.list(NODES, labels=f"{ZONE}=small"):
        ground.api.delete(NODES, "", node["metadata"]["name"])


def _in_zone(added: list[Object]) -> list[Object]:
    return [
        {**node, "metadata": {**node["metadata"], "labels": {**node["metadata"]["labels"], ZONE: "small"}}}
        for node in added
    ]


def test_more_replicas_than_npus_are_told_in_the_schedulers_words_and_a_new_node_heals(
    ground: Site, tenant: Tenant, small_zone: dict[str, Any]
) -> None:
    tenant.ask("chat", hardware=small_zone, replicas=3)
    tenant.wait_until_said("chat", "Available", "True")
    service = tenant.wait_until_said("chat", "Ready", "False", "Unschedulable")
    message = condition(service, "Ready")["message"]
    assert "Insufficient huawei.com/Ascend910" in message
    assert "Free the resources that the message names" in message
    assert condition(service, "Reconciling")["reason"] == "Unschedulable"
    assert "Unschedulable" in {reason for reason, _ in tenant.news("chat")}
    ground.cluster.add_nodes(_in_zone(nodes.a2_64g("zone-more", 1, devices=2)))
    tenant.wait_until_ready("chat")
    assert len(tenant.pods("chat")) == 3


def test_a_service_that_found_no_node_is_planned_when_one_is_added(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", hardware={"nodeSelector": {ZONE: "new"}})
    tenant.wait_until_said("chat", "Accepted", "False", "NoMatchingNodes")
    (node,) = nodes.a2_64g("zone-new", 1)
    node["metadata"]["labels"] = {**node["metadata"]["labels"], ZONE: "new"}
    ground.cluster.add_nodes([node])
    tenant.wait_until_ready("chat")
    (pod,) = tenant.pods("chat")
    assert pod["spec"]["nodeName"] == "zone-new-0"
    tenant.withdraw("chat")
    tenant.wait_until_empty()
    ground.api.delete(NODES, "", "zone-new-0")


def test_a_rollout_without_room_goes_on_by_itself(ground: Site, tenant: Tenant, small_zone: dict[str, Any]) -> None:
    """Both NPUs of the zone are in use, so an edit that replaces the replicas may not wait for a third."""
    tenant.ask("chat", hardware=small_zone, replicas=2)
    tenant.wait_until_ready("chat")
    before = tenant.pod_uids("chat")
    tenant.edit("chat", context={"maxModelLen": 4096})
    tenant.wait_until_ready("chat")
    assert not tenant.pod_uids("chat") & before
    strategy = tenant.deployment("chat")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_single_replica_without_room_is_recreated(ground: Site, tenant: Tenant, small_zone: dict[str, Any]) -> None:
    tenant.ask("chat", hardware={**small_zone, "devices": 2})
    tenant.wait_until_ready("chat")
    tenant.edit("chat", context={"maxModelLen": 4096})
    tenant.wait_until_ready("chat")
    assert tenant.deployment("chat")["spec"]["strategy"] == {"type": "Recreate"}
