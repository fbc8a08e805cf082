"""Replicas that are to go, on a real ReplicaSet controller: out of the Service first, and exactly those removed.

The number of replicas is the service's own here, and the loads are the test's. Nodes that are simulated run no preStop hook; it is run against
an engine's connections in `unit/engines/test_drain.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from npuserve.autoscale.load import ReplicaLoad
from npuserve.controller.drain import carry_out
from npuserve.controller.kube import Kube
from npuserve.controller.resources import NODES, PODS, path
from npuserve.reconcile.drain import DONE_COST, LEAVING_COST, SETTLE_SECONDS, Drain, Mark, plan_drain
from npuserve.reconcile.pods import ReplicaPod, replica_pod
from npuserve.render import labels
from tests.cluster import audit, nodes
from tests.cluster.kubectl import Object
from tests.support.api import ENDPOINT_SLICES, Refused
from tests.support.asking import ask
from tests.support.replicas import a_load
from tests.support.site import Site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

LIMIT = 120.0
ZONE = "topology.kubernetes.io/zone"
Loads = dict[str, ReplicaLoad | None]


class Fleet:
    """The replicas of one service, and a clock that the test turns."""

    def __init__(self, site: Site, tenant: Tenant, name: str) -> None:
        self.site = site
        self.tenant = tenant
        self.name = name
        self.now = time.time()

    def pods(self) -> list[ReplicaPod]:
        uid = self.tenant.service(self.name)["metadata"]["uid"]
        found = self.tenant.api.list(PODS, self.tenant.namespace, labels=f"{labels.SERVICE_UID}={uid}")
        return [pod for item in found if (pod := replica_pod(item)) is not None]

    def step(self, target: int, loads: Loads) -> Drain:
        """One sample; the number that it allows becomes the service's."""
        current = self.tenant.deployment(self.name)["spec"]["replicas"]
        drain = plan_drain(self.pods(), target=target, current=current, loads=loads, now=self.now, limit=LIMIT)
        self.marks(drain)
        if drain.replicas != current:
            self.tenant.edit(self.name, replicas=drain.replicas)
            until(lambda: self._has(drain.replicas))
        self.now += SETTLE_SECONDS
        return drain

    def marks(self, drain: Drain) -> int:
        async def put(kube: Kube) -> int:
            return await carry_out(kube, drain)

        return ask(self.site.operator.kubeconfig, put)

    def endpoints(self) -> set[str]:
        """Names of the pods that the Service sends requests to."""
        selected = f"kubernetes.io/service-name={self.name}"
        slices = self.tenant.api.list(ENDPOINT_SLICES, self.tenant.namespace, labels=selected)
        ready = [item for found in slices for item in found["endpoints"] or () if item["conditions"]["ready"]]
        return {item["targetRef"]["name"] for item in ready}

    def wait_for_endpoints(self, names: set[str]) -> None:
        until(lambda: True if self.endpoints() == names else NotYet(f"endpoints: {sorted(self.endpoints())}"))

    def _has(self, replicas: int) -> bool | NotYet:
        there = len([pod for pod in self.pods() if not pod.ending])
        return True if there == replicas else NotYet(f"{there} replicas in place of {replicas}")


@pytest.fixture
def fleet(ground: Site, tenant: Tenant) -> Callable[[int], Fleet]:
    """A service `chat` with so many replicas, which serves."""

    def made(replicas: int, **spec: Any) -> Fleet:
        tenant.ask("chat", replicas=replicas, **spec)
        tenant.wait_until_ready("chat")
        built = Fleet(ground, tenant, "chat")
        built.wait_for_endpoints({pod.name for pod in built.pods()})
        return built

    return made


def test_the_emptiest_replica_leaves_the_service_stays_a_replica_and_is_the_one_that_is_removed(
    fleet: Callable[[int], Fleet],
) -> None:
    chat = fleet(4)
    pods = sorted(chat.pods(), key=lambda pod: (pod.created, pod.name))
    emptiest, names = pods[0], {pod.name for pod in pods}
    loads: Loads = {pod.uid: a_load(5) for pod in pods} | {emptiest.uid: a_load(1)}

    assert chat.step(3, loads).leaving == 1
    chat.wait_for_endpoints(names - {emptiest.name})
    assert {pod.name for pod in chat.pods()} == names
    assert chat.tenant.service("chat")["status"]["replicas"] == 4

    assert chat.step(3, loads).replicas == 4, "it has a request"
    loads[emptiest.uid] = a_load(0)
    assert [mark.cost for mark in chat.step(3, loads).marks] == [DONE_COST]
    assert chat.step(3, loads).replicas == 3
    assert {pod.name for pod in chat.pods() if not pod.ending} == names - {emptiest.name}
    assert chat.endpoints() == names - {emptiest.name}
    assert chat.step(3, loads) == Drain(3)


def test_a_replica_that_is_asked_for_again_comes_back_as_it_was(fleet: Callable[[int], Fleet]) -> None:
    chat = fleet(2)
    before = {pod.name: pod for pod in chat.pods()}
    loads: Loads = {pod.uid: a_load(1) for pod in before.values()}
    (mark,) = chat.step(1, loads).marks
    chat.wait_for_endpoints(set(before) - {mark.name})
    assert chat.step(2, loads).replicas == 2
    chat.wait_for_endpoints(set(before))
    assert {pod.name: pod for pod in chat.pods()} == before


def test_a_rollout_takes_a_leaving_replica_before_the_serving_ones(fleet: Callable[[int], Fleet]) -> None:
    chat = fleet(3)
    pods = sorted(chat.pods(), key=lambda pod: (pod.created, pod.name))
    loads: Loads = {pod.uid: a_load(5) for pod in pods} | {pods[0].uid: a_load(1)}
    chat.step(2, loads)
    before = chat.site.position()
    chat.tenant.edit("chat", context={"maxModelLen": 4096})
    until(lambda: NotYet("an old replica is there") if {pod.uid for pod in chat.pods()} & set(loads) else True)
    chat.tenant.wait_until_ready("chat")
    assert _removed(chat, before)[0] == pods[0].name
    chat.wait_for_endpoints({pod.name for pod in chat.pods()})


def _removed(chat: Fleet, since: int) -> list[str]:
    """The pods that a controller deleted, in order."""
    events = chat.site.cluster.audit(None, since)
    deletes = (event for event in events if audit.is_write(event) and event["verb"] == "delete")
    about = [event["objectRef"] for event in deletes if event["user"]["username"] != "kwok"]
    return [
        item["name"] for item in about if (item["resource"], item.get("namespace")) == ("pods", chat.tenant.namespace)
    ]


def test_a_mark_falls_on_no_other_pod_of_that_name_and_on_none_that_is_gone(fleet: Callable[[int], Fleet]) -> None:
    chat = fleet(1)
    (pod,) = chat.pods()
    another = Mark("00000000-0000-0000-0000-000000000000", pod.name, pod.namespace, chat.now, LEAVING_COST)
    gone = Mark(pod.uid, "chat-gone", pod.namespace, chat.now, LEAVING_COST)
    assert chat.marks(Drain(1, (another, gone))) == 0
    assert chat.pods() == [pod]


@pytest.fixture
def two_servers(ground: Site) -> Iterator[dict[str, Any]]:
    """Two servers of one replica each, in a zone of their own; what a service that belongs there asks for."""
    added = [_in_zone(node) for node in nodes.a2_64g("evicted", 2, devices=2)]
    ground.cluster.add_nodes(added)
    yield {"nodeSelector": {ZONE: "evicted"}, "devices": 2}
    for node in added:
        ground.api.delete(NODES, "", node["metadata"]["name"])


def _in_zone(node: Object) -> Object:
    return {**node, "metadata": {**node["metadata"], "labels": {**node["metadata"]["labels"], ZONE: "evicted"}}}


def test_the_drain_of_nodes_takes_one_replica_at_a_time(
    fleet: Callable[..., Fleet], two_servers: dict[str, Any]
) -> None:
    chat = fleet(2, hardware=two_servers)
    first, second = sorted(chat.pods(), key=lambda pod: pod.name)
    for name in ("evicted-0", "evicted-1"):
        _cordon(chat, name, closed=True)
    until(lambda: _evicted(chat, first))
    with pytest.raises(Refused, match="disruption budget"):
        _evict(chat, second)
    for name in ("evicted-0", "evicted-1"):
        _cordon(chat, name, closed=False)
    until(lambda: True if len(chat.endpoints()) == 2 else NotYet(f"endpoints: {chat.endpoints()}"))
    until(lambda: _evicted(chat, second))


def _cordon(chat: Fleet, node: str, *, closed: bool) -> None:
    chat.tenant.api.merge(NODES, "", node, {"spec": {"unschedulable": closed}})


def _evict(chat: Fleet, pod: ReplicaPod) -> None:
    """As `kubectl drain` asks for it."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod.name, "namespace": pod.namespace}}
    chat.tenant.api.ask("POST", path(PODS, pod.namespace, name=pod.name, subresource="eviction"), body)


def _evicted(chat: Fleet, pod: ReplicaPod) -> bool | NotYet:
    try:
        _evict(chat, pod)
    except Refused as answer:
        return True if answer.code == 404 else NotYet(answer.words)
    return True
