"""Which NPUs there are, who holds them, and what keeps our pods from working."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.controller import capacity as module
from npuserve.controller.answers import ApiError, Object, Page, Selection, WatchEvent
from npuserve.controller.capacity import Capacity
from npuserve.controller.freshness import Freshness
from npuserve.controller.resources import NODES, PODS, Resource

A2 = "huawei.com/Ascend910"


def node(name: str, *, devices: int = 8, version: int = 1) -> Object:
    return {
        "metadata": {
            "name": name,
            "uid": f"node-{name}",
            "resourceVersion": str(version),
            "labels": {"accelerator-type": "module-910b-8"},
        },
        "status": {
            "allocatable": {A2: str(devices), "cpu": "192", "memory": "1Ti"},
            "conditions": [{"heartbeat": version}],
        },
    }


def pod(name: str, *, on: str = "", devices: int = 0, service: str = "", **status: Any) -> Object:
    labels = {"app.kubernetes.io/managed-by": "npuserve", "npuserve.io/service-uid": service} if service else {}
    return {
        "metadata": {"name": name, "uid": f"pod-{name}", "resourceVersion": "1", "labels": labels},
        "spec": {"nodeName": on, "containers": [{"resources": {"limits": {A2: str(devices)} if devices else {}}}]},
        "status": {"phase": "Pending", **status},
    }


UNSCHEDULABLE: dict[str, Any] = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
    ]
}


class Api:
    """Lists of nodes and pods, then events as they are pushed."""

    def __init__(self, nodes: list[Object], pods: list[Object], *, forbidden: frozenset[str] = frozenset()) -> None:
        self.lists = {NODES: nodes, PODS: pods}
        self.forbidden = forbidden
        self.pushed: dict[Resource, list[asyncio.Queue[WatchEvent]]] = {NODES: [], PODS: []}

    async def pages(self, resource: Resource, selection: Selection, *, limit: int) -> AsyncIterator[Page]:
        if resource.plural in self.forbidden and not selection.labels:
            raise ApiError(403, reason="Forbidden", message=f"cannot list {resource.plural}")
        ours = [item for item in self.lists[resource] if not selection.labels or item["metadata"]["labels"]]
        yield Page(ours, "1")

    async def watch(self, resource: Resource, selection: Selection, *, since: str) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self.pushed[resource].append(queue)
        while True:
            yield await queue.get()

    async def push(self, resource: Resource, kind: str, body: Object) -> None:
        for queue in self.pushed[resource]:
            queue.put_nowait(WatchEvent(kind, body))
        await asyncio.sleep(0.01)


def watching(
    api: Api, scenario: Callable[[Capacity, list[str]], Any], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> list[str]:
    monkeypatch.setattr(module, "CALM_SECONDS", 0.02)
    told: list[str] = []

    async def main() -> None:
        capacity = Capacity("auto", changed=lambda: told.append("nodes"), troubled=told.append, **options)
        listed = asyncio.Event()
        following = asyncio.create_task(
            capacity.follow(api, namespace="", freshness=Freshness(), listed=listed)  # type: ignore[arg-type]
        )
        async with asyncio.timeout(5):
            await listed.wait()
            await asyncio.sleep(0.05)
            await scenario(capacity, told)
        following.cancel()
        await asyncio.wait([following])

    asyncio.run(main())
    return told


def test_renamed_devices_are_counted_under_their_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "example.com/npu"
    machine, holder = node("a"), pod("x", on="a", devices=3)
    machine["status"]["allocatable"] = {own: "8"}
    holder["spec"]["containers"][0]["resources"]["limits"] = {own: "3"}

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        (found,) = capacity.facts().nodes
        assert (found.resource, capacity.facts().free(found)) == (own, 5)

    watching(Api([machine], [holder]), scenario, monkeypatch, renamed={own: A2})


def test_devices_in_use_are_counted_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(
        [node("a"), node("b")],
        [pod("x", on="a", devices=4), pod("y", on="a", devices=2), pod("z", on="b"), pod("q", devices=8)],
    )

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        facts = capacity.facts()
        assert facts.known
        assert {found.name: facts.free(found) for found in facts.nodes} == {"a": 2, "b": 8}
        assert capacity.facts() is facts
        await api.push(PODS, "DELETED", pod("x", on="a", devices=4))
        assert capacity.facts().used["a"] == 2

    watching(api, scenario, monkeypatch)


def test_a_pod_without_devices_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([node("a")], [pod(f"foreign-{number}", on="a") for number in range(1000)])

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        assert len(list(capacity._uses)) == 0

    watching(api, scenario, monkeypatch)


def test_new_nodes_are_told_once_for_a_burst_and_heartbeats_and_pods_never(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([node("a")], [])

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        told.clear()
        await api.push(NODES, "MODIFIED", node("a", version=2))
        await api.push(PODS, "ADDED", pod("x", on="a", devices=4))
        await asyncio.sleep(0.05)
        assert told == []
        for name in "bcd":
            for queue in api.pushed[NODES]:
                queue.put_nowait(WatchEvent("ADDED", node(name)))
        await asyncio.sleep(0.1)
        assert told == ["nodes"]
        assert len(capacity.facts().nodes) == 4

    watching(api, scenario, monkeypatch)


def test_the_trouble_of_a_pod_is_that_of_its_service_until_the_pod_works(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([node("a")], [pod("x", service="uid-1", **UNSCHEDULABLE)])

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        trouble = capacity.trouble("uid-1")
        assert trouble is not None
        assert trouble.reason is Reason.UNSCHEDULABLE
        assert "0/1 nodes are available" in trouble.message
        assert capacity.trouble("uid-2") is None
        told.clear()
        await api.push(PODS, "MODIFIED", pod("x", on="a", devices=8, service="uid-1"))
        assert capacity.trouble("uid-1") is None
        assert told == ["uid-1"]

    watching(api, scenario, monkeypatch)


def test_the_replicas_of_a_service_are_known_until_their_pods_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([node("a")], [pod("x", on="a", service="uid-1"), pod("other", on="a")])

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        (found,) = capacity.pods("uid-1")
        assert (found.name, found.node, found.starting) == ("x", "a", True)
        serving = pod("y", on="a", service="uid-1", conditions=[{"type": "Ready", "status": "True"}])
        await api.push(PODS, "ADDED", serving)
        assert {(item.name, item.starting) for item in capacity.pods("uid-1")} == {("x", True), ("y", False)}
        await api.push(PODS, "DELETED", serving)
        await api.push(PODS, "MODIFIED", pod("x", on="a", service="uid-1", phase="Failed"))
        assert capacity.pods("uid-1") == capacity.pods("uid-2") == ()

    watching(api, scenario, monkeypatch)


@pytest.mark.parametrize("forbidden", [frozenset({"nodes"}), frozenset({"pods"}), frozenset({"nodes", "pods"})])
def test_where_nodes_or_pods_may_not_be_read_capacity_is_unknown_and_troubles_are_still_seen(
    forbidden: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api([node("a")], [pod("x", service="uid-1", **UNSCHEDULABLE)], forbidden=forbidden)

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        assert not capacity.facts().known
        assert capacity.trouble("uid-1") is not None

    watching(api, scenario, monkeypatch)


def test_nodes_are_followed_also_where_pods_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([node("a")], [], forbidden=frozenset({"pods"}))

    async def scenario(capacity: Capacity, told: list[str]) -> None:
        await api.push(NODES, "ADDED", node("b"))
        assert [found.name for found in capacity.facts().nodes] == ["a", "b"]
        assert not capacity.facts().known

    watching(api, scenario, monkeypatch)
