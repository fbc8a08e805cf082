"""The Deployment that runs the replicas of a service."""

from __future__ import annotations

from typing import Any

from npuserve.plan.plan import Plan, Rollout
from npuserve.render import labels
from npuserve.render.names import child_name
from npuserve.render.owner import Owner, metadata
from npuserve.render.strategy import strategy, write_note

SLACK_SECONDS = 600
"""What a rollout may take beyond the start of a replica: scheduling, the pull of an image of 10 GB and more."""
KEPT_REVISIONS = 3


def deployment(
    owner: Owner, plan: Plan, *, template: dict[str, Any], replicas: int, rollout: Rollout, record: str
) -> dict[str, Any]:
    """The Deployment of a template; `record` is the plan as it is to be read back."""
    notes = {labels.PLAN: record, labels.ROLLOUT: write_note(template, rollout)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            owner, child_name(owner.name), labels=labels.of_child(owner, plan.backend), annotations=notes
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels.selector(owner.uid)},
            "strategy": strategy(rollout),
            "progressDeadlineSeconds": plan.timing.startup + SLACK_SECONDS,
            "revisionHistoryLimit": KEPT_REVISIONS,
            "template": template,
        },
    }
