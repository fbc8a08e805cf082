"""What a service has of the devices and wants of them, beside others that want some too.

Rule: an order counts as taken from the moment it is given, so that no two services are granted the same devices. Where
something keeps its pods from being made, or nodes from taking them, for longer than making a pod takes, what is free is
free for others.
"""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.plan.plan import Plan
from npuserve.plan.sharing import Claim
from npuserve.reconcile.sample import Fleet
from npuserve.reconcile.step import Asked, State

COMING_SECONDS = 15.0
"""Within which the pods of an order exist."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Which service claims, and what a replica of it takes."""

    key: str
    namespace: str
    plan: Plan
    priority_class: str


def claim_of(
    claimant: Claimant, *, priority: int, asked: Asked, seen: Fleet | None, state: State | None, now: float
) -> Claim:
    """The claim at `now`; `seen` and `state` are None before the first look, which claims nothing."""
    there, placed = (0, 0) if seen is None else (len(seen.staying) + len(seen.aside), seen.placed + len(seen.aside))
    coming = 0 if state is None or not asked.in_charge else max(0, state.ordered - there)
    wanted = there + coming
    if coming and _is_late(state, now):
        coming, wanted = 0, there
    elif state is not None and state.decision is not None and asked.in_charge:
        wanted = min(state.decision.wanted, asked.settings.most)
    return Claim(
        key=claimant.key,
        namespace=claimant.namespace,
        plan=claimant.plan,
        priority=priority,
        priority_class=claimant.priority_class,
        present=there + coming,
        waiting=there + coming - placed,
        coming=coming,
        wanted=wanted,
    )


def _is_late(state: State | None, now: float) -> bool:
    """Whether replicas that were ordered have had no pod or node for longer than making a pod takes."""
    since = None if state is None else state.placing.since
    return since is not None and now - since > COMING_SECONDS
