"""Where a Deployment stands, from its own status.

That a template was rolled out is the Deployment controller's word: its condition Progressing has the reason
NewReplicaSetAvailable from the moment all replicas of a template were available until the template changes, whatever
happens to the number of replicas in between (kubernetes/kubernetes: pkg/controller/deployment/progress.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ROLLED_OUT = "NewReplicaSetAvailable"
_DEADLINE = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True)
class Rolled:
    """Counts of replicas and what the Deployment controller says of the rollout."""

    desired: int
    total: int
    updated: int
    ready: int
    available: int
    observed: bool
    """The Deployment controller has seen the last change; until then the counts are those of before."""
    finished_once: bool
    """All replicas of the present template were available at one time."""
    replica_failure: str
    """Why the cluster refuses to create a pod, in its own words; empty when it does not."""
    deadline_exceeded: bool

    @property
    def complete(self) -> bool:
        """Every replica is of the present template and available."""
        return self.observed and self.updated == self.total == self.desired and self.available >= self.desired

    @property
    def settled(self) -> bool:
        """No replica of an earlier template is left, and the present one has been complete once."""
        return self.observed and self.updated == self.total and (self.finished_once or self.complete)


def roll_state(deployment: Mapping[str, Any]) -> Rolled:
    """The state of a live Deployment."""
    metadata, spec, status = (_part(deployment, key) for key in ("metadata", "spec", "status"))
    conditions = {item.get("type"): item for item in status.get("conditions") or ()}
    progressing, failure = conditions.get("Progressing", {}), conditions.get("ReplicaFailure", {})
    return Rolled(
        desired=spec.get("replicas", 1),
        total=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        observed=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        finished_once=progressing.get("reason") == _ROLLED_OUT,
        replica_failure=str(failure.get("message", "")) if failure.get("status") == "True" else "",
        deadline_exceeded=progressing.get("reason") == _DEADLINE,
    )


def _part(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return item.get(key) or {}
