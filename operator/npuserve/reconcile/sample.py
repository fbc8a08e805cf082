"""What is seen of a service's replicas at one moment: from its pods and their metrics to the sample that is decided on.

Rule: ready pods that the Service selects are the replicas; those on their way out are draining and no supply, and one
that someone took out of the Service by hand is neither. What is ordered and not ready is starting, whether its pod exists
yet or not, so that nothing is ordered twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.reconcile.pods import ReplicaPod


@dataclass(frozen=True, slots=True)
class Fleet:
    """The pods of a service by what they do now; each in a stable order."""

    serving: tuple[ReplicaPod, ...]
    starting: tuple[ReplicaPod, ...]
    leaving: tuple[ReplicaPod, ...]
    """Out of the Service to be removed."""
    ending: tuple[ReplicaPod, ...]
    """Told to end; no order counts them."""
    aside: tuple[ReplicaPod, ...]
    """Out of the Service by someone's hand."""

    @property
    def staying(self) -> tuple[ReplicaPod, ...]:
        return (*self.serving, *self.starting)

    @property
    def placed(self) -> int:
        """Replicas that have a node and stay."""
        return sum(1 for pod in self.staying if pod.node)

    @property
    def waiting(self) -> int:
        """Pods that have no node yet."""
        return len(self.staying) - self.placed

    @property
    def asked(self) -> tuple[ReplicaPod, ...]:
        """The pods whose metrics count: those that answer, the draining ones included."""
        return tuple(pod for pod in (*self.serving, *self.leaving, *self.ending) if pod.ready_since is not None)


def fleet(pods: Iterable[ReplicaPod]) -> Fleet:
    """The pods sorted."""
    groups: dict[str, list[ReplicaPod]] = {item.name: [] for item in fields(Fleet)}
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.uid)):
        groups[_group(pod)].append(pod)
    return Fleet(**{name: tuple(found) for name, found in groups.items()})


def _group(pod: ReplicaPod) -> str:
    if pod.ending:
        return "ending"
    if not pod.serving:
        return "aside" if pod.draining_since is None else "leaving"
    return "starting" if pod.ready_since is None else "serving"


def sample_of(
    seen: Fleet,
    *,
    ordered: int,
    time: float,
    loads: Mapping[str, ReplicaLoad | None],
    traffic: Traffic | None,
    queued: int = 0,
) -> LoadSample:
    """The sample at `time`; `loads` by the UID of pods, `ordered` the replicas that were asked for and not taken back."""
    replicas: Sequence[ReplicaLoad | None] = tuple(loads.get(pod.uid) for pod in seen.serving)
    return LoadSample(
        time=time,
        replicas=tuple(replicas),
        starting=max(0, ordered - len(replicas) - len(seen.aside)),
        draining=len(seen.leaving) + len(seen.ending),
        traffic=traffic,
        queued=queued,
    )
