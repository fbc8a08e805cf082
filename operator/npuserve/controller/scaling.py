"""The loop that decides how many replicas each autoscaled service has: every LOOP seconds a look at each of them.

    pods, metrics, room ──► step (pure) ──► course (pure) ──► marks on pods that leave
                                                         └──► a pass over the service, where its number changed

Rule: the looks are spread evenly over the LOOP seconds, so that three hundred services do not burst. The loop writes no
number itself: a pass does, and asks here what it is. A look that fails changes nothing. What a service asks for, and what
it has, is learned from the passes over it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from npuserve.autoscale.decision import LOOP
from npuserve.autoscale.memory import Mean
from npuserve.autoscale.settings import Room
from npuserve.controller.answers import ApiError, Unreachable
from npuserve.controller.drain import carry_out
from npuserve.controller.followed import Bounds, Cluster, Followed, Meter
from npuserve.controller.kube import Kube
from npuserve.controller.memories import Kept, keep, recall
from npuserve.controller.scaling_metrics import ScalingMetrics
from npuserve.plan.sharing import Claim, rooms
from npuserve.reconcile.claim import Claimant, claim_of
from npuserve.reconcile.course import course
from npuserve.reconcile.drain import Loads
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.sample import Fleet, fleet
from npuserve.reconcile.step import Asked, Seen, State, aim_of, begin, step

ROOM_SECONDS = 1.0
"""For which one answer about the room of all services serves."""
TICK = 0.05
SLACK = 2.0
"""Seconds by which the times of pods, which are whole seconds of another clock, may lie before ours."""
AGAIN_SECONDS = 30.0
"""Between two passes for the same number: a write that was refused is repeated, and not with every look."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Service:
    """One service between two looks."""

    asked: Followed
    meter: Meter
    due: float
    since: float
    """From when on the starts of its pods are seen."""
    state: State | None = None
    kept: Kept | None = None
    fleet: Fleet | None = None
    number: int | None = None
    """Replicas that the Deployment may ask for now; None before the first decision."""
    wanted: int | None = None
    """Replicas that there are to be in the end; None before the first decision."""
    again: float = 0.0
    """When a pass may be asked for again for a number that was asked for."""
    waits_for: str = ""
    """Why there are more replicas than are wanted; empty when there are not."""
    looking: bool = False


def steady() -> Callable[[], float]:
    """Seconds since the epoch that never go back: the time of the start, and from then on the monotonic clock."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset


class Scaling:
    """The services that are scaled.

    `held` tells how many requests wait in front of a service. `changed` is called with the key of a service whose number
    changed, `said` where only the words did.
    """

    def __init__(
        self,
        kube: Kube,
        cluster: Cluster,
        bounds: Bounds,
        *,
        meter: Callable[[], Meter],
        held: Callable[[str], int],
        metrics: ScalingMetrics,
        changed: Callable[[str], None],
        said: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._kube = kube
        self._cluster = cluster
        self._bounds = bounds
        self._meter = meter
        self._held = held
        self._metrics = metrics
        self._changed = changed
        self._said = said
        self._clock = clock
        self._services: dict[str, _Service] = {}
        self._rooms: dict[str, Room | None] = {}
        self._rooms_until = 0.0

    def follow(self, asked: Followed) -> None:
        """Take in an autoscaled service as a pass found it."""
        there = self._services.get(asked.key)
        if there is None or there.asked.owner.uid != asked.owner.uid:
            now = self._clock()
            self._services[asked.key] = _Service(asked, self._meter(), now + _phase(asked.owner.uid), now - SLACK)
            return
        before, there.asked = there.asked.asked, asked
        if there.state is not None:
            leaving = 0 if there.fleet is None else len(there.fleet.leaving)
            there.state = _as_asked(there.state, before, asked, leaving=leaving)

    def go_on(self, key: str, uid: str, *, live: int) -> int | None:
        """The spec is refused and what runs goes on as it was asked for before; its number of replicas, None where that is
        not known."""
        there = self._services.get(key)
        if there is None or there.asked.owner.uid != uid:
            return None
        there.asked = replace(there.asked, live=live)
        return there.number if there.asked.asked.in_charge else None

    def forget(self, key: str) -> None:
        """The service is gone, or is not autoscaled any more."""
        if self._services.pop(key, None) is not None:
            self._metrics.forget(key)

    def look_now(self, key: str) -> None:
        """Look at the service without waiting for its turn."""
        if key in self._services:
            self._services[key].due = min(self._services[key].due, self._clock())

    def number(self, key: str, uid: str) -> int | None:
        """Replicas that the service is to have; None before the first decision."""
        there = self._services.get(key)
        return there.number if there is not None and there.asked.owner.uid == uid else None

    def wanted(self, key: str, uid: str) -> int | None:
        """Replicas that the service is to have once those that leave are gone; None before the first decision."""
        there = self._services.get(key)
        return there.wanted if there is not None and there.asked.owner.uid == uid else None

    def told(self, key: str, uid: str) -> Mapping[str, Any] | None:
        """What the status is to say of the last decision; None where that is not known yet."""
        state = self._state(key, uid)
        return None if state is None or state.told is None else state.told.status

    def _state(self, key: str, uid: str) -> State | None:
        there = self._services.get(key)
        return there.state if there is not None and there.asked.owner.uid == uid else None

    def leaves(self, uid: str) -> bool:
        """Whether replicas of the service with this UID are out of the Service to be removed."""
        return bool(fleet(self._cluster.pods(uid)).leaving)

    async def run(self, *, heard: Callable[[], None] = lambda: None) -> None:
        """Look at the services for ever; `heard` is called while the loop turns."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                now = self._clock()
                for service in [one for one in self._services.values() if one.due <= now and not one.looking]:
                    # A look that took too long skips its turns instead of making them up.
                    service.due += LOOP * (1 + (now - service.due) // LOOP)
                    service.looking = True
                    tasks.create_task(self.look(service.asked.key))
                heard()
                await asyncio.sleep(TICK)

    async def look(self, key: str) -> None:
        """Look at a service now; one that is gone is left alone."""
        service, began = self._services.get(key), self._clock()
        if service is None:
            return
        try:
            await self._look_at(service)
        except (ApiError, Unreachable) as error:
            self._metrics.failed(type(error).__name__)
            logger.warning("a look at a service is repeated later: %s", error, extra={"service": service.asked.key})
        except Exception as error:
            self._metrics.failed(type(error).__name__)
            logger.exception("a look at a service failed", extra={"service": service.asked.key})
        finally:
            service.looking = False
        self._metrics.looked(self._clock() - began)

    async def _look_at(self, service: _Service) -> None:
        asked = service.asked
        if service.state is None:
            service.state = await self._begin(service)
        pods = self._cluster.pods(asked.owner.uid)
        service.fleet = seen = fleet(pods)
        told = asked.asked.settings
        read = await service.meter.read(seen.asked, asked.plan, profile=told.profile, objectives=told.objectives)
        if self._services.get(asked.key) is not service:
            return
        self._decide(service, Seen(seen, read, self._held(asked.key)))
        await self._steer(service, pods, read.loads)
        if asked.tidying and not seen.leaving:
            self.forget(asked.key)
            return
        if service.kept is not None:
            memory = service.state.memory
            service.kept = await keep(self._kube, asked.owner, service.kept, memory=memory, now=self._clock())

    async def _begin(self, service: _Service) -> State:
        """What is known of a service that was not looked at before: its digest, its replicas, its status."""
        asked, now = service.asked, self._clock()
        memory, service.kept = await recall(self._kube, asked.owner, now=now)
        leaving = fleet(self._cluster.pods(asked.owner.uid)).leaving
        ordered = max(0, asked.live - len(leaving))
        return begin(memory, asked.told, ordered=ordered, began=service.since, now=now)

    def _decide(self, service: _Service, seen: Seen) -> None:
        """One step, and word of it where there is something new to say."""
        before, asked, now = service.state, service.asked, self._clock()
        assert before is not None
        after = service.state = step(before, seen, asked.asked, room=self._room(asked.key), now=now)
        if after.decision is None or after.decision is before.decision:
            return
        took = self._clock() - now
        self._metrics.decided(asked.key, after.decision, after.memory, seen=seen, seconds=took)
        if after.ordered != before.ordered:
            self._rooms_until = now
        if after.told is not None and (before.told is None or after.told.status is not before.told.status):
            self._said(asked.key)

    async def _steer(self, service: _Service, pods: tuple[ReplicaPod, ...], loads: Loads) -> None:
        """The next step of the Deployment's number towards what is wanted: first the marks of pods that leave, then a
        pass."""
        asked, state = service.asked, service.state
        aim = None if state is None else aim_of(state, asked.asked, wished=asked.wished)
        if aim is None:
            # Someone else writes it: what was allowed last says nothing about what there is by the time that ends.
            service.wanted = service.number = None
            return
        if (service.wanted == 0) != (aim.replicas == 0):
            self._changed(asked.key)
        service.wanted = aim.replicas
        if not aim.replicas and not aim.commanded and not asked.stands_in:
            # The last replica goes once a pass has put the activator in its place.
            return
        limit = float(asked.plan.timing.drain)
        drain = course(pods, aim, live=asked.live, loads=loads, now=self._clock(), limit=limit)
        await carry_out(self._kube, drain)
        if drain.waits_for and drain.waits_for != service.waits_for:
            logger.info("replicas stay for now: %s", drain.waits_for, extra={"service": asked.key})
        service.waits_for = drain.waits_for
        before, service.number = service.number, drain.replicas
        if drain.replicas != service.asked.live and (drain.replicas != before or self._clock() >= service.again):
            service.again = self._clock() + AGAIN_SECONDS
            self._changed(asked.key)

    def _room(self, key: str) -> Room | None:
        """Replicas that there is room for, as all services together leave it."""
        now = self._clock()
        if now >= self._rooms_until or key not in self._rooms:
            claims = [self._claim(one) for one in self._services.values()]
            self._rooms = rooms(claims, self._cluster.facts(), self._bounds.quotas())
            self._rooms_until = now + ROOM_SECONDS
        return self._rooms[key]

    def _claim(self, service: _Service) -> Claim:
        asked = service.asked
        return claim_of(
            Claimant(asked.key, asked.owner.namespace, asked.plan, asked.priority_class),
            priority=self._bounds.priority(asked.priority_class),
            asked=asked.asked,
            seen=service.fleet,
            state=service.state,
            now=self._clock(),
        )


def _as_asked(state: State, before: Asked, asked: Followed, *, leaving: int) -> State:
    """The state of a service under what it asks for now."""
    now = asked.asked
    if not now.in_charge:
        state = replace(state, ordered=max(0, asked.live - leaving))
    if before.settings.profile != now.settings.profile:
        # What was learned is a factor on another profile.
        state = replace(state, memory=state.memory._replace(speed=Mean(3600)))
    return state if before.mode == now.mode else replace(state, told=None)


def _phase(uid: str) -> float:
    """When within the LOOP seconds a service is looked at; checksums are spread evenly."""
    return LOOP * (crc32(uid.encode()) % 1000) / 1000
