"""How the children of services are heard: one stream per resource, of the objects that carry our label."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from npuserve.controller.answers import Object, Selection
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube
from npuserve.controller.resources import CHILDREN, ENDPOINT_SLICES, Resource
from npuserve.controller.store import News, Store
from npuserve.controller.streams import Sink, insist
from npuserve.render import labels

MANAGED = f"{labels.MANAGED_BY}={labels.MANAGER}"
_SELECTORS = {ENDPOINT_SLICES: f"{MANAGED},{labels.SLICE_MANAGER}={labels.SLICES_OF_ACTIVATOR}"}
"""Where the label alone is not ours: Kubernetes copies it from a Service to the slices of its pods."""
PAGE = 100
"""Deployments come with managedFields and the record of their plan: some 12 kB each."""


async def follow_children(
    kube: Kube,
    store: Store,
    *,
    namespace: str,
    freshness: Freshness,
    tell: Callable[[News], None],
    listed: asyncio.Event,
) -> None:
    """Keep the store true for ever; sets `listed` when every child that existed at the start is in it.

    `tell` gets every piece of news.
    """
    first = {resource.plural: asyncio.Event() for resource in CHILDREN}
    async with asyncio.TaskGroup() as tasks:
        for resource in CHILDREN:
            sink = _sink(resource, store, freshness=freshness, tell=tell, listed=first[resource.plural])
            selection = Selection(namespace, labels=_SELECTORS.get(resource, MANAGED))
            tasks.create_task(insist(kube, resource, selection, sink=sink, limit=PAGE))
        for event in first.values():
            await event.wait()
        listed.set()


def _sink(
    resource: Resource, store: Store, *, freshness: Freshness, tell: Callable[[News], None], listed: asyncio.Event
) -> Sink:
    def tell_all(found: Iterable[News | None]) -> None:
        for news in found:
            if news is not None:
                tell(news)

    def put(body: Object) -> None:
        tell_all([store.observe(resource, body)])

    def drop(body: Object) -> None:
        tell_all([store.observe_gone(resource, body)])

    def keep_only(uids: frozenset[str], version: int) -> None:
        tell_all(store.observe_list(resource, uids, version=version))
        listed.set()

    return Sink(put, drop, keep_only=keep_only, heard=lambda: freshness.heard(resource.plural))
