"""Requests that find a replica: nothing of them is changed, and the connection ends with the answer."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from npuserve.plan.activation import Holding
from tests.cluster import ports
from tests.unit.activator.house import CHAT, HOST, OWNER, House, Replica, house, own_slice, pods_slice, replica
from tests.unit.activator.test_holding import error_of, read


def test_a_request_reaches_the_replica_as_it_was_sent_but_for_what_belongs_to_the_connection() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            built.answers(first)
            sent = {
                "Authorization": "Bearer secret",
                "Host": "chat.team-a.svc:8000",
                "X-Request-Id": "7",
                "Connection": "keep-alive, X-Hop",
                "X-Hop": "mine",
                "Proxy-Authorization": "Basic x",
                "TE": "trailers",
            }
            url = URL(f"http://{HOST}:{built.port}/v1/chat/completions?beta=a%2Fb&x=%20", encoded=True)
            body = b'{"model": "anything"}'
            answer = await built.session.post(url, data=body, headers=sent, skip_auto_headers=["User-Agent"])
            assert (await read(answer))[0] == 200
            ((got, content),) = first.got
            assert (got.method, got.raw_path, content) == ("POST", "/v1/chat/completions?beta=a%2Fb&x=%20", body)
            assert (got.headers["Authorization"], got.headers["Host"]) == ("Bearer secret", "chat.team-a.svc:8000")
            assert got.headers["X-Request-Id"] == "7"
            assert not {"X-Hop", "Proxy-Authorization", "TE", "User-Agent"} & set(got.headers)

    asyncio.run(scene())


def test_a_body_streams_both_ways_while_it_is_still_being_sent() -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for chunk in request.content.iter_any():
            await answer.write(chunk)
        return answer

    async def scene() -> None:
        async with house() as built, replica(echo) as first:
            first.reads = False
            built.answers(first)
            said: asyncio.Queue[bytes] = asyncio.Queue()

            async def speech() -> AsyncIterator[bytes]:
                while word := await said.get():
                    yield word

            said.put_nowait(b"one")
            async with built.session.post(f"http://{HOST}:{built.port}{CHAT}", data=speech()) as answer:
                assert await answer.content.readany() == b"one"
                said.put_nowait(b"two")
                assert await answer.content.readany() == b"two"
                said.put_nowait(b"")
                assert await answer.content.read() == b""

    asyncio.run(scene())


def test_a_body_that_is_packed_passes_as_it_is() -> None:
    packed = gzip.compress(b'{"model": "qwen"}')

    async def scene() -> None:
        async with house() as built, replica() as first:
            first.reads = False
            bodies: list[bytes] = []

            async def note(request: web.Request) -> web.StreamResponse:
                assert request.headers["Content-Encoding"] == "gzip"
                assert request.headers["Content-Length"] == str(len(packed))
                bodies.append(await request.read())
                return web.Response()

            first.serve = note
            for ready in (False, True):
                url, marks = f"http://{HOST}:{built.port}{CHAT}", {"Content-Encoding": "gzip"}
                asked = asyncio.ensure_future(built.session.post(url, data=packed, headers=marks))
                if not ready:
                    await built.until(lambda: built.line.waiting == 1)
                    built.answers(first)
                assert (await read(await asked))[0] == 200
            assert bodies == [gzip.decompress(packed)] * 2

    asyncio.run(scene())


def test_a_client_that_asks_whether_it_may_send_its_body_is_told_so() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            built.answers(first)
            reader, writer = await asyncio.open_connection(HOST, built.port)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: chat\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            )
            assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"{}")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            ((got, body),) = first.got
            assert (body, "Expect" in got.headers) == (b"{}", False)
            writer.close()

    asyncio.run(scene())


def test_answers_come_with_the_replicas_status_headers_and_bytes() -> None:
    packed = gzip.compress(b'{"object": "list"}')

    async def refuse(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "X-Engine": "v", "Keep-Alive": "timeout=5", "Content-Type": "a/b"}
        return web.Response(status=418, reason="Teapot", body=packed, headers=headers)

    async def scene() -> None:
        async with house() as built, replica(refuse) as first, ClientSession(auto_decompress=False) as session:
            built.answers(first)
            async with session.get(f"http://{HOST}:{built.port}/v1/anything") as answer:
                assert (answer.status, answer.reason, await answer.read()) == (418, "Teapot", packed)
                assert (answer.headers["X-Engine"], answer.headers["Content-Type"]) == ("v", "a/b")
                assert answer.headers["Content-Length"] == str(len(packed))
                assert "Keep-Alive" not in answer.headers
                assert answer.headers["Connection"] == "close"

    asyncio.run(scene())


def test_a_connection_that_was_kept_alive_ends_with_the_answer_after_replicas_have_come() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            reader, writer = await asyncio.open_connection(HOST, built.port)
            question = b"GET /health HTTP/1.1\r\nHost: chat\r\n\r\n"
            writer.write(question)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"200 OK" in head
            assert b"connection: close" not in head.lower()
            built.answers(first)
            writer.write(question)
            assert b"connection: close" in (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.read()
            assert reader.at_eof()
            assert [got.path for got, _ in first.got] == ["/health"]
            writer.close()

    asyncio.run(scene())


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/", "/v1/models/qwen"])
def test_who_asks_for_models_of_a_service_at_zero_is_told_and_wakes_nothing(path: str) -> None:
    async def scene() -> None:
        async with house() as built:
            status, text = await read(await built.get(path))
            content = json.loads(text)
            card = content if "qwen" in path else content["data"][0]
            assert (status, card["id"], card["object"]) == (200, "qwen", "model")
            assert (built.line.arrived, built.line.waiting) == (0, 0)

    asyncio.run(scene())


def test_a_model_that_the_service_does_not_serve_is_refused_without_waking_it() -> None:
    async def scene() -> None:
        async with house() as built:
            for answer in (await built.ask(model="gpt"), await built.get("/v1/models/gpt")):
                status, error = await error_of(answer)
                assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
                assert "`gpt`" in error["message"]
                assert "`qwen`" in error["message"]
            assert built.line.waiting == 0

    asyncio.run(scene())


def test_where_a_key_is_needed_only_the_replica_tells_of_models() -> None:
    async def scene() -> None:
        async with house(model="") as built, replica() as first:
            asked = [asyncio.ensure_future(built.get("/v1/models")), asyncio.ensure_future(built.ask(model="gpt"))]
            await built.until(lambda: built.line.waiting == 2)
            built.answers(first)
            assert [(await read(await item))[0] for item in asked] == [200, 200]
            assert len(first.got) == 2

    asyncio.run(scene())


def test_probes_and_scrapes_wake_nothing() -> None:
    async def scene() -> None:
        async with house() as built:
            assert (await read(await built.get("/health")))[0] == 200
            status, error = await error_of(await built.get("/metrics"))
            assert (status, error["code"]) == (503, "no_replica_ready")
            assert built.line.arrived == 0

    asyncio.run(scene())


def test_a_websocket_is_refused_and_an_offer_of_http_2_is_passed_over() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            built.answers(first)
            url = f"http://{HOST}:{built.port}/v1/realtime"
            asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            status, error = await error_of(await built.session.get(url, headers=asked))
            assert (status, error["code"]) == (501, "not_supported")
            offered = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}
            assert (await read(await built.session.get(url, headers=offered)))[0] == 200
            ((got, _),) = first.got
            assert not {"Upgrade", "HTTP2-Settings"} & set(got.headers)

    asyncio.run(scene())


def test_of_several_replicas_the_one_with_least_of_our_work_is_asked() -> None:
    async def scene() -> None:
        go = asyncio.Event()

        async def slow(_: web.Request) -> web.StreamResponse:
            await go.wait()
            return web.Response()

        async with house() as built, replica(slow) as first, replica(slow) as second:
            built.answers(first)
            other = pods_slice({second.port: True})
            other["metadata"]["uid"] = "another slice"
            built.table.put(other)
            asked = [asyncio.ensure_future(built.ask()) for _ in range(10)]
            await built.until(lambda: len(first.got) + len(second.got) == 10)
            go.set()
            await asyncio.gather(*asked)
            assert (len(first.got), len(second.got)) == (5, 5)

    asyncio.run(scene())


def test_a_replica_that_is_not_ready_any_more_is_asked_nothing() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            built.answers(first)
            built.table.put(pods_slice({first.port: False}))
            asked = asyncio.ensure_future(built.ask())
            await built.until(lambda: built.line.waiting == 1)
            assert first.got == []
            asked.cancel()

    asyncio.run(scene())


def test_two_services_are_told_apart_by_their_ports() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first, replica() as second:
            other = await _second_service(built, second)
            built.answers(first)
            for port, wanted in ((built.port, first), (other, second)):
                before = len(wanted.got)
                await read(await built.session.post(f"http://{HOST}:{port}{CHAT}", json={"model": "qwen"}))
                assert len(wanted.got) == before + 1

    asyncio.run(scene())


async def _second_service(built: House, answering: Replica) -> int:
    (port,) = ports.free(1)
    owner = replace(OWNER, name="other", uid="uid-other")
    built.table.put(own_slice(port, Holding(10, 10, "qwen"), owner))
    built.table.put(pods_slice({answering.port: True}, owner))
    await built.until(lambda: port in built.doors.open)
    return port


def test_a_port_that_is_taken_is_tried_again_and_the_others_open_meanwhile(caplog: Any) -> None:
    async def scene() -> None:
        async with house() as built:
            (port,) = ports.free(1)
            taken = await asyncio.start_server(lambda *_: None, HOST, port)
            built.table.put(own_slice(port, Holding(1, 1, ""), replace(OWNER, uid="uid-z")))
            await built.until(lambda: f"port {port} cannot be listened on" in caplog.text)
            assert (await read(await built.get("/health")))[0] == 200
            taken.close()
            await taken.wait_closed()

    asyncio.run(scene())
