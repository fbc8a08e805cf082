"""The services that are created: small, and all alike but for their names."""

from __future__ import annotations

from typing import Any

PATH = "/apis/npuserve.io/v1alpha1/namespaces/{namespace}/inferenceservices"


def service(name: str, namespace: str) -> dict[str, Any]:
    """A service with the three fields that are enough."""
    return {
        "apiVersion": "npuserve.io/v1alpha1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"uri": "modelscope://Qwen/Qwen3-32B"},
            "quantization": "auto",
            "backend": "auto",
            "replicas": 1,
        },
    }
