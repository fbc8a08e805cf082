"""How the Deployment's number of replicas gets from what it is to what is wanted: up at once, down by draining.

Rule: what the load makes superfluous goes without losing a request, and waits for that. What people command (a number of
their own, a lower limit, a stop) goes by the same way where the replicas can be read; where they cannot, or where none is
to stay, it goes at once, and each replica still has its own time to finish requests before it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from npuserve.reconcile.drain import Drain, Loads, plan_drain
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.sample import fleet


@dataclass(frozen=True, slots=True)
class Aim:
    """Replicas that are wanted; `commanded` by people, and not by the load."""

    replicas: int
    commanded: bool


def course(pods: Sequence[ReplicaPod], aim: Aim, *, live: int, loads: Loads, now: float, limit: float) -> Drain:
    """The next step from the `live` number of the Deployment, as `plan_drain` takes it."""
    seen = fleet(pods)
    target = aim.replicas - len(seen.aside)
    unread = any(loads.get(pod.uid) is None for pod in seen.serving)
    if aim.commanded and aim.replicas < live and not seen.leaving and (unread or not aim.replicas):
        return Drain(aim.replicas)
    drain = plan_drain(pods, target=max(0, target), current=live, loads=loads, now=now, limit=limit)
    return Drain(max(aim.replicas, drain.replicas), drain.marks, drain.leaving, drain.waits_for)
