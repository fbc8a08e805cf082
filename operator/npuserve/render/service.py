"""The Service under which clients reach a service: one port, the same whatever the engine listens on."""

from __future__ import annotations

from typing import Any

from npuserve.engines.launch import SERVICE_PORT
from npuserve.render import labels
from npuserve.render.container import PORT_NAME
from npuserve.render.names import child_name
from npuserve.render.owner import Owner, metadata


def service(owner: Owner, backend: str) -> dict[str, Any]:
    """The Service. Its target is the port's name, so that two engines serve side by side during a rollout."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(owner, child_name(owner.name), labels=labels.of_child(owner, backend)),
        "spec": {
            "type": "ClusterIP",
            "selector": labels.serving(owner.uid),
            "ports": [{"name": PORT_NAME, "port": SERVICE_PORT, "protocol": "TCP", "targetPort": PORT_NAME}],
        },
    }


def service_url(name: str, namespace: str) -> str:
    """The base URL of a service inside the cluster."""
    return f"http://{child_name(name)}.{namespace}.svc:{SERVICE_PORT}"
