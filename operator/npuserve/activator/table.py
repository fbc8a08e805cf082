"""Which service is asked on which port, from the EndpointSlices that were seen.

Rule: a service is known while its slice of ours is there, and its replicas are those of its own namespace. Where two
claim a port, the slice that the API server has had for longer has it, so that nobody gets the requests of another by
writing a slice. A service that goes lets nobody wait any longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from npuserve.activator.line import Line
from npuserve.render.activation import Activation, Answering, read_activation, read_answering

Service = tuple[str, str]
"""Namespace and UID."""


class Table:
    """The services by port. `changed` is called when a port came or went."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._seen: dict[str, Activation | Answering] = {}
        self._slices: dict[Service, dict[str, Activation | Answering]] = {}
        self._lines: dict[Service, Line] = {}
        self._by_port: dict[int, Line] = {}

    def at(self, port: int) -> Line | None:
        """The service that is asked on a port."""
        return self._by_port.get(port)

    def ports(self) -> frozenset[int]:
        """Every port on which to listen."""
        return frozenset(self._by_port)

    def lines(self) -> Iterator[Line]:
        """Every service."""
        return iter(tuple(self._lines.values()))

    def put(self, item: Mapping[str, Any]) -> None:
        """Take in a slice that exists."""
        found = read_activation(item) or read_answering(item)
        self._set(item["metadata"]["uid"], found)

    def drop(self, item: Mapping[str, Any]) -> None:
        """Take in that a slice ended."""
        self._set(item["metadata"]["uid"], None)

    def keep_only(self, uids: frozenset[str]) -> None:
        """Drop every slice that is not among these."""
        for uid in [known for known in self._seen if known not in uids]:
            self._set(uid, None)

    def _set(self, uid: str, value: Activation | Answering | None) -> None:
        before = self._seen.get(uid)
        if before == value:
            return
        if before is not None:
            del self._seen[uid], self._slices[_service(before)][uid]
        if value is not None:
            self._seen[uid] = value
            self._slices.setdefault(_service(value), {})[uid] = value
        for service in {_service(item) for item in (before, value) if item is not None}:
            self._renew(service)
        if isinstance(before, Activation) or isinstance(value, Activation):
            self._number()

    def _renew(self, service: Service) -> None:
        """Bring what is known of one service up to date."""
        slices = self._slices[service].values()
        activation = next((item for item in slices if isinstance(item, Activation)), None)
        if activation is None:
            gone = self._lines.pop(service, None)
            if gone is not None:
                gone.end()
        else:
            line = self._lines.setdefault(service, Line(activation))
            line.activation = activation
            answering = (item.replicas for item in slices if isinstance(item, Answering))
            line.set_replicas(tuple(sorted({replica for replicas in answering for replica in replicas})))
        if not slices:
            del self._slices[service]

    def _number(self) -> None:
        ordered = sorted(self._lines.values(), key=_age, reverse=True)
        before, self._by_port = self._by_port, {line.activation.port: line for line in ordered}
        if before.keys() != self._by_port.keys():
            self._changed()


def _service(item: Activation | Answering) -> Service:
    return (item.service.namespace, item.service.uid) if isinstance(item, Activation) else item.service


def _age(line: Line) -> tuple[str, str]:
    """What puts the slice that exists for longest first; times have one format, to the second."""
    return line.activation.since, line.activation.service.uid
