"""How the API server is asked, against an HTTP server that answers from a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web

from npuserve.controller.answers import ApiError, Selection, Unreachable
from npuserve.controller.kube import ATTEMPTS, Kube
from npuserve.controller.resources import DEPLOYMENTS, NODES, PODS, SERVICE

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Script:
    """Answers in order, the last one for ever; and what was asked."""

    answers: list[web.StreamResponse | Answer | None]
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    counted: list[tuple[str, str, int]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, await request.read()))
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(answer, web.StreamResponse):
            return answer
        return await answer(request)


def ask(script: Script, scenario: Callable[[Kube], Awaitable[None]]) -> None:
    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", script.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with ClientSession() as session, asyncio.timeout(20):
                count = lambda *counted: script.counted.append(counted)  # noqa: E731
                kube = Kube(session, f"http://127.0.0.1:{port}", count=count, jitter=lambda: 1.0, pause=0.001)
                await scenario(kube)
        finally:
            await runner.cleanup()

    asyncio.run(main())


def status(code: int, reason: str = "Reason", message: str = "words", **more: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "code": code, "reason": reason, "message": message, **more}
        return web.json_response(body, status=code)

    return answer


def body(**content: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(content)

    return answer


def test_what_does_not_exist_is_none() -> None:
    async def scenario(kube: Kube) -> None:
        assert await kube.get(DEPLOYMENTS, "team-a", name="qwen") is None

    ask(Script([status(404)]), scenario)


def test_refusals_are_raised_at_once_with_their_words() -> None:
    script = Script([status(403, "Forbidden", "exceeded quota")])

    async def scenario(kube: Kube) -> None:
        with pytest.raises(ApiError) as refused:
            await kube.get(DEPLOYMENTS, "team-a", name="qwen")
        assert (refused.value.code, refused.value.reason, refused.value.message) == (403, "Forbidden", "exceeded quota")

    ask(script, scenario)
    assert script.counted == [("get", "deployments", 403)]


@pytest.mark.parametrize("trouble", [status(500), status(503), status(429), None])
def test_passing_trouble_is_survived(trouble: Answer | None) -> None:
    script = Script([trouble, trouble, body(kind="Deployment")])

    async def scenario(kube: Kube) -> None:
        assert await kube.get(DEPLOYMENTS, "team-a", name="qwen") == {"kind": "Deployment"}

    ask(script, scenario)
    assert len(script.asked) == 3


def test_lasting_trouble_is_raised_after_so_many_attempts() -> None:
    async def refused(kube: Kube) -> None:
        with pytest.raises(ApiError) as error:
            await kube.get(DEPLOYMENTS, "team-a", name="qwen")
        assert error.value.code == 503

    async def unreachable(kube: Kube) -> None:
        with pytest.raises(Unreachable):
            await kube.get(DEPLOYMENTS, "team-a", name="qwen")

    for answer, scenario in ((status(503), refused), (None, unreachable)):
        script = Script([answer])
        ask(script, scenario)
        assert len(script.counted) == ATTEMPTS


def test_the_next_attempt_waits_as_long_as_the_server_asks() -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "0.3"})

    async def scenario(kube: Kube) -> None:
        began = asyncio.get_running_loop().time()
        await kube.get(DEPLOYMENTS, "team-a", name="qwen")
        assert asyncio.get_running_loop().time() - began >= 0.3

    ask(Script([busy, body()]), scenario)


def test_an_apply_names_its_manager_and_asks_for_metadata_only() -> None:
    script = Script([body(metadata={"uid": "1"})])
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "qwen", "namespace": "team-a"}}

    async def scenario(kube: Kube) -> None:
        await kube.apply(DEPLOYMENTS, manifest, force=False)
        await kube.apply(SERVICE, manifest, force=True, subresource="status")

    ask(script, scenario)
    (method, url, sent), (_, status_url, _) = script.asked
    assert (method, url) == (
        "PATCH",
        "/apis/apps/v1/namespaces/team-a/deployments/qwen?fieldManager=npuserve&force=false",
    )
    assert json.loads(sent) == manifest
    assert status_url.endswith("/inferenceservices/qwen/status?fieldManager=npuserve&force=true")
    assert script.headers[0]["Content-Type"] == "application/apply-patch+yaml"
    assert "PartialObjectMetadata" in script.headers[0]["Accept"]


def test_a_merge_names_its_manager_and_asks_for_metadata_only() -> None:
    script = Script([body(metadata={"name": "qwen-x"})])

    async def scenario(kube: Kube) -> None:
        changes = {"metadata": {"uid": "u-1", "labels": {"serve": None}}}
        assert await kube.merge(PODS, "team-a", name="qwen-x", changes=changes) == {"metadata": {"name": "qwen-x"}}

    ask(script, scenario)
    (method, where, content), headers = script.asked[0], script.headers[0]
    assert (method, where) == ("PATCH", "/api/v1/namespaces/team-a/pods/qwen-x?fieldManager=npuserve")
    assert json.loads(content) == {"metadata": {"uid": "u-1", "labels": {"serve": None}}}
    assert headers["Content-Type"] == "application/merge-patch+json"
    assert "PartialObjectMetadata" in headers["Accept"]
    assert script.counted == [("patch", "pods", 200)]


def test_a_delete_is_for_one_object_at_one_version_and_content_with_its_absence() -> None:
    script = Script([status(404)])

    async def scenario(kube: Kube) -> None:
        await kube.delete(DEPLOYMENTS, "team-a", name="qwen", uid="u", version="7")

    ask(script, scenario)
    assert json.loads(script.asked[0][2])["preconditions"] == {"uid": "u", "resourceVersion": "7"}


def test_a_conflict_of_field_managers_is_told_from_one_of_versions() -> None:
    causes = {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas"}]}

    async def fields(kube: Kube) -> None:
        with pytest.raises(ApiError) as error:
            await kube.apply(DEPLOYMENTS, {"metadata": {"name": "a", "namespace": "b"}}, force=False)
        assert error.value.field_conflict

    async def versions(kube: Kube) -> None:
        with pytest.raises(ApiError) as error:
            await kube.apply(DEPLOYMENTS, {"metadata": {"name": "a", "namespace": "b"}}, force=False)
        assert not error.value.field_conflict

    ask(Script([status(409, "Conflict", details=causes)]), fields)
    ask(Script([status(409, "Conflict")]), versions)


def test_a_list_is_read_page_by_page() -> None:
    script = Script(
        [
            body(items=[{"n": 1}], metadata={"resourceVersion": "5", "continue": "token"}),
            body(items=[{"n": 2}], metadata={"resourceVersion": "5"}),
        ]
    )

    async def scenario(kube: Kube) -> None:
        pages = [page async for page in kube.pages(PODS, Selection(labels="a=b", fields="spec.nodeName!="), limit=1)]
        assert [page.items for page in pages] == [[{"n": 1}], [{"n": 2}]]
        assert pages[-1].version == "5"

    ask(script, scenario)
    first, second = (url for _, url, _ in script.asked)
    assert "limit=1" in first
    assert "labelSelector=a" in first
    assert "continue" not in first
    assert "continue=token" in second


def stream(*pieces: bytes) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    return answer


def line(event: str, **content: Any) -> bytes:
    return json.dumps({"type": event, "object": content}).encode() + b"\n"


def test_a_watch_gives_whole_events_however_the_bytes_arrive() -> None:
    long = line("MODIFIED", metadata={"resourceVersion": "8"}, padding="x" * 300_000)
    bookmark = line("BOOKMARK", metadata={"resourceVersion": "9"})
    first = line("ADDED", metadata={"resourceVersion": "7"})
    script = Script([stream(first + long[:1000], long[1000:200_000], long[200_000:] + bookmark)])

    async def scenario(kube: Kube) -> None:
        events = [event async for event in kube.watch(NODES, Selection(), since="6")]
        assert [(event.kind, event.object["metadata"]["resourceVersion"]) for event in events] == [
            ("ADDED", "7"),
            ("MODIFIED", "8"),
            ("BOOKMARK", "9"),
        ]

    ask(script, scenario)
    assert "resourceVersion=6" in script.asked[0][1]
    assert "allowWatchBookmarks=true" in script.asked[0][1]


def test_a_watch_from_a_forgotten_version_is_told_as_410() -> None:
    async def scenario(kube: Kube) -> None:
        with pytest.raises(ApiError) as error:
            _ = [event async for event in kube.watch(NODES, Selection(), since="1")]
        assert error.value.code == 410

    ask(Script([stream(line("ERROR", kind="Status", code=410, reason="Expired", message="too old"))]), scenario)
    ask(Script([status(410, "Expired")]), scenario)


def test_a_watch_that_breaks_off_ends_without_an_error() -> None:
    async def scenario(kube: Kube) -> None:
        assert [event async for event in kube.watch(NODES, Selection(), since="1")] == []

    ask(Script([None]), scenario)


def test_a_resource_is_served_when_its_group_lists_it() -> None:
    async def served(kube: Kube) -> None:
        assert await kube.serves(SERVICE)

    async def not_served(kube: Kube) -> None:
        assert not await kube.serves(SERVICE)

    ask(Script([body(resources=[{"name": "inferenceservices"}, {"name": "inferenceservices/status"}])]), served)
    ask(Script([body(resources=[])]), not_served)
    ask(Script([status(404)]), not_served)
