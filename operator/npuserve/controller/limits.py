"""How many replicas a namespace may have, and which services go first: ResourceQuotas and PriorityClasses, reduced at
once.

An operator of one namespace asks for nothing outside it: there all services have the same priority.
"""

from __future__ import annotations

import asyncio
from typing import Any

from npuserve.cluster.quotas import Quota, read_quota
from npuserve.controller.answers import Object, Selection
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube
from npuserve.controller.reduced import Reduced
from npuserve.controller.resources import PRIORITIES, QUOTAS, Resource
from npuserve.controller.streams import Sink, follow_if_allowed

PAGE = 250


class Limits:
    """The tables."""

    def __init__(self) -> None:
        self._quotas: Reduced[Quota] = Reduced(read_quota, changed=_nobody)
        self._priorities: Reduced[tuple[str, int, bool]] = Reduced(_priority, changed=_nobody)

    def quotas(self) -> tuple[Quota, ...]:
        """Every quota that concerns replicas, by namespace and name."""
        return tuple(sorted(self._quotas, key=lambda quota: (quota.namespace, quota.name)))

    def priority(self, name: str) -> int:
        """The value of a PriorityClass, of the cluster's default one where none is named; 0 where there is none."""
        found = (value for known, value, default in self._priorities if (known == name if name else default))
        return next(found, 0)

    async def follow(self, kube: Kube, *, namespace: str, freshness: Freshness, listed: asyncio.Event) -> None:
        """Keep the tables true for ever; sets `listed` when all was listed once or turned out to be forbidden."""
        streams: list[tuple[Resource, Reduced[Any]]] = [(QUOTAS, self._quotas)]
        if not namespace:
            streams.append((PRIORITIES, self._priorities))
        settled = [asyncio.Event() for _ in streams]
        async with asyncio.TaskGroup() as tasks:
            for (resource, table), event in zip(streams, settled, strict=True):
                sink = _sink(resource, table, freshness=freshness, settled=event)
                selection = Selection(namespace)
                tasks.create_task(follow_if_allowed(kube, resource, selection, sink=sink, settled=event, limit=PAGE))
            for event in settled:
                await event.wait()
            listed.set()


def _sink(resource: Resource, table: Reduced[Any], *, freshness: Freshness, settled: asyncio.Event) -> Sink:
    def keep_only(uids: frozenset[str], _: int) -> None:
        table.keep_only(uids)
        settled.set()

    return Sink(table.put, table.drop, keep_only=keep_only, heard=lambda: freshness.heard(resource.plural))


def _priority(body: Object) -> tuple[str, int, bool]:
    return str(body["metadata"]["name"]), int(body.get("value") or 0), bool(body.get("globalDefault"))


def _nobody(*_: Any) -> None:
    """Nobody waits for a change: each decision looks anew."""
