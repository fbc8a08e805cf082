"""Which services fit on a cluster at the same time, and what is left of it.

Rule: services are planned and placed in the order given, each against the cluster as those before it left it, so a
service whose first product is full goes to the next that can run it. A replica goes to the node with the fewest free
devices that still hold it, which keeps whole servers free for large replicas. Parts of a device are charged as devices,
rounded up per node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from typing import Protocol

from npuserve import chips
from npuserve.chips import MIB
from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.configuration import Configuration
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.resolve import resolve
from npuserve.plan.service import Service


@dataclass(frozen=True, slots=True)
class Placement:
    """What became of one service: its replicas that have a place, or why it has no plan."""

    name: str
    namespace: str
    replicas: int
    placed: int
    outcome: Plan | Refusal

    @property
    def fits(self) -> bool:
        return isinstance(self.outcome, Plan) and self.placed == self.replicas


@dataclass(frozen=True, slots=True)
class Remainder:
    """Nodes of one product: devices in all, in use before, taken by the services, and free; `largest` is the largest
    block that is free on one node. Nodes that do not tell their memory are of one of several products."""

    products: tuple[str, ...]
    resource: str
    nodes: int
    devices: int
    used: int
    taken: int
    free: int
    largest: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """Every service in the order given, and every product of the cluster."""

    placements: tuple[Placement, ...]
    left: tuple[Remainder, ...]

    @property
    def fits(self) -> bool:
        return all(placement.fits for placement in self.placements)


@dataclass(slots=True)
class _Room:
    """The devices that services have taken so far, by node."""

    cluster: ClusterFacts
    whole: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Fraction] = field(default_factory=dict)

    def taken(self, node: str) -> int:
        return self.whole.get(node, 0) + ceil(self.parts.get(node, 0))

    def facts(self) -> ClusterFacts:
        used = {node.name: self.cluster.used.get(node.name, 0) + self.taken(node.name) for node in self.cluster.nodes}
        return replace(self.cluster, used=used)

    def place(self, plan: Plan) -> bool:
        """Take what one replica needs; False where no node has it."""
        part = part_of(plan)
        fitting = [node for node in self.cluster.nodes if offers(node, plan) and self._free(node) >= part]
        if not fitting:
            return False
        node = min(fitting, key=lambda item: (self._free(item), item.name)).name
        if part.denominator == 1:
            self.whole[node] = self.whole.get(node, 0) + int(part)
        else:
            self.parts[node] = self.parts.get(node, Fraction(0)) + part
        return True

    def _free(self, node: NodeFacts) -> Fraction:
        taken = self.whole.get(node.name, 0) + self.parts.get(node.name, Fraction(0))
        return Fraction(self.cluster.free(node)) - taken


class Named(Protocol):
    """A service by its name, or why it cannot be read."""

    @property
    def name(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def service(self) -> Service | Refusal: ...


def capacity_of(services: Iterable[Named], cluster: ClusterFacts, configuration: Configuration) -> Capacity:
    """Where the replicas of the services find a place."""
    room = _Room(cluster)
    placements = tuple(_placement(asked, room, configuration) for asked in services)
    return Capacity(placements, _left(cluster, room))


def _placement(asked: Named, room: _Room, configuration: Configuration) -> Placement:
    service = asked.service
    if isinstance(service, Refusal):
        return Placement(asked.name, asked.namespace, 1, 0, service)
    replicas = service.spec.replicas
    found = resolve(service, room.facts(), configuration, previous=None)
    if not isinstance(found, Record):
        return Placement(asked.name, asked.namespace, replicas, 0, found)
    placed = 0
    while placed < replicas and room.place(found.plan):
        placed += 1
    return Placement(asked.name, asked.namespace, replicas, placed, found.plan)


def part_of(plan: Plan) -> Fraction:
    """Devices of one replica; a fraction where it gets a part of one."""
    product = chips.by_id(plan.product)
    if not plan.slice_mib or product is None or product.memory_gib is None:
        return Fraction(plan.devices)
    return Fraction(plan.slice_mib * MIB, product.memory_gib << 30)


def offers(node: NodeFacts, plan: Plan) -> bool:
    """Whether a node is one that replicas of the plan may go to."""
    return (
        node.resource == plan.resource_name
        and plan.product in node.products
        and node.carries(dict(plan.node_selector))
        and not node.carries_any(plan.avoided_labels)
    )


def _left(cluster: ClusterFacts, room: _Room) -> tuple[Remainder, ...]:
    groups: dict[tuple[tuple[str, ...], str], list[NodeFacts]] = {}
    for node in cluster.nodes:
        groups.setdefault((node.products, node.resource), []).append(node)
    return tuple(_remainder(key, nodes, cluster, room=room) for key, nodes in groups.items())


def _remainder(
    key: tuple[tuple[str, ...], str], nodes: list[NodeFacts], cluster: ClusterFacts, *, room: _Room
) -> Remainder:
    free: Mapping[str, int] = {node.name: max(0, cluster.free(node) - room.taken(node.name)) for node in nodes}
    return Remainder(
        products=key[0],
        resource=key[1],
        nodes=len(nodes),
        devices=sum(node.devices for node in nodes),
        used=sum(node.devices - cluster.free(node) for node in nodes),
        taken=sum(room.taken(node.name) for node in nodes),
        free=sum(free.values()),
        largest=max(free.values(), default=0),
    )
