"""The PodDisruptionBudget: nodes are drained one replica at a time."""

from __future__ import annotations

from typing import Any

from npuserve.render import labels
from npuserve.render.names import child_name
from npuserve.render.owner import Owner, metadata


def disruption_budget(owner: Owner, backend: str) -> dict[str, Any]:
    """The budget. A replica that is not ready may always be evicted, so that it never holds up the drain of a node."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(owner, child_name(owner.name), labels=labels.of_child(owner, backend)),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": labels.selector(owner.uid)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
