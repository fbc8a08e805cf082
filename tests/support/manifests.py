"""InferenceServices as users write them, and what a live one says."""

from __future__ import annotations

from typing import Any

from npuserve.api.resource import API_VERSION, KIND
from tests.cluster.kubectl import Object
from tests.support.waiting import NotYet

SMALL_MODEL = {"uri": "modelscope://Qwen/Qwen3-8B"}
"""One device of every product holds it."""


def a_service(name: str, namespace: str = "default", **spec: Any) -> Object:
    """A small model without quantization on whatever is there; keywords are parts of the spec as it stands in YAML."""
    fields = {"model": SMALL_MODEL, "quantization": "none", "backend": "auto", **spec}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": fields,
    }


def condition(service: Object, kind: str) -> Object:
    """A condition by its type; an empty one where the status has none of it."""
    conditions = service.get("status", {}).get("conditions", [])
    return next((item for item in conditions if item["type"] == kind), {})


def ready(service: Object) -> Object | NotYet:
    """The service once it is READY in its present generation."""
    return said(service, "Ready", "True")


def said(service: Object, kind: str, status: str, reason: str = "") -> Object | NotYet:
    """The service once it says so about its present generation; any reason where none is given."""
    found, name = condition(service, kind), service["metadata"]["name"]
    generation = service["metadata"]["generation"]
    if found.get("observedGeneration") != generation:
        return NotYet(f"{name}: nothing said about generation {generation}: {told(service)}")
    if found["status"] != status or reason not in ("", found["reason"]):
        return NotYet(f"{name}: {told(service)}")
    return service


def told(service: Object) -> str:
    """All conditions in one line."""
    conditions = service.get("status", {}).get("conditions", [])
    lines = [f"{item['type']}={item['status']} {item['reason']} ({item['message']})" for item in conditions]
    return "; ".join(lines) or "no conditions"
