"""How many replicas each autoscaled service may have: what is free on nodes and left of quotas, shared among those that
want more.

Rule: replicas that were ordered and wait for a node come first, for their devices are as good as taken. Then one replica
at a time goes to the service of the highest priority, and among equals to the one that has the smallest share of what it
wants. What nobody wants is open to each. Deterministic: the same services and nodes give the same answer. Who gets less
than it wants is told which services of a higher priority have replicas where its own would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from npuserve.autoscale.settings import Room
from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.cluster.quotas import Quota
from npuserve.plan.capacity import offers, part_of
from npuserve.plan.plan import Plan

NAMED = 2
"""Services that are named to another one at most."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one service has and wants, in replicas."""

    key: str
    namespace: str
    plan: Plan
    priority: int
    """The value of its PriorityClass; 0 without one."""
    priority_class: str
    present: int
    """Those that were ordered, whether they have a node or not."""
    waiting: int
    """Those of them that have no node yet."""
    wanted: int
    coming: int = 0
    """Those that have no node and that no quota counts yet."""


def rooms(claims: Iterable[Claim], cluster: ClusterFacts, quotas: Sequence[Quota]) -> dict[str, Room | None]:
    """Replicas that each service may have in all; None where nothing is known that limits it."""
    order = sorted(claims, key=lambda claim: (-claim.priority, claim.key))
    market = _Market(cluster, quotas)
    for claim in order:
        for _ in range(claim.waiting):
            market.place(claim)
        market.charge(claim, claim.coming)
    granted = {claim.key: claim.present for claim in order}
    asking = [claim for claim in order if claim.wanted > claim.present]
    while asking:
        turn = min(asking, key=lambda claim: (-claim.priority, granted[claim.key] / claim.wanted, claim.key))
        if not market.grant(turn):
            asking.remove(turn)
            continue
        granted[turn.key] += 1
        if granted[turn.key] >= turn.wanted:
            asking.remove(turn)
    return {claim.key: market.room(claim, granted[claim.key], first=_first(claim, order, granted)) for claim in order}


def _first(claim: Claim, order: Sequence[Claim], granted: Mapping[str, int]) -> Sequence[Claim]:
    """Who has replicas and a higher priority than a service that gets less than it wants."""
    if granted[claim.key] >= claim.wanted:
        return ()
    return [other for other in order if other.priority > claim.priority and granted[other.key]]


@dataclass(slots=True, eq=False)
class _Pool:
    """The nodes that plans of one kind may use, and what is counted there once for all services that ask alike."""

    nodes: tuple[NodeFacts, ...]
    devices: int
    free: int
    """Devices that nobody uses yet."""
    places: dict[Fraction, int]
    """Replicas that still find a place, by what one takes of a node."""

    def meets(self, other: _Pool) -> bool:
        """Whether they have nodes in common."""
        return self is other or any(node in other.nodes for node in self.nodes)


class _Market:
    """Free devices by node and what is left of quotas, while they are handed out."""

    def __init__(self, cluster: ClusterFacts, quotas: Sequence[Quota]) -> None:
        self._known = cluster.known
        self._cluster = cluster
        self._quotas = quotas
        self._free = {node.name: Fraction(cluster.free(node)) for node in cluster.nodes}
        self._left = {
            (quota.namespace, quota.name, limit.resource): limit.left for quota in quotas for limit in quota.limits
        }
        self._pools: dict[tuple[object, ...], _Pool] = {}

    def grant(self, claim: Claim) -> bool:
        """Take what one more replica needs; False where it has no place."""
        if not self._allowed(claim) or not self.place(claim):
            return False
        self.charge(claim, 1)
        return True

    def charge(self, claim: Claim, replicas: int) -> None:
        """Take replicas from the quotas; those that exist were taken by the API server."""
        for key, amount, _ in self._limits(claim):
            self._left[key] -= amount * replicas

    def place(self, claim: Claim) -> bool:
        """Take a node for one replica, the fullest that holds it; False where none does."""
        if not self._known:
            return True
        part = part_of(claim.plan)
        fitting = [node.name for node in self._pool(claim.plan).nodes if self._free[node.name] >= part]
        if not fitting:
            return False
        self._free[min(fitting, key=lambda name: (self._free[name], name))] -= part
        for pool in self._pools.values():
            pool.places.clear()
        return True

    def room(self, claim: Claim, granted: int, *, first: Sequence[Claim] = ()) -> Room | None:
        """What the service may have, and what sets that; `first` are those that go before it."""
        limits = list(self._limits(claim))
        if not self._known and not limits:
            return None
        places = self._places(claim) if self._known else None
        allowed = self._allowed(claim)
        if places is None or allowed < places:
            key, _, told = min(limits, key=lambda limit: (self._left[limit[0]] // limit[1], limit[0]))
            beside = [other for other in first if key in {limit for limit, *_ in self._limits(other)}]
            return Room(granted + allowed, f"ResourceQuota {key[1]}: {told}{_before(beside)}")
        pool = self._pool(claim.plan)
        beside = [other for other in first if pool.meets(self._pool(other.plan))]
        return Room(granted + places, f"{self._nodes(claim)}{_before(beside)}")

    def _nodes(self, claim: Claim) -> str:
        pool = self._pool(claim.plan)
        waiting = f"; {claim.waiting} of its pods wait for a node" if claim.waiting else ""
        return f"{claim.plan.product}: {pool.free} of {pool.devices} devices free{waiting}"

    def _places(self, claim: Claim) -> int:
        pool, part = self._pool(claim.plan), part_of(claim.plan)
        if part not in pool.places:
            pool.places[part] = sum(int(self._free[node.name] // part) for node in pool.nodes)
        return pool.places[part]

    def _allowed(self, claim: Claim) -> int:
        return min((max(0, self._left[key]) // amount for key, amount, _ in self._limits(claim)), default=1_000_000)

    def _limits(self, claim: Claim) -> Iterator[tuple[tuple[str, str, str], int, str]]:
        """The limits that one replica counts against: which, how much of it, and how it stands in words."""
        needs: Mapping[str, int] = {"pods": 1, claim.plan.resource_name: claim.plan.devices}
        for quota in self._quotas:
            if quota.namespace == claim.namespace and quota.covers(claim.priority_class):
                for limit in quota.limits:
                    if limit.resource in needs:
                        key = (quota.namespace, quota.name, limit.resource)
                        yield key, needs[limit.resource], f"{limit.left} of {limit.hard} {limit.resource} left"

    def _pool(self, plan: Plan) -> _Pool:
        key = (plan.resource_name, plan.product, plan.node_selector, plan.avoided_labels)
        if key not in self._pools:
            nodes = tuple(node for node in self._cluster.nodes if offers(node, plan))
            free = sum(self._cluster.free(node) for node in nodes)
            self._pools[key] = _Pool(nodes, sum(node.devices for node in nodes), free, {})
        return self._pools[key]


def _before(claims: Sequence[Claim]) -> str:
    """Who goes first, for people."""
    named = ", ".join(f"{claim.key} (priority {claim.priority})" for claim in claims[:NAMED])
    more = f" and {len(claims) - NAMED} more" if len(claims) > NAMED else ""
    return f"; first {'goes' if len(claims) == 1 else 'go'} {named}{more}" if claims else ""
