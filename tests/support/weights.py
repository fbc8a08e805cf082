"""A bound volume claim, so that the scheduler places pods that read weights from it."""

from __future__ import annotations

from typing import Any


def weights_claim(namespace: str, name: str = "weights") -> list[dict[str, Any]]:
    """A claim and the volume it binds to; kwok's pods never open it."""
    size = {"storage": "1Ti"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}"},
        "spec": {
            "capacity": size,
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "hostPath": {"path": "/weights"},
            "claimRef": {"namespace": namespace, "name": name},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": f"{namespace}-{name}",
            "resources": {"requests": size},
        },
    }
    return [volume, claim]
