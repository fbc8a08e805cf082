"""How a request reaches a replica: the same method, path, headers and body, over a connection of its own.

Rule: a replica that does not take the connection has seen nothing of the request, so another one, or the same one
later, may be asked. After that a request is never sent twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from io import BytesIO

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
    web,
)
from yarl import URL

from npuserve.activator.bodies import Streamed
from npuserve.activator.failures import Refused, body_too_large, replica_lost, replica_silent
from npuserve.activator.headers import passed_on
from npuserve.activator.line import Line, Replica

CONNECT_SECONDS = 5.0
_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp's client would add where the request has none."""


class NotTaken(Exception):
    """The replica did not take the connection."""


def client(idle: float) -> ClientSession:
    """A client that changes nothing. `idle`: seconds for which a replica may be silent."""
    return ClientSession(
        connector=TCPConnector(limit=0, force_close=True),
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=idle),
        cookie_jar=DummyCookieJar(),
        skip_auto_headers=_ADDED,
        auto_decompress=False,
    )


class Sender:
    """Sends requests; `limit` is the longest body, `idle` as of `client`."""

    def __init__(self, session: ClientSession, *, limit: int, idle: float) -> None:
        self._session = session
        self._limit = limit
        self.idle = idle

    async def stream(self, request: web.Request, line: Line, replica: Replica) -> ClientResponse:
        """Send a request with its body as that comes; raises NotTaken and Refused."""
        body = Streamed(request, self._limit) if request.body_exists else None
        try:
            return await self._send(request, line, replica, data=body, without=frozenset())
        except Refused:
            if body is not None and body.exceeded:
                raise Refused(body_too_large(self._limit)) from None
            raise

    async def deliver(
        self, request: web.Request, line: Line, replica: Replica, *, body: bytes, plain: bool
    ) -> ClientResponse:
        """Send a request with a body that was kept; `plain` asks for an answer that is not compressed. Raises NotTaken
        and Refused."""
        without = frozenset({"content-length", *(["accept-encoding"] if plain else [])})
        return await self._send(request, line, replica, data=BytesIO(body) if body else None, without=without)

    async def _send(
        self,
        request: web.Request,
        line: Line,
        replica: Replica,
        *,
        data: BytesIO | AsyncIterable[bytes] | None,
        without: frozenset[str],
    ) -> ClientResponse:
        headers = passed_on(request.headers, without=without)
        url = _url(replica, request.raw_path)
        try:
            return await self._session.request(request.method, url, headers=headers, data=data, allow_redirects=False)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            line.spurned_by(replica)
            raise NotTaken(str(error)) from error
        except TimeoutError as error:
            raise Refused(replica_silent(line.name, self.idle)) from error
        except ClientError as error:
            raise Refused(replica_lost(line.name)) from error


def _url(replica: Replica, raw_path: str) -> URL:
    host, port = replica
    target = raw_path if raw_path.startswith("/") else URL(raw_path).raw_path_qs
    return URL(f"http://{f'[{host}]' if ':' in host else host}:{port}{target}", encoded=True)
