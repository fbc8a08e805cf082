"""How other autoscalers are heard: HorizontalPodAutoscalers, reduced to what they scale, by the service that is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from npuserve.controller.answers import Selection
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube
from npuserve.controller.reduced import Reduced
from npuserve.controller.resources import DEPLOYMENTS, SCALERS
from npuserve.controller.store import Reference, Store
from npuserve.controller.streams import Sink, follow_if_allowed
from npuserve.reconcile.rivals import Rival, foremost, rival_of
from npuserve.render.names import child_name

PAGE = 250
_Target = tuple[str, str, str]


class Rivals:
    """The table. `tell` is called with the key of each service whose scalers changed."""

    def __init__(self, store: Store, *, tell: Callable[[str], None]) -> None:
        self._store = store
        self._tell = tell
        self._by_target: dict[_Target, dict[str, Rival]] = {}
        self._table: Reduced[Rival] = Reduced(rival_of, changed=self._note)

    def of(self, namespace: str, service: str) -> Rival | None:
        """Who else scales a service or its Deployment."""
        targets = (("service", namespace, service), ("deployment", namespace, child_name(service)))
        return foremost(rival for target in targets for rival in self._by_target.get(target, {}).values())

    async def follow(self, kube: Kube, *, namespace: str, freshness: Freshness, listed: asyncio.Event) -> None:
        """Keep the table true for ever; sets `listed` when all were listed once or turned out to be forbidden."""

        def keep_only(uids: frozenset[str], _: int) -> None:
            self._table.keep_only(uids)
            listed.set()

        sink = Sink(
            self._table.put, self._table.drop, keep_only=keep_only, heard=lambda: freshness.heard(SCALERS.plural)
        )
        await follow_if_allowed(kube, SCALERS, Selection(namespace), sink=sink, settled=listed, limit=PAGE)

    def _note(self, before: Rival | None, after: Rival | None) -> None:
        for rival in (before, after):
            if rival is not None:
                self._file(rival, present=rival is after)
        for key in {self._key(rival) for rival in (before, after) if rival is not None}:
            if key:
                self._tell(key)

    def _file(self, rival: Rival, *, present: bool) -> None:
        target = (rival.scales, rival.namespace, rival.target)
        there = self._by_target.setdefault(target, {})
        if present:
            there[rival.name] = rival
        else:
            there.pop(rival.name, None)
        if not there:
            del self._by_target[target]

    def _key(self, rival: Rival) -> str:
        """The key of the service that is meant; empty where there is none."""
        if rival.scales == "service":
            key = f"{rival.namespace}/{rival.target}"
            return key if self._store.service(key) is not None else ""
        child = self._store.find(Reference(DEPLOYMENTS.plural, rival.namespace, rival.target))
        return "" if child is None else child.owner
