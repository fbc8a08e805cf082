"""The requests to one service that wait, and the replicas of it that answer.

Rule: no more wait than the limit says, and each is let go as soon as a replica answers; of several replicas the one
that this process gave least work to is taken, and one that just refused a connection after all others.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from npuserve.activator.failures import Refused, going, queue_full
from npuserve.render.activation import Activation

Replica = tuple[str, int]
"""Address and port."""

SPURNED_SECONDS = 2.0


@dataclass(slots=True)
class Line:
    """One service. `arrived` requests in all, of which `waiting` now; `answered` by status."""

    activation: Activation
    clock: Callable[[], float] = time.monotonic
    arrived: int = 0
    waiting: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    replicas: tuple[Replica, ...] = ()
    _given: Counter[Replica] = field(default_factory=Counter)
    _spurned: dict[Replica, float] = field(default_factory=dict)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _over: bool = False

    @property
    def name(self) -> str:
        return self.activation.service.name

    def set_replicas(self, replicas: tuple[Replica, ...]) -> None:
        """These answer now."""
        self.replicas = replicas
        self._spurned = {replica: until for replica, until in self._spurned.items() if replica in replicas}
        (self._moved.set if replicas or self._over else self._moved.clear)()

    def end(self) -> None:
        """Nobody waits any longer."""
        self._over = True
        self._moved.set()

    @contextmanager
    def place(self, *, again: bool = False) -> Iterator[None]:
        """A place among those who wait; raises Refused where there is none. Who had one gets it `again`."""
        if not again and self.waiting >= self.activation.holding.requests:
            raise Refused(queue_full(self.name, self.activation.holding.requests))
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def replica(self) -> Replica:
        """A replica that answers, once there is one; raises Refused where there will be none."""
        while True:
            await self._moved.wait()
            if self.replicas:
                return self.best()
            if self._over:
                raise Refused(going())

    def best(self) -> Replica:
        """The replica to ask, of those that answer; raises IndexError where none does."""
        now = self.clock()
        order = sorted(self.replicas, key=lambda one: (self._spurned.get(one, 0.0) > now, self._given[one], one))
        return order[0]

    def spurned_by(self, replica: Replica) -> None:
        """It refused a connection."""
        self._spurned[replica] = self.clock() + SPURNED_SECONDS

    @contextmanager
    def given_to(self, replica: Replica) -> Iterator[None]:
        """A request is with this replica."""
        self._given[replica] += 1
        try:
            yield
        finally:
            self._given[replica] -= 1
            if not self._given[replica]:
                del self._given[replica]
