"""Which replica of the operator works: the holder of one Lease.

Rule: whoever holds the Lease renews it every RENEW_SECONDS; it is taken over only after it was not renewed for
LEASE_SECONDS by the taker's own clock, or at once when its holder gave it up. A holder that could not renew for
DEADLINE_SECONDS has lost it and must stop before anyone else can have taken it. Each write carries the version that was
read, so that of two takers one fails.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from npuserve.controller.answers import ApiError, Object, Unreachable
from npuserve.controller.kube import Kube
from npuserve.controller.resources import LEASES

NAME = "npuserve"
LEASE_SECONDS = 15
RENEW_SECONDS = 5.0
DEADLINE_SECONDS = 10.0
RELEASE_SECONDS = 2.0
"""An API server that does not answer is no reason to stay: the Lease ends by itself."""

logger = logging.getLogger(__name__)


class Leadership:
    """One replica's view of the Lease. `identity` is unique among the replicas; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        kube: Kube,
        namespace: str,
        *,
        identity: str,
        heard: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._kube = kube
        self._namespace = namespace
        self._identity = identity
        self._heard = heard
        self._clock = clock
        self._now = now
        self._lease: Object | None = None
        self._renewed_seen: tuple[Any, float] = (None, 0.0)

    async def acquire(self) -> None:
        """Return when this replica holds the Lease."""
        while not await self._attempt():  # noqa: ASYNC110 - the Lease is polled: a watch would not tell that it ran out
            await asyncio.sleep(RENEW_SECONDS)
        logger.info("leading", extra={"identity": self._identity})

    async def hold(self) -> None:
        """Renew the Lease; return when it is lost."""
        renewed = self._clock()
        while self._clock() - renewed < DEADLINE_SECONDS:
            await asyncio.sleep(RENEW_SECONDS if self._clock() - renewed < RENEW_SECONDS else 1.0)
            try:
                async with asyncio.timeout(max(0.1, renewed + DEADLINE_SECONDS - self._clock())):
                    if await self._attempt():
                        renewed = self._clock()
                    elif self._holder() not in ("", self._identity):
                        break
            except TimeoutError:
                break
        logger.error("leadership is lost", extra={"holder": self._holder()})

    async def release(self) -> None:
        """Give the Lease up, so that another replica need not wait for it to end."""
        if self._lease is None or self._holder() != self._identity:
            return
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._kube.replace(LEASES, {**self._lease, "spec": spec})
        except (ApiError, Unreachable, TimeoutError) as error:
            logger.warning("the lease could not be given up: %r", error)

    async def _attempt(self) -> bool:
        """Take or renew the Lease if it is free or ours; whether it is ours now."""
        try:
            if self._lease is None or self._holder() != self._identity:
                self._lease = await self._kube.get(LEASES, self._namespace, name=NAME)
            self._heard()
            if self._lease is None:
                self._lease = await self._kube.create(LEASES, self._manifest())
                return True
            if not self._may_take(self._lease["spec"]):
                return False
            self._lease = await self._kube.replace(LEASES, self._renewed(self._lease))
        except ApiError as error:
            self._lease = None
            if error.code != 409:
                logger.warning("the lease cannot be read or written: %s", error)
            return False
        except Unreachable as error:
            logger.warning("the lease cannot be read or written: %s", error)
            return False
        self._heard()
        return True

    def _may_take(self, spec: Object) -> bool:
        """Whether the Lease is ours, given up, or was not renewed for its whole duration since we first saw it as it
        is."""
        holder, renewed = spec.get("holderIdentity") or "", spec.get("renewTime")
        if holder in ("", self._identity):
            return True
        seen = (holder, renewed)
        if seen != self._renewed_seen[0]:
            self._renewed_seen = (seen, self._clock())
        return self._clock() - self._renewed_seen[1] > (spec.get("leaseDurationSeconds") or LEASE_SECONDS)

    def _holder(self) -> str:
        return "" if self._lease is None else self._lease["spec"].get("holderIdentity") or ""

    def _manifest(self) -> Object:
        metadata = {"name": NAME, "namespace": self._namespace}
        return self._renewed({"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": {}})

    def _renewed(self, lease: Object) -> Object:
        """The Lease as held by us from this moment on."""
        time = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = lease.get("spec") or {}
        ours = {**spec, "holderIdentity": self._identity, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": time}
        if spec.get("holderIdentity") != self._identity:
            ours |= {"acquireTime": time, "leaseTransitions": spec.get("leaseTransitions", -1) + 1}
        return {**lease, "spec": ours}
