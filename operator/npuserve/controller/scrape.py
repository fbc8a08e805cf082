"""What the replicas say of their load: one GET each, at its pod's address, all at once.

Rule: an engine is somebody else's program. It gets few seconds, little memory and no redirects, names are not resolved,
and whatever goes wrong with one replica is None for it and nothing for the others. Connections are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from npuserve.autoscale.page import Page
from npuserve.controller.bounded import TooLarge, read_body, url
from npuserve.controller.exposition import Reader, Unreadable
from npuserve.engines.metric_source import MetricSource

Trouble = Literal["Timeout", "Unreachable", "Refused", "TooLarge", "Unreadable"]
"""Why a replica could not be read: no answer in time, no connection or a broken one, another status than 200, a page of
more than `LARGEST` bytes, or one that lacks what the engine's row promises."""

SECONDS = 3.0
"""For one page in all: a busy engine answers late."""
CONNECT_SECONDS = 1.0
LARGEST = 2 << 20
"""Bytes; a busy vLLM shows about 60 kB."""
AT_ONCE = 200
"""Pages on their way at a time, so that dead replicas do not take the sockets of all."""
_HEADERS = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity", "User-Agent": "npuserve"}


@dataclass(frozen=True, slots=True)
class Target:
    """One replica: the UID and the IP address of its pod, and what its engine shows where."""

    uid: str
    address: str
    source: MetricSource


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a replica could not be read, and in which words."""

    trouble: Trouble
    detail: str


class _Refused(Exception):
    pass


@dataclass(slots=True)
class Scraper:
    """Reads replicas; `count` is told each trouble."""

    session: ClientSession
    count: Callable[[Trouble], None] = lambda _: None
    missing: dict[str, Missing] = field(default_factory=dict)
    """Of the targets that could not be read when they were asked last, by pod UID."""
    _readers: dict[MetricSource, Reader] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def read(self, targets: Sequence[Target]) -> dict[str, Page | None]:
        """The page of each target by pod UID; None where it could not be read."""
        pages = await asyncio.gather(*(self._read(target) for target in targets))
        return {target.uid: page for target, page in zip(targets, pages, strict=True)}

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        self.missing.pop(uid, None)

    async def _read(self, target: Target) -> Page | None:
        try:
            async with self._room:
                text = await self._text(target)
            page = self._reader(target.source).read(text)
        except TimeoutError:
            missing = Missing("Timeout", f"no page within {SECONDS:.0f} s")
        except _Refused as refused:
            missing = Missing("Refused", str(refused))
        except TooLarge:
            missing = Missing("TooLarge", f"the page has more than {LARGEST} bytes")
        except Unreadable as fault:
            missing = Missing("Unreadable", str(fault))
        except (ClientError, OSError, ValueError) as fault:
            missing = Missing("Unreachable", str(fault) or type(fault).__name__)
        else:
            self.missing.pop(target.uid, None)
            return page
        self.missing[target.uid] = missing
        self.count(missing.trouble)
        return None

    async def _text(self, target: Target) -> bytes:
        async with self.session.get(
            url(target.address, target.source.port, target.source.path), allow_redirects=False
        ) as response:
            if response.status != 200:
                raise _Refused(f"answered {response.status}")
            return await read_body(response, limit=LARGEST)

    def _reader(self, source: MetricSource) -> Reader:
        reader = self._readers.get(source)
        if reader is None:
            reader = self._readers[source] = Reader(source)
        return reader


def session() -> ClientSession:
    """A session for scraping, to be closed by whoever asks for it."""
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=30.0),
        timeout=ClientTimeout(total=SECONDS, sock_connect=CONNECT_SECONDS),
        headers=_HEADERS,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )
