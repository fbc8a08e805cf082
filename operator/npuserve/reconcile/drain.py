"""How replicas are given up without losing a request: which pods leave the Service, which come back, how many may go.

    serving ── more than asked, none starts, all are read ──► leaving ── empty, or its time is up ──► done ──► removed
       ▲                                                         │                                     │
       └─────────────────────── asked for again ─────────────────┴─────────────────────────────────────┘

Rule: a ReplicaSet removes pods that are not ready first, then those of the lowest deletion cost
(kubernetes/kubernetes:pkg/controller/controller_utils.go, ActivePodsWithRanks). So the number goes down only by pods
that are not ready, or by done pods that were seen with their cost while every other one is ready and costs more. All
that is remembered lies on the pods, so that an operator that starts anew goes on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from npuserve.autoscale.load import ReplicaLoad
from npuserve.reconcile.pods import ReplicaPod

DONE_COST = -(1 << 31)
"""Of a pod that may be removed now: the lowest deletion cost that Kubernetes takes."""
LEAVING_COST = DONE_COST + 1
"""Of a pod that still has requests: a rolling update takes it before every serving one."""
SETTLE_SECONDS = 10.0
"""Out of the Service for so long, a pod without requests counts as empty: its endpoint is gone within 5 s, and engines
close connections that were kept alive after another 5 s without a request."""

Loads = Mapping[str, ReplicaLoad | None]
"""By pod UID; None, or no entry, for a replica that could not be read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one pod is to show: out of the Service since a time, at a deletion cost; with None, in service again."""

    uid: str
    name: str
    namespace: str
    since: float | None
    """Seconds since the epoch."""
    cost: int | None


@dataclass(frozen=True, slots=True)
class Drain:
    """What to do now: first the marks, then the number of replicas."""

    replicas: int
    """What the Deployment may ask for."""
    marks: tuple[Mark, ...] = ()
    leaving: int = 0
    """Replicas that are out of the Service to be removed, once the marks are on."""
    waits_for: str = ""
    """Why there are more replicas than asked for; empty when there are not."""


def plan_drain(
    pods: Sequence[ReplicaPod], *, target: int, current: int, loads: Loads, now: float, limit: float
) -> Drain:
    """The next step from the pods of one service towards `target` serving replicas.

    `current` is what its Deployment asks for; `now` is in seconds since the epoch; a pod that has been leaving for
    `limit` seconds goes with the requests it has. To be asked with every sample of load while there are more replicas
    than `target`, or a pod that is leaving.
    """
    fleet = _Fleet.of(pods, current)
    back = fleet.taken_back(target, loads)
    leaving = tuple(pod for pod in fleet.leaving if pod not in back)
    done = frozenset(pod for pod in leaving if _is_done(pod, loads, now=now, limit=limit))
    marks = (
        *(_mark(pod, since=None, cost=None) for pod in (*fleet.put_back_by_hand, *back)),
        *(mark for pod in leaving if (mark := _kept_out(pod, now, done=pod in done))),
    )
    if back or target >= current:
        return Drain(max(target, current), marks, len(leaving), _FINISHING if leaving else "")
    if fleet.rolling:
        return Drain(current, marks, len(leaving), "replicas are being replaced")
    if idle := fleet.idle(target):
        return Drain(
            max(target, min(current, fleet.expected - idle)), marks, len(leaving), _FINISHING if leaving else ""
        )
    victims, obstacle = fleet.victims(target, loads)
    replicas = max(target, min(current, fleet.expected - fleet.removable(done)))
    waits_for = obstacle or (_FINISHING if leaving or victims else _ASIDE if replicas > target else "")
    outgoing = (_mark(pod, since=now, cost=LEAVING_COST) for pod in victims)
    return Drain(replicas, (*marks, *outgoing), len(leaving) + len(victims), waits_for)


_FINISHING = "requests are being finished"
_ASIDE = "a pod that someone took out of the Service is left alone"


@dataclass(frozen=True, slots=True)
class _Fleet:
    """The pods that were not told to end, by what they are doing. One that someone else took out of the Service is in
    neither group; it counts as a replica, and nothing waits for it."""

    alive: int
    serving: tuple[ReplicaPod, ...]
    leaving: tuple[ReplicaPod, ...]
    coming: int
    """Ordered, and not there yet."""
    rolling: bool
    """Pods of several templates: a change of the number would be shared out among their ReplicaSets."""

    @classmethod
    def of(cls, pods: Sequence[ReplicaPod], current: int) -> _Fleet:
        alive = [pod for pod in pods if not pod.ending]
        return cls(
            alive=len(alive),
            serving=tuple(pod for pod in alive if pod.serving),
            leaving=tuple(pod for pod in alive if not pod.serving and pod.draining_since is not None),
            coming=max(0, current - len(alive)),
            rolling=len({pod.template for pod in alive}) > 1,
        )

    @property
    def expected(self) -> int:
        """Pods there are once every one that was ordered has come."""
        return self.alive + self.coming

    @property
    def starting(self) -> int:
        """Replicas in the Service that do not serve yet, or not at present."""
        return self.coming + sum(pod.starting for pod in self.serving)

    @property
    def put_back_by_hand(self) -> tuple[ReplicaPod, ...]:
        """Pods in the Service that bear the note of a drain."""
        return tuple(pod for pod in self.serving if pod.draining_since is not None)

    def taken_back(self, target: int, loads: Loads) -> tuple[ReplicaPod, ...]:
        """Leaving pods that are asked for again, before a new one starts: the busiest first."""
        ready = sum(not pod.starting for pod in self.serving)
        order = sorted(self.leaving, key=lambda pod: (pod.starting, -_requests(loads.get(pod.uid)), pod.uid))
        return tuple(order[: max(0, target - ready)])

    def idle(self, target: int) -> int:
        """How many of those too many do not serve yet, and so can go at once: none while a leaving pod is not ready
        either and might go in their place."""
        if any(pod.starting for pod in self.leaving):
            return 0
        return max(0, min(self.starting, len(self.serving) + self.coming - target))

    def victims(self, target: int, loads: Loads) -> tuple[tuple[ReplicaPod, ...], str]:
        """Who leaves next, or what keeps them: those with the least requests, after those whose deletion cost someone
        made lower."""
        surplus = len(self.serving) - target
        if surplus <= 0:
            return (), ""
        if self.starting:
            return (), "another replica is starting"
        if unread := sum(loads.get(pod.uid) is None for pod in self.serving):
            return (), f"the load of {unread} of {len(self.serving)} replicas is unknown"
        return tuple(sorted(self.serving, key=lambda pod: _weight(pod, loads[pod.uid]))[:surplus]), ""

    def removable(self, done: frozenset[ReplicaPod]) -> int:
        """The done pods, if the ReplicaSet would now take them before all others; else none of them."""
        seen = {pod for pod in done if pod.deletion_cost == DONE_COST}
        others = [pod for pod in (*self.serving, *self.leaving) if pod not in seen]
        exposed = self.coming or any(pod.starting or pod.deletion_cost <= DONE_COST for pod in others)
        return 0 if exposed else len(seen)


def _is_done(pod: ReplicaPod, loads: Loads, *, now: float, limit: float) -> bool:
    """Whether nothing is lost by removing it, or it has had its time."""
    out_for, load = now - _since(pod, now), loads.get(pod.uid)
    return out_for >= limit or (out_for >= SETTLE_SECONDS and load is not None and load.running + load.waiting == 0)


def _kept_out(pod: ReplicaPod, now: float, *, done: bool) -> Mark | None:
    """The mark of a pod that stays out of the Service; None when it bears it."""
    since, cost = _since(pod, now), DONE_COST if done else LEAVING_COST
    return None if (since, cost) == (pod.draining_since, pod.deletion_cost) else _mark(pod, since=since, cost=cost)


def _since(pod: ReplicaPod, now: float) -> float:
    """When it left the Service; now where its note names a time that has yet to come."""
    return now if pod.draining_since is None else min(now, pod.draining_since)


def _mark(pod: ReplicaPod, *, since: float | None, cost: int | None) -> Mark:
    return Mark(pod.uid, pod.name, pod.namespace, since, cost)


def _weight(pod: ReplicaPod, load: ReplicaLoad | None) -> tuple[float, ...]:
    """What is lost with a replica: requests, then what it has in its cache; of equal ones the youngest goes."""
    cached = 0.0 if load is None else load.cached
    return pod.deletion_cost, _requests(load), cached, -pod.created


def _requests(load: ReplicaLoad | None) -> int:
    return 0 if load is None else load.running + load.waiting
