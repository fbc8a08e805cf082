"""What is kept of objects that are too many to keep: a value per object, and word of each value that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from npuserve.controller.answers import Object

T = TypeVar("T")


class Reduced(Generic[T]):
    """Values by the UID of their object.

    `reduce` gives the value, None for an object that matters to nobody; `changed` gets it before and after.
    """

    def __init__(self, reduce: Callable[[Object], T | None], *, changed: Callable[[T | None, T | None], None]) -> None:
        self._reduce = reduce
        self._changed = changed
        self._values: dict[str, T] = {}

    def __iter__(self) -> Iterator[T]:
        return iter(self._values.values())

    def put(self, body: Object) -> None:
        """Take in an object that exists."""
        self._set(body["metadata"]["uid"], self._reduce(body))

    def drop(self, body: Object) -> None:
        """Take in that an object ended."""
        self._set(body["metadata"]["uid"], None)

    def keep_only(self, uids: frozenset[str]) -> None:
        """Drop everything that is not among these."""
        for uid in [known for known in self._values if known not in uids]:
            self._set(uid, None)

    def _set(self, uid: str, value: T | None) -> None:
        before = self._values.get(uid)
        if before == value:
            return
        if value is None:
            del self._values[uid]
        else:
            self._values[uid] = value
        self._changed(before, value)
