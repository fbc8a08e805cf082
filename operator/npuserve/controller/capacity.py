"""Which NPUs there are, who holds them, which replicas there are, and what keeps these from working: nodes and pods,
reduced at once to a few values each.

Rule: no whole object is kept, so that ten thousand foreign pods cost a few megabytes. A change of nodes is told once,
CALM_SECONDS after the first of a burst; devices that become free or used are told to nobody, because no plan waits for
them. Where nodes or pods may not be listed, what is free is unknown.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from npuserve.cluster.facts import NOTHING_RENAMED, ClusterFacts, NodeFacts
from npuserve.cluster.nodes import read_node
from npuserve.cluster.pods import PodUse, npu_use
from npuserve.controller.answers import Object, Selection
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube
from npuserve.controller.reduced import Reduced
from npuserve.controller.resources import NODES, PODS, Resource
from npuserve.controller.streams import Sink, follow_if_allowed
from npuserve.controller.trouble import pod_trouble, worst
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.pods import ReplicaPod, replica_pod
from npuserve.render import labels

CALM_SECONDS = 1.0
PAGE = 100
"""Objects per page: pods come with managedFields, environment and status, and a larger page would cost tens of
megabytes for a moment."""
_HOLDING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Pods that can hold devices; the API server leaves the others out."""
_OURS = f"{labels.MANAGED_BY}={labels.MANAGER}"

_Tables = tuple[Reduced[Any], ...]
_Stream = tuple[Resource, Selection, _Tables, str]


class Capacity:
    """The reduced table.

    `changed` is called when nodes changed, `troubled` with the UID of a service whose trouble did.
    """

    def __init__(
        self,
        flavour: str,
        *,
        changed: Callable[[], None],
        troubled: Callable[[str], None],
        renamed: Mapping[str, str] = NOTHING_RENAMED,
    ) -> None:
        self._tell_changed = changed
        self._tell_troubled = troubled
        self._facts = ClusterFacts(nodes=(), known=False, flavour=flavour)
        self._outdated = False
        self._listed: set[str] = set()
        self._held: Counter[tuple[str, str]] = Counter()
        self._telling: asyncio.TimerHandle | None = None
        self._by_service: dict[str, Counter[Trouble]] = {}
        self._nodes: Reduced[tuple[NodeFacts, ...]] = Reduced(
            lambda node: read_node(node, renamed) or None, changed=self._renew
        )
        self._uses: Reduced[tuple[PodUse, ...]] = Reduced(
            lambda pod: npu_use(pod, renamed) or None, changed=self._count
        )
        self._troubles: Reduced[tuple[str, Trouble]] = Reduced(_service_trouble, changed=self._attribute)
        self._replicas: Reduced[ReplicaPod] = Reduced(replica_pod, changed=self._gather)
        self._pods: dict[str, dict[str, ReplicaPod]] = {}

    def facts(self) -> ClusterFacts:
        """The cluster as the planner sees it: the same object until the table changes, `known` once nodes and pods were
        listed."""
        if self._outdated:
            nodes = sorted(
                (facts for node in self._nodes for facts in node), key=lambda facts: (facts.name, facts.resource)
            )
            used: Counter[str] = Counter()
            for facts in nodes:
                used[facts.name] += self._held[facts.name, facts.resource]
            known = {"nodes", "pods"} <= self._listed
            self._facts = replace(self._facts, nodes=tuple(nodes), used=used, known=known)
            self._outdated = False
        return self._facts

    def trouble(self, uid: str) -> Trouble | None:
        """What keeps pods of the service with this UID from working."""
        return worst(self._by_service.get(uid, ()))

    def pods(self, uid: str) -> tuple[ReplicaPod, ...]:
        """The replicas of the service with this UID."""
        return tuple(self._pods.get(uid, {}).values())

    async def follow(self, kube: Kube, *, namespace: str, freshness: Freshness, listed: asyncio.Event) -> None:
        """Keep the table true for ever; sets `listed` when everything was listed once or turned out to be forbidden.

        An operator of one namespace asks for nothing outside it, so capacity stays unknown to it.
        """
        everywhere: tuple[_Stream, ...] = (
            (NODES, Selection(), (self._nodes,), "nodes"),
            (PODS, Selection(fields=_HOLDING), (self._uses,), "pods"),
        )
        own: _Stream = (PODS, Selection(namespace, labels=_OURS), (self._troubles, self._replicas), "own pods")
        streams = (own,) if namespace else (*everywhere, own)
        settled = []
        async with asyncio.TaskGroup() as tasks:
            for resource, selection, tables, name in streams:
                settled.append(asyncio.Event())
                sink = self._sink(tables, name, freshness=freshness, settled=settled[-1])
                tasks.create_task(
                    follow_if_allowed(kube, resource, selection, sink=sink, settled=settled[-1], limit=PAGE)
                )
            for event in settled:
                await event.wait()
            listed.set()

    def _sink(self, tables: _Tables, name: str, *, freshness: Freshness, settled: asyncio.Event) -> Sink:
        def put(body: Object) -> None:
            for table in tables:
                table.put(body)

        def drop(body: Object) -> None:
            for table in tables:
                table.drop(body)

        def keep_only(uids: frozenset[str], _: int) -> None:
            for table in tables:
                table.keep_only(uids)
            self._listed.add(name)
            self._outdated = True
            settled.set()

        return Sink(put, drop, keep_only=keep_only, heard=lambda: freshness.heard(name))

    def _renew(self, *_: Any) -> None:
        """The nodes changed: tell it soon, once for a burst."""
        self._outdated = True
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(CALM_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = None
        self._tell_changed()

    def _count(self, before: tuple[PodUse, ...] | None, after: tuple[PodUse, ...] | None) -> None:
        for use in before or ():
            self._held[use.node, use.resource] -= use.devices
        for use in after or ():
            self._held[use.node, use.resource] += use.devices
        self._outdated = True

    def _gather(self, before: ReplicaPod | None, after: ReplicaPod | None) -> None:
        known = after or before
        assert known is not None
        pods = self._pods.setdefault(known.service_uid, {})
        if after is not None:
            pods[after.uid] = after
            return
        pods.pop(known.uid, None)
        if not pods:
            del self._pods[known.service_uid]

    def _attribute(self, before: tuple[str, Trouble] | None, after: tuple[str, Trouble] | None) -> None:
        for value, change in ((before, -1), (after, 1)):
            if value is not None:
                service, trouble = value
                counted = self._by_service.setdefault(service, Counter())
                counted[trouble] += change
                self._by_service[service] = +counted
                if not self._by_service[service]:
                    del self._by_service[service]
        for service in {value[0] for value in (before, after) if value is not None}:
            self._tell_troubled(service)


def _service_trouble(pod: Object) -> tuple[str, Trouble] | None:
    """The UID of the service that a pod belongs to, and what is wrong with the pod."""
    service = (pod["metadata"].get("labels") or {}).get(labels.SERVICE_UID)
    trouble = pod_trouble(pod)
    return (service, trouble) if service and trouble else None
