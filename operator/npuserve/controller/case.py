"""What a pass is about: the service and its objects as they are, read from the store and, where that cannot know, from
the API server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from npuserve.api.conditions import Reason
from npuserve.controller.activation import Around
from npuserve.controller.answers import Object
from npuserve.controller.kube import Kube
from npuserve.controller.resources import CHILDREN, DEPLOYMENTS, SERVICE, of_plural
from npuserve.controller.store import Reference, Seen, Store
from npuserve.plan.plan import Record
from npuserve.plan.record import load
from npuserve.reconcile.ownership import Ownership, ownership
from npuserve.render import labels
from npuserve.render.names import child_name
from npuserve.render.owner import Owner


@dataclass(frozen=True, slots=True)
class Case:
    """One service at the beginning of a pass."""

    key: str
    body: Object
    owner: Owner
    live: tuple[Object, ...]
    running: Record | None
    """The plan beside the live Deployment."""
    left_right: bool
    """Nothing that decides or shows the objects has changed since a pass left them right; then `live` holds the
    Deployment only."""
    around: Around
    """Where requests can go besides, as it was when the pass began."""

    @property
    def deployment(self) -> Object | None:
        return own_deployment(self.owner, self.live)


class Reader:
    """Reads cases, and remembers by service what no watch shows: where objects were left right, and which of others are
    in the way."""

    def __init__(self, kube: Kube, store: Store, *, around: Callable[[Owner], Around]) -> None:
        self._kube = kube
        self._store = store
        self._around = around
        self._left_right: dict[str, int] = {}
        self._in_the_way: dict[str, tuple[Reference, ...]] = {}

    async def read(self, key: str) -> Case | None:
        """The case of a service; None when it is gone or going."""
        body = await self._service(key)
        if body is None or body["metadata"].get("deletionTimestamp"):
            self._left_right.pop(key, None)
            self._in_the_way.pop(key, None)
            return None
        metadata = body["metadata"]
        owner = Owner(metadata["name"], metadata["namespace"], metadata["uid"])
        children = self._store.children(key)
        around = self._around(owner)
        sight = _sight(body, ((seen.uid, seen.version) for seen in children), around)
        left_right = self._left_right.get(key) == sight
        suspects = self._in_the_way.pop(key, ()) or _taken_names(body, owner)
        live = await self._live(children, suspects, owner, only_replicas=left_right)
        deployment = own_deployment(owner, live)
        record = None if deployment is None else (deployment["metadata"].get("annotations") or {}).get(labels.PLAN)
        return Case(key, body, owner, live, load(record) if record else None, left_right, around)

    async def whole(self, case: Case) -> Case:
        """The case with all its children, where only the Deployment was read."""
        live = await self._live(self._store.children(case.key), (), case.owner, only_replicas=False)
        return replace(case, live=live, left_right=False)

    def note_right(self, case: Case, live: Iterable[Object]) -> None:
        """A pass has just found or made the objects right."""
        metadata = (item["metadata"] for item in live)
        self._left_right[case.key] = _sight(
            case.body, ((item["uid"], int(item["resourceVersion"])) for item in metadata), case.around
        )

    def note_in_the_way(self, case: Case, live: Iterable[Object]) -> None:
        """Objects of others have names of ours: they are read again in the next pass, because no watch shows them."""
        foreign = (item for item in live if ownership(case.owner, item) is Ownership.FOREIGN)
        self._in_the_way[case.key] = tuple(_reference(item, case.owner.namespace) for item in foreign)

    async def _service(self, key: str) -> Object | None:
        seen = self._store.service(key)
        if seen is None:
            return None
        return seen.read() or await self._kube.get(SERVICE, seen.reference.namespace, name=seen.reference.name)

    async def _live(
        self, children: Iterable[Seen], suspects: Iterable[Reference], owner: Owner, *, only_replicas: bool
    ) -> tuple[Object, ...]:
        """The children, with what has their names without being among them: as it was seen, and `suspects` as they are
        read now."""
        found = {
            seen.reference: seen
            for seen in children
            if not only_replicas or seen.reference.plural == DEPLOYMENTS.plural
        }
        if not only_replicas:
            named = ((reference, self._store.find(reference)) for reference in _names(owner))
            found |= {reference: seen for reference, seen in named if seen is not None}
        unseen = [reference for reference in suspects if reference not in found]
        bodies = [await self._child(seen.reference, seen.read()) for seen in found.values()]
        bodies += [await self._child(reference, None) for reference in unseen]
        return tuple(body for body in bodies if body is not None)

    async def _child(self, reference: Reference, body: Object | None) -> Object | None:
        """A child with its kind, which items of a list come without; read now when its body is not known."""
        resource = of_plural(reference.plural)
        found = body or await self._kube.get(resource, reference.namespace, name=reference.name)
        return None if found is None else {"kind": resource.kind, **found}


def own_deployment(owner: Owner, live: Iterable[Object]) -> Object | None:
    """The service's own Deployment."""
    mine = (item for item in live if item["kind"] == DEPLOYMENTS.kind and ownership(owner, item) is Ownership.OURS)
    return next(mine, None)


def _names(owner: Owner) -> tuple[Reference, ...]:
    """The names of the children that have the service's."""
    return tuple(Reference(resource.plural, owner.namespace, child_name(owner.name)) for resource in CHILDREN)


def _taken_names(service: Object, owner: Owner) -> tuple[Reference, ...]:
    """Names to read before anything is written, where the status says that one is taken: a restart forgets which."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return _names(owner) if any(item.get("reason") == Reason.NAME_CONFLICT for item in conditions) else ()


def _sight(service: Object, children: Iterable[tuple[str, int]], around: Around) -> int:
    """A hash of all that decides the objects of a service with a settled plan, and of the UIDs and versions they have."""
    metadata = service["metadata"]
    replan = (metadata.get("annotations") or {}).get(labels.REPLAN)
    return hash((metadata["uid"], metadata.get("generation"), replan, frozenset(children), around))


def _reference(item: Object, namespace: str) -> Reference:
    plural = next(resource.plural for resource in CHILDREN if resource.kind == item["kind"])
    return Reference(plural, namespace, item["metadata"]["name"])
