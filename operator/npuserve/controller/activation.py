"""Where requests to a service can go besides its replicas: whether one of those answers, where the activator is, and by
which port it knows the service.

Rule: which replicas answer is read from the EndpointSlices of the services' pods, and where the activator is from those
of its own Service. A service that may be without replicas is looked at again when its first replica answers, when its
last one does not any more, and when the activator moves. Ports are those of the EndpointSlices that exist.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.configuration import Activator
from npuserve.controller.answers import Object, Selection
from npuserve.controller.freshness import Freshness
from npuserve.controller.kube import Kube
from npuserve.controller.reduced import Reduced
from npuserve.controller.resources import ENDPOINT_SLICES
from npuserve.controller.streams import Sink, insist
from npuserve.plan.activation import allot
from npuserve.render import labels
from npuserve.render.activation import known_addresses, read_activation, read_answering, serving_port
from npuserve.render.owner import Owner

PAGE = 200

Service = tuple[str, str]
"""Namespace and UID."""
_OF_PODS = f"{labels.MANAGED_BY}={labels.MANAGER},{labels.SLICE_MANAGER}={labels.SLICES_OF_PODS}"


@dataclass(frozen=True, slots=True)
class Around:
    """Where requests to one service can go: to a replica that answers, or to these addresses of the activator; `family`
    is empty where the activator was not found."""

    answered: bool = True
    addresses: tuple[str, ...] = ()
    family: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """One slice of the activator's Service."""

    family: str
    port: int
    addresses: tuple[tuple[str, bool], ...]


class Activation:
    """What is known of replicas that answer, of the activator, and of ports.

    `exists` tells whether a service with this UID is there; `look_at` is called with the UID of one to look at again.
    """

    def __init__(
        self,
        settings: Activator,
        *,
        exists: Callable[[str], bool] = lambda _: True,
        look_at: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._exists = exists
        self._look_at = look_at
        self._ports: dict[str, int] = {}
        self._answering: Counter[Service] = Counter()
        self._replicas: Reduced[tuple[Service, int]] = Reduced(_answering, changed=self._count)
        self._places: Reduced[_Place] = Reduced(_place, changed=self._moved)

    def around(self, owner: Owner) -> Around:
        """Where requests to a service can go now."""
        if not self._settings.enabled:
            return Around()
        family = min((place.family for place in self._places), default="")
        ready = {
            address for place in self._places for address, takes in place.addresses if takes and place.family == family
        }
        return Around(self._answering[owner.namespace, owner.uid] > 0, tuple(sorted(ready)), family)

    def metrics(self) -> tuple[tuple[str, int], ...]:
        """Address and HTTP port of every replica of the activator, those included that end and still hold requests."""
        return tuple(sorted({(address, place.port) for place in self._places for address, _ in place.addresses}))

    def learn(self, slices: Iterable[Object]) -> None:
        """Take in the ports that services have; of several claims on one, that of the slice that exists for longest
        counts."""
        found = [read for item in slices if (read := read_activation(item)) and self._exists(read.service.uid)]
        for one in sorted(found, key=lambda one: (one.since, one.service.uid)):
            if one.port not in self._ports.values():
                self._ports.setdefault(one.service.uid, one.port)

    def knows(self, uid: str) -> bool:
        """Whether the service with this UID has a port."""
        return uid in self._ports

    def port(self, uid: str) -> int | None:
        """The port of the service with this UID, from now on its own; None when all are taken."""
        ports = range(self._settings.first_port, self._settings.last_port + 1)
        found = allot(uid, self._ports, ports)
        if found is None:
            self._ports = {other: port for other, port in self._ports.items() if self._exists(other)}
            found = allot(uid, self._ports, ports)
        if found is not None:
            self._ports[uid] = found
        return found

    def give_up(self, uid: str) -> None:
        """The service always has replicas."""
        self._ports.pop(uid, None)

    async def follow(
        self, kube: Kube, *, namespace: str, own_namespace: str, freshness: Freshness, listed: asyncio.Event
    ) -> None:
        """Keep it true for ever; sets `listed` when everything was read once. Nothing is asked where no activator is."""
        if not self._settings.enabled:
            listed.set()
            return
        place = Selection(own_namespace, labels=f"{labels.OF_SERVICE}={self._settings.service}")
        streams: tuple[tuple[str, Selection, Reduced[Any]], ...] = (
            ("replicas that answer", Selection(namespace, labels=_OF_PODS), self._replicas),
            ("the activator", place, self._places),
        )
        settled = []
        async with asyncio.TaskGroup() as tasks:
            for name, selection, values in streams:
                settled.append(asyncio.Event())
                sink = _sink(values, settled=settled[-1], heard=lambda name=name: freshness.heard(name))  # type: ignore[misc]
                tasks.create_task(insist(kube, ENDPOINT_SLICES, selection, sink=sink, limit=PAGE))
            for event in settled:
                await event.wait()
            listed.set()

    def _count(self, before: tuple[Service, int] | None, after: tuple[Service, int] | None) -> None:
        services = {value[0] for value in (before, after) if value is not None}
        answered = {service: self._answering[service] > 0 for service in services}
        for value, sign in ((before, -1), (after, 1)):
            if value is not None:
                self._answering[value[0]] += sign * value[1]
        for service in services:
            if (self._answering[service] > 0) != answered[service] and service[1] in self._ports:
                self._look_at(service[1])
            if not self._answering[service]:
                del self._answering[service]

    def _moved(self, *_: object) -> None:
        for uid in tuple(self._ports):
            self._look_at(uid)


def _answering(item: Mapping[str, Any]) -> tuple[Service, int] | None:
    """A service and how many of its replicas answer, of those in one slice."""
    found = read_answering(item)
    return (found.service, len(found.replicas)) if found is not None and found.replicas else None


def _place(item: Mapping[str, Any]) -> _Place | None:
    port = serving_port(item)
    return None if port is None else _Place(item["addressType"], port, known_addresses(item))


def _sink(values: Reduced[Any], *, settled: asyncio.Event, heard: Callable[[], None]) -> Sink:
    def keep_only(uids: frozenset[str], _: int) -> None:
        values.keep_only(uids)
        settled.set()

    return Sink(values.put, values.drop, keep_only=keep_only, heard=heard)
