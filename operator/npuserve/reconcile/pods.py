"""What a replica's pod shows of it: where it answers, since when it serves, and what was done to drain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from npuserve.render import labels

_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class ReplicaPod:
    """One pod of a service; times in seconds since the epoch."""

    uid: str
    name: str
    namespace: str
    service_uid: str
    address: str
    """Its IP; empty until it has one."""
    created: float
    ready_since: float | None
    """None while it is not ready."""
    serving: bool
    """Whether the Service selects it: off once it drains."""
    draining_since: float | None
    """When it was taken out of the Service to be removed."""
    deletion_cost: int
    """What the ReplicaSet goes by when it removes some: the lowest first."""
    ending: bool
    """It was told to end, and may still finish what it has."""
    unschedulable: str
    """The scheduler's words; empty when it has a node or was not looked at yet."""
    template: str
    """Which template it is of: pods of one template share it."""
    node: str = ""
    """The node that it has; empty while it waits for one."""

    @property
    def starting(self) -> bool:
        """Not ready yet and not told to end."""
        return self.ready_since is None and not self.ending


def replica_pod(pod: Mapping[str, Any]) -> ReplicaPod | None:
    """The replica behind a Pod as the API server shows it; None for a pod of no service, or one that has ended."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    marks, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    service_uid = marks.get(labels.SERVICE_UID)
    if not service_uid or status.get("phase") in _ENDED:
        return None
    conditions = {item.get("type"): item for item in status.get("conditions") or ()}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    return ReplicaPod(
        uid=metadata["uid"],
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        service_uid=service_uid,
        address=status.get("podIP") or "",
        created=_seconds(metadata.get("creationTimestamp")) or 0.0,
        ready_since=_seconds(ready.get("lastTransitionTime")) or 0.0 if ready.get("status") == "True" else None,
        serving=marks.get(labels.SERVE) == "true",
        draining_since=_seconds(notes.get(labels.DRAINING)),
        deletion_cost=_number(notes.get(labels.DELETION_COST)),
        ending=bool(metadata.get("deletionTimestamp")),
        unschedulable=str(scheduled.get("message", "")) if scheduled.get("reason") == "Unschedulable" else "",
        template=marks.get(labels.TEMPLATE_HASH, ""),
        node=(pod.get("spec") or {}).get("nodeName") or "",
    )


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None


def _number(text: object) -> int:
    try:
        return int(str(text or 0))
    except ValueError:
        return 0
