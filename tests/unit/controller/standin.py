"""What a pass asks of the API server, answered from a dictionary: names, UIDs, versions, and refusals from a script.

The real one is used in tests/apiserver.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import count
from typing import Any

from npuserve.controller.answers import ApiError, Object
from npuserve.controller.resources import Resource

Key = tuple[str, str, str]


class StandIn:
    """Objects by plural, namespace and name; `wrote` is every write in order."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.wrote: list[str] = []
        self.read: list[str] = []
        self.refuse: Callable[[str, Resource, Object], ApiError | None] = lambda *_: None
        self._numbers = count(100)

    def put(self, resource: Resource, body: Object) -> Object:
        """Someone else's write."""
        metadata = body["metadata"]
        number = next(self._numbers)
        stored = deepcopy(body)
        stored["metadata"] = {"uid": f"uid-{number}", **metadata, "resourceVersion": str(number)}
        self.objects[resource.plural, metadata["namespace"], metadata["name"]] = stored
        return deepcopy(stored)

    async def get(self, resource: Resource, namespace: str, *, name: str) -> Object | None:
        self.read.append(f"{resource.plural} {name}")
        return deepcopy(self.objects.get((resource.plural, namespace, name)))

    async def apply(self, resource: Resource, manifest: Object, *, force: bool, subresource: str = "") -> Object:
        metadata = manifest["metadata"]
        self._check("apply", resource, manifest)
        key = resource.plural, metadata["namespace"], metadata["name"]
        there = self.objects.get(key)
        if there is None and ("uid" in metadata or subresource):
            raise ApiError(404 if subresource else 409, reason="Conflict", message="uid mismatch")
        if there is not None and (
            metadata.get("resourceVersion") or metadata.get("uid", there["metadata"]["uid"]) != there["metadata"]["uid"]
        ):
            raise ApiError(409, reason="Conflict", message="the object has been modified")
        self.wrote.append(
            f"apply{' forced' if force else ''} {resource.plural}{'/' + subresource if subresource else ''} {metadata['name']}"
        )
        content = {"status": manifest["status"]} if subresource else manifest
        kept = {name: value for name, value in metadata.items() if name not in ("uid", "resourceVersion")}
        merged = {**(there or {}), **content, "metadata": {**(there or {}).get("metadata", {}), **kept}}
        return {"metadata": self.put(resource, merged)["metadata"]}

    async def merge(self, resource: Resource, namespace: str, *, name: str, changes: Object) -> Object:
        self._check("merge", resource, changes)
        there = self.objects.get((resource.plural, namespace, name))
        if there is None:
            raise ApiError(404, reason="NotFound", message="it does not exist")
        self.wrote.append(f"merge {resource.plural} {name}")
        return {"metadata": self.put(resource, _merged(there, changes))["metadata"]}

    async def create(self, resource: Resource, manifest: Object) -> Object:
        self._check("create", resource, manifest)
        metadata = manifest["metadata"]
        if (resource.plural, metadata["namespace"], metadata["name"]) in self.objects:
            raise ApiError(409, reason="AlreadyExists", message="it exists")
        self.wrote.append(f"create {resource.plural} {manifest.get('reason', metadata['name'])}")
        return self.put(resource, manifest)

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        metadata = manifest["metadata"]
        there = self.objects[resource.plural, metadata["namespace"], metadata["name"]]
        if there["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise ApiError(409, reason="Conflict", message="the object has been modified")
        self.wrote.append(f"replace {resource.plural} {metadata['name']}")
        return self.put(resource, manifest)

    async def delete(self, resource: Resource, namespace: str, *, name: str, uid: str, version: str) -> None:
        there = self.objects.get((resource.plural, namespace, name))
        if there is None:
            return
        if (there["metadata"]["uid"], there["metadata"]["resourceVersion"]) != (uid, version):
            raise ApiError(409, reason="Conflict", message="precondition failed")
        self.wrote.append(f"delete {resource.plural} {name}")
        del self.objects[resource.plural, namespace, name]

    def of(self, resource: Resource) -> list[Object]:
        """Everything there is of a resource."""
        return [body for (plural, _, _), body in self.objects.items() if plural == resource.plural]

    def _check(self, verb: str, resource: Resource, body: Any) -> None:
        refusal = self.refuse(verb, resource, body)
        if refusal is not None:
            raise refusal


def _merged(there: Object, changes: Object) -> Object:
    """A merge patch: maps are merged, null removes."""
    result = dict(there)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key) or {}, value) if isinstance(value, dict) else value
    return result
