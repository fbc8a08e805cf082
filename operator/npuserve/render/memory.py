"""The ConfigMap that keeps what was learned of a service's load, so that a restart of the operator forgets nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from npuserve.render import labels
from npuserve.render.names import memory_name
from npuserve.render.owner import Owner, metadata

_KEY = "memory.json"


def memory_map(owner: Owner, digest: str) -> dict[str, Any]:
    """The ConfigMap of a digest."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, memory_name(owner.name), labels=labels.of_memory(owner)),
        "data": {_KEY: digest},
    }


def digest_in(config_map: Mapping[str, Any]) -> str:
    """The digest that a ConfigMap keeps; empty where it keeps none."""
    found = (config_map.get("data") or {}).get(_KEY, "")
    return found if isinstance(found, str) else ""
