"""Who else writes the number of replicas: HorizontalPodAutoscalers, reduced to what they scale.

KEDA and the like make one of these, so nothing else needs to be watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from npuserve.api.resource import GROUP, KIND


@dataclass(frozen=True, slots=True)
class Rival:
    """One scaler and its target: a service of ours, or a Deployment that may be one's child."""

    namespace: str
    name: str
    scales: Literal["service", "deployment"]
    target: str


def rival_of(scaler: Mapping[str, Any]) -> Rival | None:
    """The rival behind a HorizontalPodAutoscaler; None where it scales something else."""
    metadata = scaler["metadata"]
    target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
    group, kind = str(target.get("apiVersion", "")).partition("/")[0], target.get("kind")
    scales: Literal["service", "deployment"]
    if (group, kind) == (GROUP, KIND):
        scales = "service"
    elif (group, kind) == ("apps", "Deployment"):
        scales = "deployment"
    else:
        return None
    return Rival(metadata.get("namespace", ""), metadata.get("name", ""), scales, str(target.get("name", "")))


def foremost(rivals: Iterable[Rival]) -> Rival | None:
    """The one to tell of several: one that scales the Deployment itself goes before."""
    return min(rivals, key=lambda rival: (rival.scales, rival.name), default=None)
