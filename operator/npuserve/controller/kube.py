"""The Kubernetes API as the operator needs it: raw JSON over one HTTP session.

Rule: a request is repeated only where that is safe (every verb here is idempotent), after 429, 5xx and broken
connections, with growing, jittered pauses and never before the server's Retry-After; what is left over is raised as
`ApiError` or `Unreachable`. Writes carry the one field manager `npuserve`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, ClientSession, ClientTimeout

from npuserve.controller.answers import ApiError, Object, Page, Selection, Unreachable, WatchEvent, refusal, refusal_in
from npuserve.controller.resources import Resource, path

FIELD_MANAGER = "npuserve"
ATTEMPTS = 5
LIST_LIMIT = 500
SILENCE_SECONDS = 70.0
"""A watch without an event or bookmark for so long is dead: the API server sends a bookmark every minute."""
STREAM_SECONDS = 300
NEVER = "1"
"""No object has this version: applying at it creates, or is refused with 409 (tried with the API server 1.36.4)."""

_APPLY = {
    "Content-Type": "application/apply-patch+yaml",
    "Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
}
_MERGE = {
    "Content-Type": "application/merge-patch+json",
    "Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
}
_METADATA_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
_JSON = {"Content-Type": "application/json"}
_NETWORK = (ClientConnectionError, ClientPayloadError, ConnectionError, TimeoutError)

logger = logging.getLogger(__name__)


Count = Callable[[str, str, int], None]
"""Told verb, resource and code of every answer; code 0 when there was none."""


@dataclass(slots=True)
class Kube:
    """The client. `server` has no slash at its end; `jitter` gives a factor from 0.5 to 1."""

    session: ClientSession
    server: str
    count: Count = lambda *_: None
    jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, keeps no secret
    pause: float = 0.1
    _timeout: ClientTimeout = field(default_factory=lambda: ClientTimeout(total=30, sock_connect=5))

    async def get(self, resource: Resource, namespace: str, *, name: str) -> Object | None:
        """The object; None when it does not exist."""
        try:
            return await self._ask("GET", path(resource, namespace, name=name), verb="get", resource=resource)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def pages(
        self, resource: Resource, selection: Selection, *, limit: int = LIST_LIMIT, metadata_only: bool = False
    ) -> AsyncIterator[Page]:
        """Every object, page by page; raises ApiError 410 when a page came too late, after which the caller starts
        again."""
        query = {**selection.query(), "limit": str(limit)}
        headers = _METADATA_LIST if metadata_only else {}
        while True:
            url = path(resource, selection.namespace)
            answer = await self._ask("GET", url, verb="list", resource=resource, query=query, headers=headers)
            metadata = answer.get("metadata") or {}
            yield Page(answer.get("items") or [], str(metadata.get("resourceVersion", "")))
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def watch(self, resource: Resource, selection: Selection, *, since: str) -> AsyncIterator[WatchEvent]:
        """Events after version `since` until the server ends the stream or it falls silent; raises ApiError 410 when
        `since` is too old."""
        query = {**selection.query(), "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since}
        query["timeoutSeconds"] = str(STREAM_SECONDS)
        timeout = ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
        try:
            async with self.session.get(
                self.server + path(resource, selection.namespace), params=query, timeout=timeout
            ) as response:
                self.count("watch", resource.plural, response.status)
                if response.status >= 400:
                    raise refusal(response.status, await response.read())
                async for line in _lines(response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise refusal_in(event["object"])
                    yield WatchEvent(event["type"], event["object"])
        except _NETWORK as error:
            logger.debug("watch of %s ended: %r", resource.plural, error)

    async def apply(self, resource: Resource, manifest: Object, *, force: bool, subresource: str = "") -> Object:
        """Server-side apply of one object; its metadata as it is now, the rest comes with the watch.

        Raises ApiError 409 on a conflict of fields or versions.
        """
        metadata = manifest["metadata"]
        url = path(resource, metadata.get("namespace", ""), name=metadata["name"], subresource=subresource)
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
        return await self._ask(
            "PATCH", url, verb="apply", resource=resource, query=query, headers=_APPLY, body=manifest
        )

    async def merge(self, resource: Resource, namespace: str, *, name: str, changes: Object) -> Object:
        """Merge `changes` into an object that someone else made; its metadata as it is now.

        Raises ApiError 422 where `changes` names a UID that the object does not have.
        """
        url, query = path(resource, namespace, name=name), {"fieldManager": FIELD_MANAGER}
        return await self._ask("PATCH", url, verb="patch", resource=resource, query=query, headers=_MERGE, body=changes)

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """A new object; raises ApiError 409 when the name is taken, also by an earlier attempt of the same call."""
        url = path(resource, manifest["metadata"].get("namespace", ""))
        query = {"fieldManager": FIELD_MANAGER}
        return await self._ask("POST", url, verb="create", resource=resource, query=query, headers=_JSON, body=manifest)

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        """The whole object anew, at the version that `manifest` carries; raises ApiError 409 when it has moved on."""
        metadata = manifest["metadata"]
        url = path(resource, metadata.get("namespace", ""), name=metadata["name"])
        query = {"fieldManager": FIELD_MANAGER}
        return await self._ask("PUT", url, verb="update", resource=resource, query=query, headers=_JSON, body=manifest)

    async def delete(self, resource: Resource, namespace: str, *, name: str, uid: str, version: str) -> None:
        """Delete exactly this object at exactly this version; nothing happens when it is gone."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid, "resourceVersion": version}}
        try:
            await self._ask(
                "DELETE",
                path(resource, namespace, name=name),
                verb="delete",
                resource=resource,
                headers=_JSON,
                body=body,
            )
        except ApiError as error:
            if error.code != 404:
                raise

    async def serves(self, resource: Resource) -> bool:
        """Whether the API server knows the resource now."""
        try:
            answer = await self._ask("GET", resource.root, verb="discover", resource=resource)
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return any(entry.get("name") == resource.plural for entry in answer.get("resources") or ())

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        verb: str,
        resource: Resource,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Object | None = None,
    ) -> Object:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(1, ATTEMPTS + 1):
            wait = self.pause * 2**attempt * self.jitter()
            try:
                async with self.session.request(
                    method, self.server + url, params=query, headers=headers, data=data, timeout=self._timeout
                ) as response:
                    content = await response.read()
            except _NETWORK as error:
                self.count(verb, resource.plural, 0)
                if attempt == ATTEMPTS:
                    raise Unreachable(f"{verb} {resource.plural}: {error!r}") from error
            else:
                self.count(verb, resource.plural, response.status)
                if response.status < 400:
                    return json.loads(content) if content else {}
                refused = refusal(response.status, content)
                if attempt == ATTEMPTS or not refused.passing:
                    raise refused
                wait = max(wait, _retry_after(response))
            await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")


def _retry_after(response: ClientResponse) -> float:
    try:
        return min(30.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0


async def _lines(response: ClientResponse) -> AsyncIterator[bytes]:
    """Whole lines of any length."""
    begun: list[bytes] = []
    async for chunk in response.content.iter_any():
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            whole = b"".join((*begun, line))
            begun.clear()
            if whole:
                yield whole
        if rest:
            begun.append(rest)
