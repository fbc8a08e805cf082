"""Which number of replicas the Deployment is to have: the autoscaler's, the spec's, or the one that it has.

Rule: where another scaler writes the Deployment, its number stands, for two that write it would never rest. Where
autoscaling is active the autoscaler decides; before its first decision what runs goes on, so that neither a restart nor
a new leader is a jump, and a new service begins with `spec.replicas`. Else `spec.replicas` is the number, and more while
replicas drain that are given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from npuserve.api.spec import InferenceServiceSpec
from npuserve.plan.autoscaling import first_replicas
from npuserve.reconcile.rivals import Rival


def replicas_for(
    spec: InferenceServiceSpec, live: Mapping[str, Any] | None, *, decided: int | None, rival: Rival | None
) -> int:
    """The number to apply; `live` is the Deployment, `decided` what the autoscaler's last look allows."""
    present = None if live is None else replicas_in(live)
    if rival is not None and rival.scales == "deployment" and present is not None:
        return present
    if spec.autoscaling is None:
        return spec.replicas
    if spec.autoscaling.mode != "active":
        return max(spec.replicas, (present or 0) if decided is None else decided)
    if decided is not None:
        return decided
    return first_replicas(spec) if present is None else present


def replicas_in(deployment: Mapping[str, Any]) -> int:
    """The replicas that a live Deployment asks for."""
    return int((deployment.get("spec") or {}).get("replicas", 1))
