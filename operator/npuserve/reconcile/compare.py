"""What must change in the cluster: desired and live objects in, changes out.

Rule: an object is written when it is missing, when what we want is not what we last applied, or when a field that we
set no longer has our value. Fields and list entries that others add are theirs. The digest is compared as well, because
server-side apply removes a field that we stop setting, which no comparison of the fields we set can see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from npuserve.quantity import parse_quantity
from npuserve.reconcile.ownership import Ownership, key_of, ownership
from npuserve.reconcile.state import roll_state
from npuserve.render import canonical, labels
from npuserve.render.owner import Owner

_NAMED_BY = {
    "containers": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "ports": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists that are maps by one key of their entries; every other list is one value."""
_AMOUNTS = ("requests", "limits", "sizeLimit")
"""Keys whose values are quantities, which the API server may write in another way."""
_IDENTITY = ("apiVersion", "kind")
"""Settled by where the object was found; entries of a list answer lack them."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Write `desired`. `careful`: nothing is known to be ours there yet, so look first and force nothing."""

    desired: dict[str, Any]
    careful: bool


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove exactly the object that was seen: UID and resource version are preconditions."""

    kind: str
    name: str
    uid: str
    resource_version: str


Change = Apply | Delete


def digest(desired: Mapping[str, Any]) -> str:
    """32 hexadecimal digits over everything we want of an object, the stamp of an earlier `stamped` left out."""
    return canonical.digest(_unstamped(desired))


def stamped(desired: Mapping[str, Any]) -> dict[str, Any]:
    """The object with the digest of itself, by which a later pass knows what was applied."""
    return _annotated(desired, {**_annotations(desired), labels.APPLIED: digest(desired)})


def holds(desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether every field that we set has our value in the live object."""
    return all(_has(live, key, value) for key, value in desired.items() if key not in _IDENTITY)


def needs_write(desired: Mapping[str, Any], live: Mapping[str, Any] | None) -> bool:
    """Whether the object must be applied."""
    if live is None:
        return True
    return _annotations(live).get(labels.APPLIED) != digest(desired) or not holds(_unstamped(desired), live)


def changes(
    owner: Owner, desired: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]]
) -> tuple[Change, ...]:
    """Applies in the order of `desired`, then deletions of children of ours that are not wanted any more.

    An object in conflict is left alone. Files of an earlier template stay until the Deployment has rolled past it.
    """
    there = {key_of(item): item for item in live}
    applies = tuple(
        Apply(stamped(item), careful=found is None or ownership(owner, found) is not Ownership.OURS)
        for item in desired
        if needs_write(item, found := there.get(key_of(item))) and (found is None or _may_write(owner, found))
    )
    settled = not applies and _rolled_out(there.values())
    wanted = {key_of(item) for item in desired}
    deletes = (
        _delete(item)
        for key, item in there.items()
        if key not in wanted and _may_delete(owner, item) and (settled or key[0] != "ConfigMap")
    )
    return (*applies, *deletes)


def _may_write(owner: Owner, live: Mapping[str, Any]) -> bool:
    return ownership(owner, live) in (Ownership.OURS, Ownership.UNCLAIMED)


def _may_delete(owner: Owner, live: Mapping[str, Any]) -> bool:
    ending = (live.get("metadata") or {}).get("deletionTimestamp")
    return not ending and ownership(owner, live) is Ownership.OURS


def _rolled_out(live: Iterable[Mapping[str, Any]]) -> bool:
    return all(roll_state(item).complete for item in live if item.get("kind") == "Deployment")


def _delete(live: Mapping[str, Any]) -> Delete:
    kind, name = key_of(live)
    metadata = live["metadata"]
    return Delete(kind, name, str(metadata.get("uid", "")), str(metadata.get("resourceVersion", "")))


def _annotations(item: Mapping[str, Any]) -> dict[str, str]:
    return (item.get("metadata") or {}).get("annotations") or {}


def _annotated(item: Mapping[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
    return {**item, "metadata": {**metadata, "annotations": annotations} if annotations else metadata}


def _unstamped(desired: Mapping[str, Any]) -> Mapping[str, Any]:
    annotations = _annotations(desired)
    if labels.APPLIED not in annotations:
        return desired
    return _annotated(desired, {key: value for key, value in annotations.items() if key != labels.APPLIED})


def _has(live: Mapping[str, Any], key: str, value: Any, *, inside: str = "") -> bool:
    """Whether `live` holds our `value` under `key`; the API server drops empty strings, lists and maps, or shows null."""
    if live.get(key) is None:
        return value in ("", [], {})
    return _same(value, live[key], name=inside if inside in _AMOUNTS else key)


def _same(wanted: Any, found: Any, *, name: str) -> bool:
    """Whether `found` holds `wanted`; most of a converged object is equal as it stands and is never descended into."""
    if wanted == found:
        return True
    match wanted, found:
        case dict(), dict():
            return all(_has(found, key, value, inside=name) for key, value in wanted.items())
        case list(), list():
            return _same_list(wanted, found, name=name)
        case _:
            return name in _AMOUNTS and parse_quantity(wanted) == parse_quantity(found) is not None


def _same_list(wanted: list[Any], found: list[Any], *, name: str) -> bool:
    identity = _NAMED_BY.get(name)
    if identity is None:
        pairs = zip(wanted, found, strict=False)
        return len(wanted) == len(found) and all(_same(ours, theirs, name="") for ours, theirs in pairs)
    entries = {entry.get(identity): entry for entry in found}
    return all(_same(ours, entries.get(ours[identity]), name="") for ours in wanted)
