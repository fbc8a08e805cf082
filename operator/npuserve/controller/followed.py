"""What the autoscaler is told of a service, and whom it asks about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.quotas import Quota
from npuserve.plan.plan import Plan
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.step import Asked, Read
from npuserve.render.owner import Owner


@dataclass(frozen=True, slots=True)
class Followed:
    """An autoscaled service, as the last pass over it found it."""

    key: str
    owner: Owner
    asked: Asked
    plan: Plan
    priority_class: str
    live: int
    """Replicas that its Deployment asks for."""
    wished: int
    """Replicas that its spec asks for."""
    told: Mapping[str, Any] | None
    """What its status says of the last decision."""
    stands_in: bool = True
    """Whether requests find someone who holds them once the last replica is gone."""
    tidying: bool = False
    """Its autoscaling was taken away while replicas were leaving: it is followed until they are back."""


class Meter(Protocol):
    """Reads the replicas of one service, and remembers where their counters stood."""

    async def read(
        self, pods: Sequence[ReplicaPod], plan: Plan, *, profile: EngineProfile, objectives: Objectives
    ) -> Read: ...


class Cluster(Protocol):
    """What is known of nodes and replicas."""

    def facts(self) -> ClusterFacts: ...

    def pods(self, uid: str) -> tuple[ReplicaPod, ...]: ...


class Bounds(Protocol):
    """What is known of quotas and priorities."""

    def quotas(self) -> tuple[Quota, ...]: ...

    def priority(self, name: str) -> int: ...
