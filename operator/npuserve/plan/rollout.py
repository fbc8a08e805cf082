"""How replicas are replaced when their template changes, from the room there is at that moment.

Room for one more replica: surge. A full cluster: one fewer at a time. A single replica without room: all at once,
because two cannot exist together. Decided in the write that changes the template; free devices that come and go later
change nothing.
"""

from __future__ import annotations

from npuserve.api.spec import InferenceServiceSpec
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Profile
from npuserve.plan.hardware import narrowed, pools
from npuserve.plan.plan import Plan, Refusal, Rollout


def decide_rollout(
    spec: InferenceServiceSpec, profile: Profile, plan: Plan, *, cluster: ClusterFacts, replicas: int
) -> Rollout:
    """The rollout of so many replicas by what is free now on the nodes that the plan is for."""
    if not cluster.known:
        return choose_rollout(replicas, None)
    found = pools(narrowed(spec.hardware, profile), spec.template, cluster)
    offered = () if isinstance(found, Refusal) else found
    nodes = tuple(
        node
        for pool in offered
        if (pool.product.id, pool.resource) == (plan.product, plan.resource_name)
        for node in pool.nodes
    )
    return choose_rollout(replicas, cluster.room(nodes, devices=plan.devices))


def choose_rollout(replicas: int, room: int | None) -> Rollout:
    """`room`: replicas that fit into free devices now; None when capacity is unknown, which counts as none for a
    replica of scarce devices."""
    if room is not None and room >= 1:
        return Rollout(
            surge=1, unavailable=0, recreate=False, reason=f"rollout: surge 1, free devices hold {room} more"
        )
    why = "free devices are unknown" if room is None else "no free devices for one more replica"
    if replicas <= 1:
        return Rollout(surge=0, unavailable=1, recreate=True, reason=f"rollout: recreate, {why}")
    return Rollout(surge=0, unavailable=1, recreate=False, reason=f"rollout: one replica at a time, {why}")
