"""How the objects of a service are written: what `changes` asks for, in the order in which it is safe.

Rule: a new object is applied at a version that no object can have, so that the API server itself refuses when the name
is taken, and no write can fall on someone else's object. A known object is applied with its UID, for the same reason,
and forced only where its controller is the service. Objects are applied side by side and deleted last; where one of the
names is taken, a Deployment that was created beside it is deleted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.controller.answers import ApiError, Object
from npuserve.controller.kube import NEVER, Kube
from npuserve.controller.resources import DEPLOYMENTS, of_kind
from npuserve.controller.store import Reference, Store
from npuserve.reconcile.compare import Apply, Change, Delete, changes
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.ownership import Conflict, conflicts, key_of
from npuserve.render.owner import Owner

_ROUNDS = 3
"""How often an object that turned up under a wanted name is looked at before the pass is given up."""

Key = tuple[str, str]
Live = dict[Key, Object]


class Moved(Exception):
    """Objects changed hands while they were written; the next pass sees more."""


@dataclass(frozen=True, slots=True)
class Written:
    """The objects of the service after the write, what is in the way, what was refused, and what was changed."""

    live: tuple[Object, ...]
    conflicts: tuple[Conflict, ...] = ()
    trouble: Trouble | None = None
    changed: tuple[str, ...] = ()

    @property
    def unhindered(self) -> bool:
        return not self.conflicts and self.trouble is None


async def write_children(
    kube: Kube, store: Store, owner: Owner, *, desired: Sequence[Object], live: Sequence[Object]
) -> Written:
    """Bring the objects of `owner` to `desired`.

    Raises ApiError and Unreachable where a repetition may help, and Moved.
    """
    there: Live = {key_of(item): item for item in live}
    hand = _Hand(kube, store, owner, there)
    for _ in range(_ROUNDS):
        in_the_way = conflicts(owner, desired, tuple(there.values()))
        if in_the_way:
            await hand.take_back()
            return hand.written(conflicts=in_the_way)
        todo = changes(owner, desired, tuple(there.values()))
        refused = await hand.carry_out(todo)
        if refused is not None or not hand.turned_up:
            return hand.written(trouble=refused)
    raise Moved(f"objects of {owner.namespace}/{owner.name} keep turning up and vanishing")


class _Hand:
    """Carries changes out and keeps `there` as the API server answered."""

    def __init__(self, kube: Kube, store: Store, owner: Owner, there: Live) -> None:
        self._kube = kube
        self._store = store
        self._owner = owner
        self._there = there
        self._created: list[Key] = []
        self._changed: list[str] = []
        self.turned_up = False

    def written(self, *, conflicts: tuple[Conflict, ...] = (), trouble: Trouble | None = None) -> Written:
        """How it stands now."""
        return Written(tuple(self._there.values()), conflicts, trouble, tuple(self._changed))

    async def take_back(self) -> None:
        """Delete the replicas that were created beside an object of someone else, so that they take no devices."""
        for key in self._created:
            if key[0] == DEPLOYMENTS.kind:
                metadata = self._there[key]["metadata"]
                await self._delete(Delete(*key, uid=metadata["uid"], resource_version=metadata["resourceVersion"]))

    async def carry_out(self, todo: Sequence[Change]) -> Trouble | None:
        """All changes, as far as they go; what the API server refused for good."""
        self.turned_up = False
        applies = [change for change in todo if isinstance(change, Apply)]
        # Replicas take longest to become useful: their request goes out first.
        refused = await self._apply_all(sorted(applies, key=lambda change: change.desired["kind"] != DEPLOYMENTS.kind))
        if refused is not None or self.turned_up:
            return refused
        for change in todo:
            if isinstance(change, Delete):
                await self._delete(change)
        return None

    async def _apply_all(self, applies: Sequence[Apply]) -> Trouble | None:
        """Side by side; every answer is taken in before the first failure is raised."""
        if len(applies) == 1:
            return await self._apply(applies[0])
        outcomes = await asyncio.gather(*(self._apply(change) for change in applies), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return next((outcome for outcome in outcomes if isinstance(outcome, Trouble)), None)

    async def _apply(self, change: Apply) -> Trouble | None:
        key = key_of(change.desired)
        resource, known = of_kind(key[0]), self._there.get(key)
        try:
            answer = await self._kube.apply(resource, _guarded(change.desired, known), force=not change.careful)
        except ApiError as error:
            if error.code == 409 and known is None:
                await self._look(key)
                return None
            return _refusal(error, key)
        self._there[key] = _as_applied(change.desired, answer, known)
        self._store.record(resource, answer, key=f"{self._owner.namespace}/{self._owner.name}")
        self._changed.append(f"applied {key[0]} {key[1]}")
        if known is None:
            self._created.append(key)
        return None

    async def _look(self, key: Key) -> None:
        """See whose object has the name that was to be new."""
        found = await self._kube.get(of_kind(key[0]), self._owner.namespace, name=key[1])
        self.turned_up = True
        if found is not None:
            self._there[key] = {"kind": key[0], **found}

    async def _delete(self, change: Delete) -> None:
        resource = of_kind(change.kind)
        namespace = self._owner.namespace
        await self._kube.delete(resource, namespace, name=change.name, uid=change.uid, version=change.resource_version)
        self._store.record_gone(
            Reference(resource.plural, namespace, change.name), key=f"{namespace}/{self._owner.name}"
        )
        self._there.pop((change.kind, change.name), None)
        self._changed.append(f"deleted {change.kind} {change.name}")


def _guarded(desired: Mapping[str, Any], known: Mapping[str, Any] | None) -> Object:
    """What is applied, with what it may fall on: nothing at all, or the object that was seen."""
    guard = {"resourceVersion": NEVER} if known is None else {"uid": known["metadata"]["uid"]}
    return {**desired, "metadata": {**desired["metadata"], **guard}}


def _as_applied(desired: Mapping[str, Any], answer: Mapping[str, Any], known: Mapping[str, Any] | None) -> Object:
    """The object after the write, as far as it can be known: our values, the metadata of the answer, the status of
    before."""
    return {**desired, "metadata": answer["metadata"], "status": (known or {}).get("status") or {}}


def _refusal(error: ApiError, key: Key) -> Trouble:
    """What was refused for good; raises the error where a repetition may help, and Moved where the object is another
    one now."""
    if error.code == 409 and not error.field_conflict:
        raise Moved(error.message)
    if error.code == 422 and "metadata.uid" in error.message:
        raise Moved(error.message)
    if error.code not in (400, 403, 409, 413, 422):
        raise error
    return Trouble(Reason.WRITE_REFUSED, f"{key[0]} {key[1]}: {error.message}. {Reason.WRITE_REFUSED.fix}")
