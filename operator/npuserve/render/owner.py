"""Whose objects these are: the service they belong to, and the metadata every one of them carries because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.api.resource import API_VERSION, KIND


@dataclass(frozen=True, slots=True)
class Owner:
    """The service in the cluster: its objects live in its namespace and end with its UID."""

    name: str
    namespace: str
    uid: str


def metadata(
    owner: Owner, name: str, *, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Metadata of a child. Its owner reference blocks no deletion: that takes rights on the service's finalizers."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": dict(labels),
        **({"annotations": dict(annotations)} if annotations else {}),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
