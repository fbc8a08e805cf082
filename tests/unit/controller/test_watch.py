"""kopf as an informer that writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import kopf

from npuserve.controller.answers import Object, Page
from npuserve.controller.freshness import Freshness
from npuserve.controller.informing import kopf_settings
from npuserve.controller.resources import SERVICE
from npuserve.controller.store import News, Store
from npuserve.controller.watch import Informer, _Overheard


def service(name: str, version: int) -> Object:
    return {"metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": str(version), "generation": 1}}


class Lists:
    """What a list of services holds now."""

    def __init__(self, *items: Object, version: int) -> None:
        self.items = list(items)
        self.version = version

    async def pages(self, *_: Any, **__: Any) -> AsyncIterator[Page]:
        yield Page(self.items, str(self.version))


def an_informer(kube: Any, store: Store, told: list[News]) -> Informer:
    return Informer(kube, None, namespace="", store=store, freshness=Freshness(), tell=told.append)  # type: ignore[arg-type]


def test_kopf_keeps_nothing_in_objects_and_posts_nothing() -> None:
    settings = kopf_settings()
    body = kopf.Body({"metadata": {"name": "a", "annotations": {"x": "y"}}, "spec": {"replicas": 1}})
    patch = kopf.Patch()
    storage, progress = settings.persistence.diffbase_storage, settings.persistence.progress_storage
    storage.store(body=body, patch=patch, essence=storage.build(body=body))
    progress.touch(body=body, patch=patch, value="now")
    assert not patch
    assert storage.fetch(body=body) is None
    assert not settings.posting.enabled
    assert settings.scanning.disabled


def test_kopf_tries_for_ever_and_never_for_longer_than_a_quarter_of_a_minute() -> None:
    pauses = iter(kopf_settings().networking.error_backoffs)  # type: ignore[arg-type]
    taken = [next(pauses) for _ in range(100)]
    assert max(taken) <= 15
    assert min(taken[5:]) >= 7


def test_a_service_is_taken_in_and_told_and_its_end_too() -> None:
    told: list[News] = []
    store = Store()
    informer = an_informer(None, store, told)

    async def main() -> None:
        await informer._take_in(event={"type": None, "object": service("a", 5)})  # type: ignore[typeddict-item]
        await informer._take_in(event={"type": "MODIFIED", "object": service("a", 5)})  # type: ignore[typeddict-item]
        await informer._take_in(event={"type": "DELETED", "object": service("a", 6)})  # type: ignore[typeddict-item]

    asyncio.run(main())
    assert told == [News("n/a", fresh=True), News("n/a", fresh=True)]
    assert list(store.services()) == []


def test_what_is_missing_from_a_second_list_is_gone_and_what_came_after_it_is_not() -> None:
    told: list[News] = []
    store = Store()
    for name, version in (("gone", 3), ("there", 4), ("young", 30)):
        store.observe(SERVICE, service(name, version))
    asyncio.run(an_informer(Lists(service("there", 4), version=20), store, told).audit())
    assert told == [News("n/gone", fresh=True)]
    assert sorted(store.services()) == ["n/there", "n/young"]


def test_every_piece_of_a_watch_is_heard_bookmarks_included() -> None:
    heard: list[int] = []

    class Content:
        total_bytes = 7

        async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
            for piece in (b'{"type":"BOOKMARK"}\n', b"{}"):
                yield piece

    async def main() -> list[bytes]:
        overheard = _Overheard(Content(), lambda: heard.append(1))  # type: ignore[arg-type]
        assert overheard.total_bytes == 7
        return [piece async for piece in overheard.iter_chunked(10)]

    assert asyncio.run(main()) == [b'{"type":"BOOKMARK"}\n', b"{}"]
    assert heard == [1, 1]
