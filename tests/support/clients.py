"""Clients of a service: they dial where the Service leads to, and keep account of what became of each request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.endpoints import Endpoint, Proxy
from tests.support.engines import MODEL

PATIENCE_SECONDS = 300.0


@dataclass(slots=True)
class Told:
    """What became of one request."""

    began: float
    endpoint: Endpoint | None = None
    status: int = 0
    first: float | None = None
    """When the first token came."""
    tokens: int = 0
    whole: bool = False
    """It ended as a whole answer does."""
    problem: str = ""
    ended: float = 0.0

    @property
    def lost(self) -> bool:
        return not self.whole


def chat(tokens: int, *, prompt: int = 20, stream: bool = True, model: str = MODEL) -> dict[str, Any]:
    """The body of a request for an answer of that many tokens."""
    message = {"role": "user", "content": " ".join(["word"] * prompt)}
    return {"model": model, "messages": [message], "max_tokens": tokens, "stream": stream}


async def ask(proxy: Proxy, body: dict[str, Any], *, session: aiohttp.ClientSession | None = None) -> Told:
    """One request on a connection of its own."""
    told = Told(time.monotonic(), proxy.choose())
    if told.endpoint is None:
        told.problem = "no endpoint"
        return told
    async with _session() as own:
        await send(session or own, told, body)
    return told


async def send(session: aiohttp.ClientSession, told: Told, body: dict[str, Any]) -> None:
    """Send it to the endpoint named in the account, and complete that."""
    assert told.endpoint is not None
    url = f"http://{told.endpoint.address}:{told.endpoint.port}/v1/chat/completions"
    try:
        async with session.post(url, json=body) as answer:
            told.status = answer.status
            if answer.status != 200:
                told.problem = (await answer.text())[:300]
            elif body["stream"]:
                await _read_stream(answer, told)
            else:
                content = (await answer.json())["choices"][0]["message"]["content"]
                told.tokens, told.whole = len(content.split()), True
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        told.problem = f"{type(error).__name__}: {error}"
    told.ended = time.monotonic()


@dataclass(slots=True)
class Conversation:
    """A client that keeps one connection and sends one request after another over it."""

    proxy: Proxy
    pause: float
    """Seconds between an answer and the next request."""
    tokens: int
    accounts: list[Told] = field(default_factory=list)
    dialled: int = 0
    repeated: int = 0
    """Requests sent again because the connection that they were to use had been closed, as HTTP clients do."""

    async def talk(self, over: asyncio.Event) -> None:
        """Go on until told to end."""
        while not over.is_set():
            endpoint = self.proxy.choose()
            if endpoint is None:
                await asyncio.sleep(self.pause)
                continue
            self.dialled += 1
            async with _session() as session:
                await self._stay(session, endpoint, over)

    async def _stay(self, session: aiohttp.ClientSession, endpoint: Endpoint, over: asyncio.Event) -> None:
        """Use one connection for as long as it lasts."""
        used = 0
        while not over.is_set():
            told = Told(time.monotonic(), endpoint)
            await send(session, told, chat(self.tokens, stream=False))
            if used and told.problem.startswith(("ServerDisconnected", "ClientOSError", "ClientConnectionReset")):
                self.repeated += 1
                return
            self.accounts.append(told)
            used += 1
            await asyncio.sleep(self.pause)
            if told.lost or not _kept(session):
                return


async def _read_stream(answer: aiohttp.ClientResponse, told: Told) -> None:
    async for line in answer.content:
        if not line.startswith(b"data: "):
            continue
        data = line[len(b"data: ") :].strip()
        if data == b"[DONE]":
            told.whole = True
            continue
        event = json.loads(data)
        if "error" in event:
            told.problem = str(event["error"])
        elif event["choices"][0]["delta"].get("content"):
            told.first = told.first or time.monotonic()
            told.tokens += 1


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    """One connection at most, kept for long."""
    connector = aiohttp.TCPConnector(limit=1, keepalive_timeout=PATIENCE_SECONDS)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield session


def _kept(session: aiohttp.ClientSession) -> bool:
    """Whether the connection is still there for the next request."""
    connector = session.connector
    return connector is not None and any(connector._conns.values())
