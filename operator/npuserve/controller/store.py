"""What the watches have shown: services, and the children that belong to them.

Rule: an object is kept as JSON without its managedFields, compressed with the first object of its resource as the
dictionary: objects of one operator are alike, and 9 kB become 200 bytes. The newest version wins. What the operator
itself wrote is recorded with the metadata that the API server answers; its echo on the watch brings the rest and is no
news. Versions are compared as numbers (Kubernetes 1.35 promises their order; they were etcd revisions before).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from npuserve.api.resource import GROUP, KIND
from npuserve.controller.resources import SERVICE, Resource

_GROUP = f"{GROUP}/"
_FASTEST = 1
_RAW_DEFLATE = -15


@dataclass(frozen=True, slots=True)
class Reference:
    """Which object: the plural of its resource, its namespace and its name."""

    plural: str
    namespace: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as last seen.

    `owner` is the key of the service that controls it, empty where none does; `packed` is None between a write of ours
    and its echo.
    """

    reference: Reference
    uid: str
    version: int
    owner: str
    packed: bytes | None
    example: bytes

    def read(self) -> dict[str, Any] | None:
        """The object, decoded anew at each call; None when only its metadata is known."""
        return None if self.packed is None else unpack(self.packed, self.example)


@dataclass(frozen=True, slots=True)
class News:
    """Something about a service changed; `fresh` when it is the service itself, and not merely read for the first time."""

    key: str
    fresh: bool


class Store:
    """All that was seen, and which of it changed under a service that is in work."""

    def __init__(self) -> None:
        self._seen: dict[Reference, Seen] = {}
        self._children: dict[str, dict[Reference, None]] = {}
        self._changed: dict[str, set[Reference]] = {}
        self._by_uid: dict[str, Reference] = {}
        self._examples: dict[str, bytes] = {}

    def service(self, key: str) -> Seen | None:
        """The service of that key."""
        return self._seen.get(_service_reference(key))

    def find(self, reference: Reference) -> Seen | None:
        """The object of that reference, whoever owns it."""
        return self._seen.get(reference)

    def services(self) -> Iterator[str]:
        """The keys of all services."""
        return (reference.key for reference in list(self._seen) if reference.plural == SERVICE.plural)

    def bodies(self, resource: Resource) -> Iterator[dict[str, Any]]:
        """Every object of a resource whose body is known."""
        found = (seen.read() for seen in list(self._seen.values()) if seen.reference.plural == resource.plural)
        return (body for body in found if body is not None)

    def key_of(self, uid: str) -> str | None:
        """The key of the service with this UID."""
        reference = self._by_uid.get(uid)
        return None if reference is None else reference.key

    def children(self, key: str) -> tuple[Seen, ...]:
        """Everything that names the service as its controller, children of an earlier service of that name included."""
        return tuple(self._seen[reference] for reference in self._children.get(key, ()))

    def observe(self, resource: Resource, body: Mapping[str, Any]) -> News | None:
        """Take in an object as a watch or a read showed it; None when it says nothing new, or only to work that has
        begun."""
        known = self._seen.get(_reference(resource, body))
        version = _version(body)
        if known is not None and version <= known.version:
            if known.packed is None and version == known.version:
                self._keep(self._packed(resource, body))
            return None
        seen = self._packed(resource, body)
        self._keep(seen)
        return self._tell(seen, known, fresh=resource is SERVICE and (known is not None or not _was_observed(body)))

    def observe_gone(self, resource: Resource, body: Mapping[str, Any]) -> News | None:
        """Take in that an object was deleted; None when it was not known, or when a newer one has its name."""
        known = self._seen.get(_reference(resource, body))
        if known is None or known.uid != body["metadata"]["uid"]:
            return None
        self._drop(known)
        return self._tell(known, None, fresh=resource is SERVICE)

    def observe_list(self, resource: Resource, uids: frozenset[str], *, version: int) -> list[News]:
        """Take in that exactly these objects existed at a version: drop every older one that is not among them."""
        plural = resource.plural
        gone = [
            seen
            for reference, seen in self._seen.items()
            if reference.plural == plural and seen.uid not in uids and seen.version <= version
        ]
        for seen in gone:
            self._drop(seen)
        return [news for seen in gone if (news := self._tell(seen, None, fresh=resource is SERVICE)) is not None]

    def record(self, resource: Resource, answer: Mapping[str, Any], *, key: str) -> None:
        """Take in the metadata that answered our own write for the service `key`: no news, unless someone wrote after
        us, or removed the object before the answer came."""
        reference, version = _reference(resource, answer), _version(answer)
        known = self._seen.get(reference)
        if known is None and reference in self._changed.get(key, ()):
            return
        if known is None or known.version < version:
            self._keep(_reduce(resource, answer, packed=None, example=b""))
        if known is None or known.version <= version:
            self._changed.get(key, set()).discard(reference)

    def record_gone(self, reference: Reference, *, key: str) -> None:
        """Take in that our own delete succeeded."""
        known = self._seen.get(reference)
        if known is not None:
            self._drop(known)
        self._changed.get(key, set()).discard(reference)

    def record_status(self, read: Mapping[str, Any], answer: Mapping[str, Any], *, key: str) -> None:
        """Take in the answer to our own status of a service in work that was `read` before: news at its end where someone
        edited it in between, since the watch shows that edit as older than the answer."""
        self.record(SERVICE, answer, key=key)
        if _asked(read) != _asked(answer):
            self._changed[key].add(_service_reference(key))

    def record_service_gone(self, key: str) -> None:
        """Take in that a service in work is gone, as the answer to our own write says: news at its end, since nothing else
        may tell."""
        known = self.service(key)
        if known is not None:
            self._drop(known)
        self._changed[key].add(_service_reference(key))

    def begin(self, key: str) -> None:
        """From now on, changes under the service are remembered for `end` instead of being told."""
        self._changed[key] = set()

    def end(self, key: str) -> News | None:
        """What changed under the service since `begin`, our own writes aside."""
        changed = self._changed.pop(key, None)
        return News(key, any(reference.plural == SERVICE.plural for reference in changed)) if changed else None

    def _tell(self, seen: Seen, known: Seen | None, *, fresh: bool) -> News | None:
        """News for the service that the object is or belongs to, or belonged to before."""
        is_service = seen.reference.plural == SERVICE.plural
        key = seen.reference.key if is_service else seen.owner or (known.owner if known is not None else "")
        if key in self._changed:
            self._changed[key].add(seen.reference)
            return None
        return News(key, fresh) if key else None

    def _packed(self, resource: Resource, body: Mapping[str, Any]) -> Seen:
        text = plain(body)
        example = self._examples.setdefault(resource.plural, text)
        return _reduce(resource, body, packed=pack(text, example), example=example)

    def _keep(self, seen: Seen) -> None:
        known = self._seen.get(seen.reference)
        if known is not None and (known.uid, known.owner) != (seen.uid, seen.owner):
            self._unlink(known)
        self._seen[seen.reference] = seen
        if seen.reference.plural == SERVICE.plural:
            self._by_uid[seen.uid] = seen.reference
        elif seen.owner:
            self._children.setdefault(seen.owner, {})[seen.reference] = None

    def _drop(self, seen: Seen) -> None:
        del self._seen[seen.reference]
        self._unlink(seen)

    def _unlink(self, seen: Seen) -> None:
        self._by_uid.pop(seen.uid, None)
        siblings = self._children.get(seen.owner)
        if siblings is not None:
            siblings.pop(seen.reference, None)
            if not siblings:
                del self._children[seen.owner]


def plain(body: Mapping[str, Any]) -> bytes:
    """An object as it is kept, before compression: without managedFields."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return json.dumps({**body, "metadata": metadata}, separators=(",", ":")).encode()


def pack(text: bytes, example: bytes) -> bytes:
    """`text` compressed against an object that is like it."""
    packer = zlib.compressobj(_FASTEST, zlib.DEFLATED, _RAW_DEFLATE, zdict=example)
    return packer.compress(text) + packer.flush()


def unpack(packed: bytes, example: bytes) -> dict[str, Any]:
    """The object that was packed against `example`."""
    unpacker = zlib.decompressobj(_RAW_DEFLATE, zdict=example)
    decoded: dict[str, Any] = json.loads(unpacker.decompress(packed) + unpacker.flush())
    return decoded


def _controller_of(body: Mapping[str, Any]) -> str:
    """The key of the service that controls an object; empty when none does."""
    metadata = body["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner.get("kind") == KIND and owner.get("apiVersion", "").startswith(_GROUP):
            return f"{metadata.get('namespace', '')}/{owner['name']}"
    return ""


def _reference(resource: Resource, body: Mapping[str, Any]) -> Reference:
    metadata = body["metadata"]
    return Reference(resource.plural, intern(metadata.get("namespace", "")), metadata["name"])


def _version(body: Mapping[str, Any]) -> int:
    return int(body["metadata"]["resourceVersion"])


def _asked(service: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a service changes with an edit, and with no write of its status."""
    metadata = service["metadata"]
    said = (metadata.get("labels") or {}, metadata.get("annotations") or {})
    return (metadata["uid"], metadata.get("generation"), metadata.get("deletionTimestamp"), *said)


def _was_observed(service: Mapping[str, Any]) -> bool:
    """Whether the status of a service is about its present generation."""
    return bool((service.get("status") or {}).get("observedGeneration") == service["metadata"].get("generation"))


def _reduce(resource: Resource, body: Mapping[str, Any], *, packed: bytes | None, example: bytes) -> Seen:
    return Seen(
        reference=_reference(resource, body),
        uid=body["metadata"]["uid"],
        version=_version(body),
        owner="" if resource is SERVICE else intern(_controller_of(body)),
        packed=packed,
        example=example,
    )


def _service_reference(key: str) -> Reference:
    namespace, _, name = key.partition("/")
    return Reference(SERVICE.plural, namespace, name)
