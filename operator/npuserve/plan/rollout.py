"""How replicas are replaced when their template changes, from the room there is at that moment.

Room for one more replica: surge. A full cluster: one fewer at a time. A single replica without room: all at once,
because two cannot exist together. Decided in the write that changes the template; free devices that come and go later
change nothing.
"""

from __future__ import annotations

from npuserve.plan.plan import Rollout


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
