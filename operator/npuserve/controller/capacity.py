"""Which NPUs there are, who holds them, and what keeps our own pods from working: nodes and pods, reduced at once to a few values each.

Rule: no whole object is kept, so that ten thousand foreign pods cost a few megabytes. A change is told once, CALM_SECONDS after the first of a burst. Where
nodes may not be listed, the hardware that the configuration declares takes their place, and what is free is unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.cluster.nodes import read_node
from npuserve.cluster.pods import PodUse, npu_use
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube, Object, Selection
from npuserve.controller.reduced import Reduced
from npuserve.controller.resources import NODES, PODS
from npuserve.controller.streams import Forbidden, Sink, follow, insist
from npuserve.controller.trouble import pod_trouble, worst
from npuserve.reconcile.conditions import Trouble
from npuserve.render import labels

CALM_SECONDS = 1.0
PAGE = 100
"""Objects per page: pods come with managedFields, environment and status, and a larger page would cost tens of megabytes for a moment."""
_HOLDING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Pods that can hold devices; the API server leaves the others out."""
_OURS = f"{labels.MANAGED_BY}={labels.MANAGER}"

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Capacity:
    """The reduced table. `changed` is called when nodes or free devices changed, `troubled` with the UID of a service whose trouble did."""

    def __init__(self, flavour: str, *, changed: Callable[[], None], troubled: Callable[[str], None]) -> None:
        self._tell_changed = changed
        self._tell_troubled = troubled
        self._facts = ClusterFacts(nodes=(), known=False, flavour=flavour)
        self._outdated = False
        self._held: Counter[tuple[str, str]] = Counter()
        self._telling: asyncio.TimerHandle | None = None
        self._by_service: dict[str, Counter[Trouble]] = {}
        self._nodes: Reduced[tuple[NodeFacts, ...]] = Reduced(lambda node: read_node(node) or None, changed=self._renew)
        self._uses: Reduced[tuple[PodUse, ...]] = Reduced(lambda pod: npu_use(pod) or None, changed=self._count)
        self._troubles: Reduced[tuple[str, Trouble]] = Reduced(_service_trouble, changed=self._attribute)

    def facts(self) -> ClusterFacts:
        """The cluster as the planner sees it: the same object until the table changes, `known` once nodes and pods were listed."""
        if self._outdated:
            nodes = sorted((facts for node in self._nodes for facts in node), key=lambda facts: (facts.name, facts.resource))
            used: Counter[str] = Counter()
            for facts in nodes:
                used[facts.name] += self._held[facts.name, facts.resource]
            self._facts = replace(self._facts, nodes=tuple(nodes), used=used)
            self._outdated = False
        return self._facts

    def trouble(self, uid: str) -> Trouble | None:
        """What keeps pods of the service with this UID from working."""
        return worst(self._by_service.get(uid, ()))

    async def follow(self, kube: Kube, *, namespace: str, freshness: Freshness, listed: asyncio.Event) -> None:
        """Keep the table true for ever; sets `listed` when everything was listed once or turned out to be forbidden."""
        nodes, pods, own = asyncio.Event(), asyncio.Event(), asyncio.Event()
        follow_own = self._stream(self._troubles, "own pods", freshness=freshness, listed=own)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(insist(kube, PODS, Selection(namespace, labels=_OURS), sink=follow_own, limit=PAGE))
            tasks.create_task(self._follow_table(kube, freshness, nodes=nodes, pods=pods))
            for event in (nodes, pods, own):
                await event.wait()
            listed.set()

    async def _follow_table(self, kube: Kube, freshness: Freshness, *, nodes: asyncio.Event, pods: asyncio.Event) -> None:
        """Follow nodes and everyone's pods; where either is forbidden, capacity stays unknown."""
        follow_nodes = self._stream(self._nodes, "nodes", freshness=freshness, listed=nodes)
        follow_pods = self._stream(self._uses, "pods", freshness=freshness, listed=pods)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(follow(kube, NODES, Selection(), sink=follow_nodes, limit=PAGE))
                tasks.create_task(follow(kube, PODS, Selection(fields=_HOLDING), sink=follow_pods, limit=PAGE))
                await asyncio.gather(nodes.wait(), pods.wait())
                self._facts = replace(self._facts, known=True)
                self._renew(None, None)
        except* Forbidden as refused:
            logger.warning("free devices are unknown: %s", refused.exceptions[0])
            for stream, event in (("nodes", nodes), ("pods", pods)):
                freshness.closed(stream)
                event.set()

    def _stream(self, values: Reduced[T], name: str, *, freshness: Freshness, listed: asyncio.Event) -> Sink:
        def keep_only(uids: frozenset[str], _: int) -> None:
            values.keep_only(uids)
            listed.set()

        return Sink(values.put, values.drop, keep_only=keep_only, heard=lambda: freshness.heard(name))

    def _renew(self, before: Any, after: Any) -> None:
        """The table changed: tell it soon, once for a burst."""
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
        self._renew(before, after)

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
