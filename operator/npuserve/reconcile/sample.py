"""What is seen of a service's replicas at one moment: from its pods and their metrics to the sample that is decided on.

Rule: ready pods that the Service selects are the replicas; those on their way out are draining and no supply. What is
ordered and not ready is starting, whether its pod exists yet or not, so that nothing is ordered twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.reconcile.pods import ReplicaPod


@dataclass(frozen=True, slots=True)
class Fleet:
    """The pods of a service by what they do now; each in a stable order."""

    serving: tuple[ReplicaPod, ...]
    starting: tuple[ReplicaPod, ...]
    leaving: tuple[ReplicaPod, ...]

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
    def draining(self) -> tuple[ReplicaPod, ...]:
        """Those that leave without having been told to end: the order still counts them."""
        return tuple(pod for pod in self.leaving if not pod.ending)

    @property
    def asked(self) -> tuple[ReplicaPod, ...]:
        """The pods whose metrics count: those that answer, the draining ones included."""
        return (*self.serving, *(pod for pod in self.leaving if pod.ready_since is not None))


def fleet(pods: Iterable[ReplicaPod]) -> Fleet:
    """The pods sorted."""
    serving, starting, leaving = [], [], []
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.uid)):
        if pod.ending or pod.draining_since is not None:
            leaving.append(pod)
        elif pod.ready_since is None:
            starting.append(pod)
        else:
            serving.append(pod)
    return Fleet(tuple(serving), tuple(starting), tuple(leaving))


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
        starting=max(0, ordered - len(replicas)),
        draining=len(seen.leaving),
        traffic=traffic,
        queued=queued,
    )
