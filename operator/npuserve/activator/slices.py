"""How the activator hears of services and replicas: it follows the EndpointSlices that carry our label.

Rule: a list, then a watch from where it ended, and a new list when the past is gone or the watch has been silent for
longer than the API server's bookmarks allow. What a list does not hold any more is dropped. Failures are survived.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from kubernetes.aio import config, watch
from kubernetes.aio.client import ApiClient, ApiException, Configuration, DiscoveryV1Api

from npuserve.activator.table import Table
from npuserve.render import labels

SELECTOR = f"{labels.MANAGED_BY}={labels.MANAGER}"
PAGE = 200
SILENCE_SECONDS = 90.0
"""A watch without an event or bookmark for so long is dead: the API server sends a bookmark every minute."""
STREAM_SECONDS = 240
_ANSWER_SECONDS = 30.0
_LONGEST_PAUSE = 10.0

logger = logging.getLogger(__name__)


class NoLogin(RuntimeError):
    """Neither a kubeconfig nor a service account tells how to log in."""


async def log_in() -> ApiClient:
    """A client of the API server: KUBECONFIG when it is set, else the pod's service account; raises NoLogin."""
    found: Configuration = type.__call__(Configuration)
    try:
        if file := os.environ.get("KUBECONFIG"):
            await config.load_kube_config(file, client_configuration=found)
        else:
            config.load_incluster_config(client_configuration=found)
    except (config.ConfigException, OSError) as error:
        raise NoLogin(f"the API server cannot be logged in to: {error}") from error
    return ApiClient(configuration=found)


class Slices:
    """Follows the slices of a namespace, or of all where it is empty; `heard` is called at every sign of life."""

    def __init__(self, api: ApiClient, table: Table, *, namespace: str, heard: Callable[[], None]) -> None:
        discovery = DiscoveryV1Api(api)
        self._every = discovery.list_endpoint_slice_for_all_namespaces
        self._one = discovery.list_namespaced_endpoint_slice
        self._discovery = discovery
        self._table = table
        self._namespace = namespace
        self._heard = heard
        self.listed = asyncio.Event()

    async def follow(self) -> None:
        """Keep the table true for ever."""
        failures = 0
        while True:
            try:
                version = await self._list()
                failures = 0
                self.listed.set()
                await self._watch(version)
            except Exception as error:  # noqa: BLE001 - a stream can break in many ways, and none may end the process
                if getattr(error, "status", 0) != 410:
                    failures += 1
                    logger.warning("endpointslices cannot be followed: %r", error)
            await asyncio.sleep(min(_LONGEST_PAUSE, 0.2 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries

    async def _list(self) -> str:
        """Take in every slice and drop all others; the version from which to watch."""
        seen: set[str] = set()
        version = ""
        async for page in self._pages():
            for item in page["items"]:
                seen.add(item["metadata"]["uid"])
                self._table.put(item)
            version = page["metadata"]["resourceVersion"]
            self._heard()
        self._table.keep_only(frozenset(seen))
        return version

    async def _pages(self) -> AsyncIterator[dict[str, Any]]:
        after: str | None = None
        while True:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._ask(label_selector=SELECTOR, limit=PAGE, _continue=after)
                text = await answer.read()
            if answer.status >= 400:
                raise ApiException(status=answer.status, reason=text[:200].decode(errors="replace"))
            page = json.loads(text)
            yield page
            after = page["metadata"].get("continue") or None
            if after is None:
                return

    async def _ask(self, **query: Any) -> Any:
        """The answer to a list, as it comes: nothing is made of the thousands of values that are not needed."""
        if self._namespace:
            return await self._discovery.list_namespaced_endpoint_slice_without_preload_content(
                self._namespace, **query
            )
        return await self._discovery.list_endpoint_slice_for_all_namespaces_without_preload_content(**query)

    async def _watch(self, version: str) -> None:
        """Take in events until the server ends the stream; raises TimeoutError when it falls silent, and ApiException
        410 when it has forgotten `version`."""
        where = (self._one, self._namespace) if self._namespace else (self._every,)
        while True:
            async with watch.Watch(return_type="object") as events:
                events.stream(
                    *where,
                    label_selector=SELECTOR,
                    resource_version=version,
                    allow_watch_bookmarks=True,
                    timeout_seconds=STREAM_SECONDS,
                )
                while (event := await self._next(events)) is not None:
                    self._heard()
                    version = event["raw_object"]["metadata"]["resourceVersion"]
                    match event["type"]:
                        case "ADDED" | "MODIFIED":
                            self._table.put(event["raw_object"])
                        case "DELETED":
                            self._table.drop(event["raw_object"])

    async def _next(self, events: watch.Watch) -> dict[str, Any] | None:
        """The next event; None at the end of the stream."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                found: dict[str, Any] = await anext(events)
        except StopAsyncIteration:
            return None
        return found
