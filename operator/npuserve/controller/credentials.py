"""Who the operator is to the API server: one login for kopf's streams and for its own requests.

Order: KUBECONFIG when it is set, else the pod's service account, else ~/.kube/config. The login is read again every
minute, because the kubelet replaces the token of a service account; an answer of 401 reads it at once, at most once a
second, and the request is repeated once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence

import kopf
from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

Login = Callable[[], kopf.ConnectionInfo]
_UNAUTHORIZED = 401
_REREAD_SECONDS = 60.0
_BETWEEN_LOGINS = 1.0

logger = logging.getLogger(__name__)


class NoCredentials(RuntimeError):
    """Neither a kubeconfig nor a service account was found, or it holds nothing to log in with."""


class Credentials:
    """The current login and the sessions that use it."""

    def __init__(self, login: Login, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._info = login()
        self._headers = self._info.as_http_headers()
        self._read_at = clock()
        self._renewing = asyncio.Lock()

    @property
    def server(self) -> str:
        """The API server's URL without a slash at its end."""
        return self._info.server.rstrip("/")

    @property
    def namespace(self) -> str:
        """The namespace of the current context; empty when it names none."""
        return self._info.default_namespace or ""

    def session(self, *, connections: int, middlewares: Sequence[ClientMiddlewareType] = ()) -> ClientSession:
        """A new HTTP session of this login with at most so many connections (0: no limit); the caller closes it."""
        return ClientSession(
            connector=TCPConnector(limit=connections, ssl=self._info.as_ssl_context(), keepalive_timeout=60),
            timeout=ClientTimeout(total=30, sock_connect=5),
            cookie_jar=DummyCookieJar(),
            middlewares=(self._authorize, *middlewares),
            proxy=self._info.proxy_url,
        )

    async def _authorize(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        if self._clock() - self._read_at > _REREAD_SECONDS:
            await self._renew(self._headers)
        used = self._headers
        request.headers.update(used)
        response = await send(request)
        if response.status != _UNAUTHORIZED:
            return response
        response.release()
        await self._renew(used)
        request.headers.update(self._headers)
        return await send(request)

    async def _renew(self, failed: dict[str, str]) -> None:
        """Log in again unless another request did so since `failed` was read."""
        async with self._renewing:
            if self._headers is not failed:
                return
            await asyncio.sleep(max(0.0, self._read_at + _BETWEEN_LOGINS - self._clock()))
            try:
                self._info = await asyncio.to_thread(self._login)
            except NoCredentials as error:
                logger.warning("the login cannot be read again; the previous one stays", extra={"error": str(error)})
            self._headers = dict(self._info.as_http_headers())
            self._read_at = self._clock()


def log_in() -> kopf.ConnectionInfo:
    """The connection that the environment describes; raises NoCredentials.

    Users with an `exec` plug-in go through the official client.
    """
    settings = kopf.OperatorSettings()
    found = None if os.environ.get("KUBECONFIG") else kopf.login_with_service_account(settings=settings)
    if found is None:
        try:
            found = kopf.login_with_kubeconfig(settings=settings)
        except (OSError, KeyError, ValueError, kopf.LoginError) as error:
            raise NoCredentials(f"the kubeconfig cannot be used: {error!r}") from error
    if found is None or not found.server:
        raise NoCredentials("no kubeconfig and no service account: set KUBECONFIG")
    return found if _proves_identity(found) else _by_official_client(settings)


def _proves_identity(info: kopf.ConnectionInfo) -> bool:
    return bool(info.token or info.password or info.certificate_path or info.certificate_data)


def _by_official_client(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    try:
        found = kopf.login_via_client(logger=logger, settings=settings)
    except kopf.LoginError as error:
        raise NoCredentials(str(error)) from error
    if found is None or not _proves_identity(found):
        raise NoCredentials("the kubeconfig's current user has no token, certificate, password or plug-in")
    return found
