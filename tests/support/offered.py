"""Load that is offered to a service without a connection per request: arrivals by chance, each to the ready replica with
the least in flight, as a good load balancer does.

What the replicas then count is what as many real requests of that size would make them count.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.support.endpoints import Proxy
from tests.support.engine_replica import Request
from tests.support.engines import Engines


@dataclass(slots=True)
class Offered:
    """Arrivals at one service; `tick` is to be among the engines' ticks. The numbers may be changed at any time."""

    engines: Engines
    proxy: Proxy
    rate: float = 0.0
    """Requests per second."""
    prompt: int = 500
    output: int = 200
    """Tokens of each."""
    refused: int = 0
    """Requests that found no replica."""
    offered: int = 0
    _credit: float = 0.0
    """Arrivals that are due, in units of the next gap."""
    _gap: float = 1.0
    _last: float | None = None
    _draw: random.Random = field(default_factory=lambda: random.Random(11))

    def tick(self, now: float) -> None:
        """Every arrival until now."""
        elapsed, self._last = now - (self._last or now), now
        self._credit += elapsed * self.rate
        while self._credit >= self._gap:
            self._credit -= self._gap
            self._gap = self._draw.expovariate(1.0)
            self._arrive(now)

    def _arrive(self, now: float) -> None:
        self.offered += 1
        pods = [self.engines.pod(endpoint.address, endpoint.port) for endpoint in self.proxy.endpoints]
        if not pods:
            self.refused += 1
            return
        least = min(pods, key=lambda pod: pod.replica.in_flight)
        least.replica.add(Request(self.prompt, self.output, now))
