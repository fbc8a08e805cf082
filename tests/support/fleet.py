"""A service whose replicas answer: the way to it, the load on it, and how its number of replicas went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from npuserve.render.names import child_name
from tests.support.api import Refused
from tests.support.endpoints import Proxy
from tests.support.engines import Metrics
from tests.support.manifests import condition, told
from tests.support.offered import Offered
from tests.support.site import samples
from tests.support.tenant import Tenant
from tests.support.waiting import WITHIN_SECONDS, NotYet, until
from tests.support.world import World

LOOK_SECONDS = 0.2
SETTLED_SECONDS = 15.0
"""Three of the operator's looks."""


@dataclass(slots=True)
class Fleet:
    """One service in a world, watched while `followed` runs."""

    world: World
    tenant: Tenant
    name: str
    proxy: Proxy
    load: Offered
    history: list[tuple[float, int]] = field(default_factory=list)
    """Every number that its Deployment asked for, with the time (monotonic) when it was seen."""

    def asked_for(self) -> int:
        """Replicas that the Deployment asks for."""
        return int(self.tenant.deployment(self.name)["spec"]["replicas"])

    def numbers(self, since: float = 0.0) -> list[int]:
        """The numbers that it asked for from then on, the one of that moment first."""
        before = [count for at, count in self.history if at <= since][-1:]
        return before + [count for at, count in self.history if at > since]

    def addresses(self) -> tuple[str, ...]:
        """The addresses behind the Service, as the proxy knows them."""
        return tuple(endpoint.address for endpoint in self.proxy.endpoints)

    def in_flight(self) -> int:
        found = self.world.background.call(self.world.engines.in_flight)
        return sum(found.get(address, 0) for address in self.addresses())

    def answer_metrics(self, how: Metrics, *addresses: str) -> None:
        """From now on, the replicas at these addresses, or all that serve now."""
        engines, chosen = self.world.engines, addresses or self.addresses()
        self.world.background.call(lambda: engines.answer_metrics(how, *chosen))

    def decision(self) -> dict[str, Any]:
        """`status.autoscaling`; empty before the first decision."""
        found: dict[str, Any] = self.tenant.service(self.name).get("status", {}).get("autoscaling") or {}
        return found

    def wanted(self) -> float:
        """Replicas that the load asks for before limits and manners, as the operator's metrics tell; 0 before it decides."""
        return self.measured("wanted_replicas")

    def measured(self, what: str) -> float:
        """A figure of the operator's metrics on the scaling of this service; 0 where it says nothing."""
        found = samples(self.world.site.operator, f"npuserve_autoscale_{what}")
        return found.get((self.name, self.tenant.namespace), 0.0)

    def wait_for_replicas(self, least: int, most: int | None = None, *, within: float = WITHIN_SECONDS) -> int:
        """The number that the Deployment asks for, once it lies between."""

        def asked() -> int | NotYet:
            count = self.asked_for()
            if least <= count <= (least if most is None else most):
                return count
            return NotYet(f"{count} replicas are asked for; {self.decision()}")

        return until(asked, within=within, every=LOOK_SECONDS)

    def wait_for_endpoints(self, least: int, most: int = 1000, *, within: float = WITHIN_SECONDS) -> tuple[str, ...]:
        """The addresses behind the Service, once there are so many."""

        def found() -> tuple[str, ...] | NotYet:
            there = self.addresses()
            return there if least <= len(there) <= most else NotYet(f"endpoints are {there}; {self.decision()}")

        return until(found, within=within, every=LOOK_SECONDS)

    def wait_until_decided(self, *constraints: str, within: float = WITHIN_SECONDS) -> dict[str, Any]:
        """The decision, once one of these binds it."""

        def decided() -> dict[str, Any] | NotYet:
            found = self.decision()
            return (
                found if found.get("constraint") in constraints else NotYet(f"the decision is {found or 'not there'}")
            )

        return until(decided, within=within, every=LOOK_SECONDS)

    def wait_until_scaling(self, status: str, *reasons: str, within: float = WITHIN_SECONDS) -> str:
        """The message of the condition Scaling, once it says so."""

        def said() -> str | NotYet:
            service = self.tenant.service(self.name)
            found = condition(service, "Scaling")
            if found.get("status") == status and found.get("reason") in reasons:
                return str(found["message"])
            return NotYet(told(service))

        return until(said, within=within, every=LOOK_SECONDS)

    def stays(self, seconds: float) -> list[int]:
        """The numbers that it asks for within so many seconds from now."""
        since = time.monotonic()
        time.sleep(seconds)
        return self.numbers(since)

    async def watch(self) -> None:
        """Note every change of the number."""
        while True:
            count = await asyncio.to_thread(self.asked_for)
            if not self.history or self.history[-1][1] != count:
                self.history.append((time.monotonic(), count))
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def followed(
    world: World, tenant: Tenant, name: str, *, rate: float = 0.0, prompt: int = 500, output: int = 20, **spec: Any
) -> Iterator[Fleet]:
    """A new service, once it serves, under a load of `rate` requests a second of that many tokens; its endpoints and its
    number are followed. Further keywords are parts of its spec."""
    replicas = spec.get("replicas", 1)
    tenant.ask(name, **spec)
    proxy = Proxy(world.site.api, tenant.namespace, child_name(name))
    fleet = Fleet(world, tenant, name, proxy, Offered(world.engines, proxy, rate, prompt, output))
    if replicas:
        tenant.wait_until_ready(name)
    until(lambda: True if len(proxy.look()) >= replicas else NotYet(f"endpoints are {proxy.endpoints}"))
    until(lambda: _made(fleet))
    background, ticks = world.background, world.engines.ticks
    tasks = [background.start(proxy.follow()), background.start(fleet.watch())]
    background.call(lambda: ticks.append(fleet.load.tick))
    try:
        yield fleet
    finally:
        background.call(lambda: ticks.remove(fleet.load.tick))
        for task in tasks:
            if not task.cancel():
                task.result()  # what ended by itself says why


def _made(fleet: Fleet) -> bool | NotYet:
    """Whether the Deployment is there: one without replicas is followed from its making on."""
    try:
        fleet.asked_for()
    except Refused as error:
        return NotYet(str(error))
    return True


def settle(fleet: Fleet, *, least: int = 3) -> int:
    """The number of replicas, once it has not changed for a while, all of them serve, and it is `least` or more."""

    def settled() -> int | NotYet:
        if not fleet.history:
            return NotYet("nothing seen")
        at, count = fleet.history[-1]
        if count < least or len(fleet.addresses()) != count or time.monotonic() - at < SETTLED_SECONDS:
            return NotYet(f"{count} replicas since {time.monotonic() - at:.0f} s; {fleet.decision()}")
        return count

    return until(settled, within=240, every=0.5)
