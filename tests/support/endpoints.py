"""Where a client of a Service is sent: what kube-proxy does, read off the EndpointSlices."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from npuserve.controller.resources import Resource
from tests.cluster.kubectl import Object
from tests.support.api import Api

ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LOOK_SECONDS = 0.2
"""How late this proxy is; a real one takes a second or so on a calm cluster."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port behind a Service."""

    address: str
    port: int


def ready(slices: list[Object], port_name: str = "http") -> tuple[Endpoint, ...]:
    """The endpoints that get new connections; those that are ending where no other is ready, as kube-proxy does."""
    found: list[tuple[Endpoint, Object]] = []
    for piece in slices:
        ports = [port["port"] for port in piece.get("ports") or () if port.get("name") == port_name]
        for item in piece.get("endpoints") or ():
            found += [
                (Endpoint(address, port), item.get("conditions", {})) for address in item["addresses"] for port in ports
            ]
    chosen = [endpoint for endpoint, says in found if says.get("ready") is not False]
    ending = [endpoint for endpoint, says in found if says.get("serving") and says.get("terminating")]
    return tuple(sorted(set(chosen or ending), key=lambda endpoint: (endpoint.address, endpoint.port)))


@dataclass(slots=True)
class Proxy:
    """The way to one Service, kept up to date while `follow` runs."""

    api: Api
    namespace: str
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    history: list[tuple[float, tuple[Endpoint, ...]]] = field(default_factory=list)
    """Every change, with its time."""
    _draw: random.Random = field(default_factory=lambda: random.Random(7))

    def look(self) -> tuple[Endpoint, ...]:
        """Read the EndpointSlices now."""
        slices = self.api.list(ENDPOINT_SLICES, self.namespace, labels=f"kubernetes.io/service-name={self.service}")
        found = ready(slices)
        if found != self.endpoints or not self.history:
            self.history.append((time.monotonic(), found))
        self.endpoints = found
        return found

    async def follow(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_SECONDS)

    def choose(self) -> Endpoint | None:
        """Where the next connection goes: one of them by chance; None where there is none."""
        return self._draw.choice(self.endpoints) if self.endpoints else None
