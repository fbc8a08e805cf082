"""How a resource is followed without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from npuserve.controller import streams
from npuserve.controller.answers import ApiError, Object, Page, Selection, Unreachable, WatchEvent
from npuserve.controller.resources import NODES, Resource
from npuserve.controller.streams import Forbidden, Sink, follow


def item(uid: str, version: int) -> Object:
    return {"metadata": {"uid": uid, "resourceVersion": str(version)}}


class Scripted:
    """Lists and watches in order; what they raise is raised, and the last watch never ends."""

    def __init__(self, *steps: list[Page] | list[WatchEvent] | Exception) -> None:
        self.steps = list(steps)
        self.asked: list[str] = []
        self.through = asyncio.Event()

    async def pages(self, resource: Resource, selection: Selection, *, limit: int) -> AsyncIterator[Page]:
        self.asked.append("list")
        for page in self._next():
            yield page

    async def watch(self, resource: Resource, selection: Selection, *, since: str) -> AsyncIterator[WatchEvent]:
        self.asked.append(f"watch {since}")
        if not self.steps:
            self.through.set()
            await asyncio.Event().wait()
        for event in self._next():
            yield event

    def _next(self) -> list[Any]:
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class Kept:
    """A sink that remembers UIDs."""

    def __init__(self) -> None:
        self.uids: set[str] = set()
        self.versions: list[int] = []
        self.heard = 0

    def sink(self) -> Sink:
        return Sink(
            lambda body: self.uids.add(body["metadata"]["uid"]),
            lambda body: self.uids.discard(body["metadata"]["uid"]),
            keep_only=self.keep_only,
            heard=self.hear,
        )

    def keep_only(self, uids: frozenset[str], version: int) -> None:
        self.uids &= uids
        self.versions.append(version)

    def hear(self) -> None:
        self.heard += 1


def played(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> tuple[Scripted, Kept]:
    monkeypatch.setattr(streams, "_FIRST_PAUSE", 0.001)

    async def main() -> tuple[Scripted, Kept]:
        scripted, kept = Scripted(*steps), Kept()
        following = asyncio.create_task(follow(scripted, NODES, Selection(), sink=kept.sink(), limit=10))  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            done, _ = await asyncio.wait(
                [following, asyncio.create_task(scripted.through.wait())], return_when=asyncio.FIRST_COMPLETED
            )
        if following in done:
            following.result()
        following.cancel()
        return scripted, kept

    return asyncio.run(main())


def test_a_watch_goes_on_from_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted, kept = played(
        monkeypatch,
        [Page([item("a", 1)], "5"), Page([item("b", 2)], "5")],
        [WatchEvent("ADDED", item("c", 6)), WatchEvent("DELETED", item("a", 7))],
        [WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}})],
    )
    assert scripted.asked == ["list", "watch 5", "watch 7", "watch 9"]
    assert kept.uids == {"b", "c"}
    assert kept.versions == [5]
    assert kept.heard == 5


def test_after_a_forgotten_version_a_new_list_drops_what_is_missing_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ApiError(410, reason="Expired", message="too old")
    scripted, kept = played(monkeypatch, [Page([item("a", 1), item("b", 2)], "5")], gone, [Page([item("b", 2)], "20")])
    assert scripted.asked == ["list", "watch 5", "list", "watch 20"]
    assert kept.uids == {"b"}


@pytest.mark.parametrize("trouble", [Unreachable("down"), ApiError(500, reason="Internal", message="etcd")])
def test_trouble_of_the_server_is_survived(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    _, kept = played(monkeypatch, trouble, trouble, [Page([item("a", 1)], "5")])
    assert kept.uids == {"a"}


def test_a_first_list_that_is_forbidden_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Forbidden):
        played(monkeypatch, ApiError(403, reason="Forbidden", message="no"))


def test_a_later_one_that_is_forbidden_is_an_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = ApiError(403, reason="Forbidden", message="no")
    _, kept = played(monkeypatch, [Page([], "5")], forbidden, [Page([item("a", 1)], "9")])
    assert kept.uids == {"a"}
