"""Whose object a live one is.

Rule: only an object whose controller is this very service, by UID, is ever forced or deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from npuserve.api.resource import GROUP, KIND
from npuserve.render import labels
from npuserve.render.owner import Owner


class Ownership(Enum):
    """What the controller reference of a live object says."""

    OURS = "the service controls it"
    UNCLAIMED = "it has no controller and carries the UID of the service: its owner reference was removed"
    PREDECESSOR = "an earlier service of the same name controls it, and it is being removed"
    FOREIGN = "it belongs to someone else"


@dataclass(frozen=True, slots=True)
class Conflict:
    """An object in the way. `passing`: it goes away by itself."""

    message: str
    passing: bool


def ownership(owner: Owner, live: Mapping[str, Any]) -> Ownership:
    """Whose `live` is, from the point of view of `owner`."""
    metadata = live.get("metadata") or {}
    controller = next((item for item in metadata.get("ownerReferences") or () if item.get("controller")), None)
    if controller is None:
        claimed = (metadata.get("labels") or {}).get(labels.SERVICE_UID) == owner.uid
        return Ownership.UNCLAIMED if claimed else Ownership.FOREIGN
    if controller.get("uid") == owner.uid:
        return Ownership.OURS
    group = str(controller.get("apiVersion", "")).partition("/")[0]
    same = (group, controller.get("kind"), controller.get("name")) == (GROUP, KIND, owner.name)
    return Ownership.PREDECESSOR if same else Ownership.FOREIGN


def conflicts(
    owner: Owner, desired: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]]
) -> tuple[Conflict, ...]:
    """The live objects that have the kind and name of a desired one and are not the service's."""
    wanted = {key_of(item) for item in desired}
    found = (_conflict(owner, item) for item in live if key_of(item) in wanted)
    return tuple(item for item in found if item is not None)


def key_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name, which tell the objects of a namespace apart."""
    return str(item.get("kind", "")), str((item.get("metadata") or {}).get("name", ""))


def _conflict(owner: Owner, live: Mapping[str, Any]) -> Conflict | None:
    kind, name = key_of(live)
    match ownership(owner, live):
        case Ownership.PREDECESSOR:
            waiting = f"waiting for {kind} {name} of the previous InferenceService {owner.name} to be removed"
            return Conflict(waiting, passing=True)
        case Ownership.FOREIGN:
            message = f"{kind} {name} exists and belongs to {_holder(live)}; rename the service, or remove that {kind}"
            return Conflict(message, passing=False)
        case Ownership.OURS | Ownership.UNCLAIMED:
            return None


def _holder(live: Mapping[str, Any]) -> str:
    references = (live.get("metadata") or {}).get("ownerReferences") or ()
    controller = next((item for item in references if item.get("controller")), None)
    return f"{controller.get('kind')} {controller.get('name')}" if controller else "someone else"
