"""How a resource is followed without end: a paged list, then watches, and a new list when the past is gone.

Rule: what a list does not hold any more is dropped, so that nothing missed between two watches lives on. Every failure
is survived with a growing pause, except that a first list that is forbidden is told, because it is a setting of the
cluster and not an accident.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from npuserve.controller.answers import ApiError, Object, Selection, Unreachable
from npuserve.controller.kube import Kube
from npuserve.controller.resources import Resource

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
ASK_AGAIN_SECONDS = 300.0

logger = logging.getLogger(__name__)


class Forbidden(Exception):
    """The operator may not list the resource."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Where objects go.

    `put` takes one that exists, `drop` one that ended, `keep_only` the UIDs of a whole list and its version, `heard`
    any sign of life.
    """

    put: Callable[[Object], None]
    drop: Callable[[Object], None]
    keep_only: Callable[[frozenset[str], int], None]
    heard: Callable[[], None]


async def follow(kube: Kube, resource: Resource, selection: Selection, *, sink: Sink, limit: int) -> None:
    """Feed the sink for ever; raises Forbidden when the resource may not be listed."""
    failures, listed = 0, False
    while True:
        try:
            version = await _list(kube, resource, selection, sink=sink, limit=limit)
            failures, listed = 0, True
            await _watch(kube, resource, selection, sink=sink, since=version)
        except (ApiError, Unreachable) as error:
            code = error.code if isinstance(error, ApiError) else 0
            if code == 403 and not listed:
                raise Forbidden(str(error)) from error
            if code != 410:
                failures += 1
                logger.warning("%s cannot be followed: %s", resource.plural, error)
        await asyncio.sleep(pause_after(failures))


def pause_after(failures: int, *, longest: float = _LONGEST_PAUSE) -> float:
    """Seconds until the next attempt, twice as many after each failure in a row, and without rhythm."""
    return min(longest, _FIRST_PAUSE * 2.0 ** min(failures, 20)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries


async def _list(kube: Kube, resource: Resource, selection: Selection, *, sink: Sink, limit: int) -> str:
    """Put every object and drop all others; returns the version from which to watch."""
    listed: set[str] = set()
    version = ""
    async for page in kube.pages(resource, selection, limit=limit):
        for item in page.items:
            listed.add(item["metadata"]["uid"])
            sink.put(item)
        version = page.version
        sink.heard()
    sink.keep_only(frozenset(listed), int(version))
    return version


async def _watch(kube: Kube, resource: Resource, selection: Selection, *, sink: Sink, since: str) -> None:
    """Watch again and again from where the last one ended, until the API server has forgotten that version (ApiError
    410)."""
    while True:
        async for event in kube.watch(resource, selection, since=since):
            sink.heard()
            since = event.object["metadata"]["resourceVersion"]
            match event.kind:
                case "ADDED" | "MODIFIED":
                    sink.put(event.object)
                case "DELETED":
                    sink.drop(event.object)
        await asyncio.sleep(_FIRST_PAUSE * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects


async def follow_if_allowed(
    kube: Kube, resource: Resource, selection: Selection, *, sink: Sink, settled: asyncio.Event, limit: int
) -> None:
    """Follow; what may not be listed stays unknown, and is asked for again: soon at first, because roles may come a moment
    after the operator that they are for, and seldom where it stays refused. `settled` is set once that is known."""
    for refusals in count(1):
        try:
            await follow(kube, resource, selection, sink=sink, limit=limit)
        except Forbidden as refused:
            logger.warning("%s stay unknown: %s", resource.plural, refused)
            settled.set()
            await asyncio.sleep(pause_after(refusals, longest=ASK_AGAIN_SECONDS))


async def insist(kube: Kube, resource: Resource, selection: Selection, *, sink: Sink, limit: int) -> None:
    """Feed the sink for ever, also when listing is forbidden at first: access may be granted later, within seconds where
    the operator is installed together with its roles."""
    for refusals in count(1):
        try:
            await follow(kube, resource, selection, sink=sink, limit=limit)
        except Forbidden as error:
            logger.warning("%s may not be listed, which the operator needs: %s", resource.plural, error)
            await asyncio.sleep(pause_after(refusals))
