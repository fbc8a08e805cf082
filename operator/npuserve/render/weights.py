"""How the weights reach a pod: one volume and its mount, by where the weights are.

hub -> an existing claim or scratch space, written by the engine's own download
volume, image, host -> mounted read-only
"""

from __future__ import annotations

from typing import Any

from npuserve.engines.weights import (
    CACHE_DIR,
    MODELS_DIR,
    HostWeights,
    HubWeights,
    ImageWeights,
    VolumeWeights,
    Weights,
)
from npuserve.render.canonical import byte_quantity

VOLUME = "weights"


def weights_volume(weights: Weights, scratch: int, *, pull_policy: str) -> dict[str, Any]:
    """The pod's volume; `scratch` is the size limit in bytes where the engine downloads without a cache."""
    match weights:
        case HubWeights(cache=""):
            return {"name": VOLUME, "emptyDir": {"sizeLimit": byte_quantity(scratch)} if scratch else {}}
        case HubWeights(cache=claim):
            return {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim}}
        case VolumeWeights(claim=claim):
            return {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        case ImageWeights(reference=reference):
            return {"name": VOLUME, "image": {"reference": reference, "pullPolicy": pull_policy}}
        case HostWeights(directory=directory):
            return {"name": VOLUME, "hostPath": {"path": directory, "type": "Directory"}}


def weights_mount(weights: Weights) -> dict[str, Any]:
    """Where the engine's container finds the volume."""
    match weights:
        case HubWeights():
            return {"name": VOLUME, "mountPath": CACHE_DIR}
        case VolumeWeights() | ImageWeights() | HostWeights():
            return {"name": VOLUME, "mountPath": MODELS_DIR, "readOnly": True}


def scratch_request(scratch: int) -> dict[str, str]:
    """What the scheduler must find on a node's disk for weights that are downloaded without a cache."""
    return {"ephemeral-storage": byte_quantity(scratch)} if scratch else {}
