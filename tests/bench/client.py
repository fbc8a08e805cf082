"""A bare asyncio client of the API server: what the load and the floor are written with, and nothing of the operator's."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import yaml

Object = dict[str, Any]
T = TypeVar("T")

_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Client:
    """One session as the administrator of a cluster."""

    session: aiohttp.ClientSession
    url: str

    async def post(self, path: str, body: Object) -> Object:
        return await self._send("POST", path, body, _JSON)

    async def apply(self, path: str, body: Object, manager: str = "floor") -> Object:
        return await self._send("PATCH", f"{path}?fieldManager={manager}&force=true", body, _APPLY)

    async def get(self, path: str) -> Object:
        return await self._send("GET", path, None, {})

    async def _send(self, method: str, path: str, body: Object | None, headers: dict[str, str]) -> Object:
        data = None if body is None else json.dumps(body).encode()
        async with self.session.request(method, self.url + path, data=data, headers=headers) as response:
            answer: Object = await response.json()
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {answer.get('message')}")
            return answer

    async def watch(self, path: str, since: str) -> AsyncIterator[Object]:
        """Events with the metadata of their objects."""
        query = f"{path}?watch=true&resourceVersion={since}"
        headers = {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session.get(self.url + query, headers=headers, timeout=timeout) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)


@asynccontextmanager
async def connect(kubeconfig: Path, ca: Path) -> AsyncIterator[Client]:
    """A client with the first user's token of a kubeconfig."""
    document = yaml.safe_load(kubeconfig.read_text())  # noqa: ASYNC240 - before anything is measured
    token, url = document["users"][0]["user"]["token"], document["clusters"][0]["cluster"]["server"]
    connector = aiohttp.TCPConnector(limit=64, ssl=ssl.create_default_context(cafile=str(ca)))
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {token}"}) as session:
        yield Client(session, url)


async def in_flight(limit: int, items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Work on every item, so many at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(limit):
            tasks.create_task(worker())


@dataclass(slots=True)
class Arrivals:
    """When each Deployment came into being, as a watch of our own shows it; times of `time.perf_counter`."""

    at: dict[str, float] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self, client: Client) -> None:
        """Note arrivals for ever. Metadata is enough, and costs the API server and this process least."""
        path = "/apis/apps/v1/deployments"
        version = (await client.get(path + "?limit=1"))["metadata"]["resourceVersion"]
        async for event in client.watch(path, version):
            if event["type"] == "ADDED":
                async with self._changed:
                    self.at[event["object"]["metadata"]["name"]] = time.perf_counter()
                    self._changed.notify_all()

    async def of(self, names: Iterable[str], *, within: float) -> float:
        """The time at which the last of these had arrived."""
        wanted = set(names)
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: wanted <= self.at.keys())
        return max(self.at[name] for name in wanted)
