"""How services are heard: kopf as an informer that tells the store and writes nothing.

Rule: a `kopf.on.event` puts what it sees into the store, and the service into the queue. kopf keeps no state in objects
(both storages are empty), posts no events, adds no finalizers and scans for nothing. Its streams run over a session of
ours, where lists, events and bookmarks are heard. It does not tell what is missing from a second list, so one of our
own follows. When kopf ends, it is started again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import kopf
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, StreamReader

from npuserve.controller.answers import ApiError, Selection, Unreachable
from npuserve.controller.credentials import Credentials
from npuserve.controller.freshness import Freshness
from npuserve.controller.informing import kopf_settings
from npuserve.controller.kube import Kube
from npuserve.controller.resources import SERVICE, path
from npuserve.controller.store import News, Store

STREAM = SERVICE.plural
QUIET_SECONDS = 0.2
"""Once the stream is open and no object came for so long, the list has been taken in."""
_SETTLE_SECONDS = 2.0
"""From a second list to the check of what was missing from it."""
_RESTART_SECONDS = 3.0

logger = logging.getLogger(__name__)


class Informer:
    """Keeps the store true. `tell` gets every piece of news."""

    def __init__(
        self,
        kube: Kube,
        credentials: Credentials,
        *,
        namespace: str,
        store: Store,
        freshness: Freshness,
        tell: Callable[[News], None],
    ) -> None:
        self._kube = kube
        self._credentials = credentials
        self._namespace = namespace
        self._store = store
        self._freshness = freshness
        self._tell = tell
        self._path = path(SERVICE, namespace)
        self._open = asyncio.Event()
        self._last_object = 0.0
        self._audits: set[asyncio.Task[None]] = set()

    async def synced(self) -> None:
        """Return when every service that existed at the start has been taken in."""
        await self._open.wait()
        loop = asyncio.get_running_loop()
        while (rest := self._last_object + QUIET_SECONDS - loop.time()) > 0:  # noqa: ASYNC110 - quiet is the absence of events
            await asyncio.sleep(rest)

    async def run(self, *, started: Callable[[], None]) -> None:
        """Watch for ever.

        `started` is called each time kopf has installed itself, which includes its own signal handlers.
        """
        while True:
            await self._until_served()
            try:
                await self._run_kopf(started)
            except Exception:
                logger.exception("the watch of services ended and is opened again")
            self._freshness.closed(STREAM)
            await asyncio.sleep(_RESTART_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries

    async def audit(self) -> None:
        """Drop from the store the services that the API server no longer has."""
        listed: set[str] = set()
        version = 0
        async for page in self._kube.pages(SERVICE, Selection(self._namespace), metadata_only=True):
            listed |= {item["metadata"]["uid"] for item in page.items}
            version = int(page.version)
        for news in self._store.observe_list(SERVICE, frozenset(listed), version=version):
            self._tell(news)

    async def _until_served(self) -> None:
        told = False
        while True:
            try:
                if await self._kube.serves(SERVICE):
                    return
                if not told:
                    logger.warning("the API server does not know %s yet; apply the CRD", SERVICE.plural)
                    told = True
            except (ApiError, Unreachable) as error:
                logger.warning("the API server cannot be asked what it serves: %s", error)
            await asyncio.sleep(_RESTART_SECONDS)

    async def _run_kopf(self, started: Callable[[], None]) -> None:
        sessions: list[ClientSession] = []
        scope: dict[str, Any] = {"namespaces": [self._namespace]} if self._namespace else {"clusterwide": True}
        tasks = await kopf.spawn_tasks(
            registry=self._registry(sessions), settings=kopf_settings(), standalone=True, **scope
        )
        started()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for session in sessions:
                await session.close()

    def _registry(self, sessions: list[ClientSession]) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def log_in(**_: Any) -> kopf.AiohttpSession:
            session = self._credentials.session(connections=0, middlewares=[self._hear])
            sessions.append(session)
            return kopf.AiohttpSession(server=self._credentials.server, aiohttp_session=session)

        kopf.on.event(group=SERVICE.group, version=SERVICE.version, plural=SERVICE.plural, registry=registry)(
            self._take_in
        )
        return registry

    async def _take_in(self, event: kopf.RawEvent, **_: Any) -> None:
        body = cast(dict[str, Any], event["object"])
        self._last_object = asyncio.get_running_loop().time()
        take = self._store.observe_gone if event["type"] == "DELETED" else self._store.observe
        news = take(SERVICE, body)
        if news is not None:
            self._tell(news)

    async def _hear(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        """See which list or watch a response belongs to, and listen to the bytes of a watch."""
        response = await send(request)
        if request.url.path != self._path or response.status >= 400:
            return response
        self._freshness.heard(STREAM)
        if "watch" in request.url.query:
            response.content = cast(StreamReader, _Overheard(response.content, lambda: self._freshness.heard(STREAM)))
            self._last_object = asyncio.get_running_loop().time()
            self._open.set()
        elif "continue" not in request.url.query and self._open.is_set():
            self._audit_later()
        return response

    def _audit_later(self) -> None:
        async def audit() -> None:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                await self.audit()
            except (ApiError, Unreachable) as error:
                logger.warning("services cannot be compared with what is known: %s", error)
                self._audit_later()

        task = asyncio.get_running_loop().create_task(audit())
        self._audits.add(task)
        task.add_done_callback(self._audits.discard)


class _Overheard:
    """The body of a watch, of which every arrival is told: kopf keeps bookmarks to itself."""

    def __init__(self, content: StreamReader, heard: Callable[[], None]) -> None:
        self._content = content
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for data in self._content.iter_chunked(size):
            self._heard()
            yield data
