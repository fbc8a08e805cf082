"""Requests that find no replica: they wait, are answered, are refused, or are forgotten."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse, web

from npuserve.activator.desk import Limits
from tests.unit.activator.house import CHAT, HOST, House, event, house, replica, speak

STREAMS = 200


def words(text: str) -> list[str]:
    """What a client of the stream would show."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(item)["choices"][0]["delta"]["content"] for item in data[:-1]]


def comments(text: str) -> int:
    return sum(line.startswith(":") for line in text.splitlines())


async def read(answer: ClientResponse) -> tuple[int, str]:
    async with answer:
        return answer.status, await answer.text()


async def error_of(answer: ClientResponse) -> tuple[int, dict[str, Any]]:
    status, text = await read(answer)
    body = json.loads(text)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return status, body["error"]


def test_two_hundred_streams_wait_for_the_first_replica_and_all_are_answered() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            asked = [asyncio.ensure_future(built.ask(stream=True, user=str(number))) for number in range(STREAMS)]
            await built.until(lambda: built.line.waiting == STREAMS)
            await asyncio.sleep(0.5)
            assert first.got == []
            built.answers(first)
            answers = [await read(await item) for item in asked]
            assert [status for status, _ in answers] == [200] * STREAMS
            assert all(words(text) == ["one", "two", "three"] and comments(text) >= 1 for _, text in answers)
            users = sorted(int(json.loads(body)["user"]) for _, body in first.got)
            assert users == list(range(STREAMS)), "each request came to the replica once"
            assert (built.line.waiting, built.line.arrived, built.desk.kept) == (0, STREAMS, 0)

    asyncio.run(scene())


def test_a_request_that_is_no_stream_waits_in_silence_and_gets_the_replicas_own_answer() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            asked = asyncio.ensure_future(built.ask())
            await built.until(lambda: built.line.waiting == 1)
            await asyncio.sleep(0.5)
            assert not asked.done()
            built.answers(first)
            answer = await asked
            assert answer.headers["Connection"] == "close"
            assert (await answer.json())["choices"][0]["message"]["content"] == "one two three"

    asyncio.run(scene())


def test_a_full_queue_answers_429_and_says_when_to_ask_again_and_takes_the_next_when_one_left() -> None:
    async def scene() -> None:
        async with house(requests=3) as built, replica() as first:
            asked = [asyncio.ensure_future(built.ask(stream=True)) for _ in range(3)]
            await built.until(lambda: built.line.waiting == 3)
            answer = await built.ask(stream=True)
            assert int(answer.headers["Retry-After"]) > 0
            status, error = await error_of(answer)
            assert (status, error["type"], error["code"]) == (429, "rate_limit_error", "queue_full")
            asked.pop().cancel()
            await built.until(lambda: built.line.waiting == 2)
            asked.append(asyncio.ensure_future(built.ask(stream=True)))
            await built.until(lambda: built.line.waiting == 3)
            built.answers(first)
            assert [(await read(await item))[0] for item in asked] == [200] * 3

    asyncio.run(scene())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_gives_up_is_forgotten_and_no_replica_hears_of_it(*, stream: bool) -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            staying = asyncio.ensure_future(built.ask(user="stays"))
            leaving = asyncio.ensure_future(_whole(built, stream=stream))
            await built.until(lambda: built.line.waiting == 2)
            await asyncio.sleep(0.4)
            leaving.cancel()
            await built.until(lambda: built.line.waiting == 1)
            assert built.desk.present == 1
            built.answers(first)
            assert (await read(await staying))[0] == 200
            assert [json.loads(body)["user"] for _, body in first.got] == ["stays"]

    asyncio.run(scene())


async def _whole(built: House, *, stream: bool) -> None:
    await read(await built.ask(stream=stream, user="leaves"))


def test_who_waited_too_long_is_told_by_status_or_where_the_stream_began_by_an_event() -> None:
    async def scene() -> None:
        async with house(seconds=1) as built:
            plain, streamed = await asyncio.gather(built.ask(), built.ask(stream=True))
            assert int(plain.headers["Retry-After"]) > 0
            status, error = await error_of(plain)
            assert (status, error["code"]) == (503, "no_replica_ready")
            assert "1 s" in error["message"]
            status, text = await read(streamed)
            *_, told, done = [line for line in text.splitlines() if line.startswith("data: ")]
            assert (status, done) == (200, "data: [DONE]")
            assert json.loads(told.removeprefix("data: "))["error"]["code"] == "no_replica_ready"
            assert dict(built.line.answered) == {503: 2}

    asyncio.run(scene())


def test_a_stream_that_is_answered_before_the_first_comment_has_the_replicas_own_status() -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "too long", "code": 400}}, status=400)

    async def scene() -> None:
        async with house(limits=Limits(comment=30)) as built, replica(refuse) as first:
            asked = asyncio.ensure_future(built.ask(stream=True))
            await built.until(lambda: built.line.waiting == 1)
            built.answers(first)
            assert (await read(await asked))[0] == 400

    asyncio.run(scene())


@pytest.mark.parametrize(("status", "body"), [(400, '{"error": {"message": "too long"}}'), (500, "oops"), (503, "{}")])
def test_a_refusal_of_the_replica_becomes_an_event_where_the_stream_has_begun(status: int, body: str) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type="application/json")

    async def scene() -> None:
        async with house() as built, replica(refuse) as first:
            asked = await built.ask(stream=True)
            built.answers(first)
            _, text = await read(asked)
            *_, told, done = [line for line in text.splitlines() if line.startswith("data: ")]
            error = json.loads(told.removeprefix("data: "))["error"]
            assert done == "data: [DONE]"
            assert error["message"] == (
                "too long" if status == 400 else f"the replica of chat answered with status {status}"
            )

    asyncio.run(scene())


def test_a_replica_that_refuses_connections_at_first_is_asked_until_it_takes_them() -> None:
    async def scene() -> None:
        async with house() as built, replica(started=False) as first:
            asked = [asyncio.ensure_future(built.ask(stream=True)) for _ in range(20)]
            await built.until(lambda: built.line.waiting == 20)
            built.answers(first)
            await asyncio.sleep(0.8)
            assert {item.result().status for item in asked if item.done()} <= {200}
            # While all of them try it at once, none waits.
            await built.until(lambda: built.line.waiting > 0)
            await first.start()
            answers = [await read(await item) for item in asked]
            assert all(words(text) == ["one", "two", "three"] for _, text in answers)
            assert len(first.got) == 20

    asyncio.run(scene())


def test_a_replica_that_refuses_connections_for_ever_costs_a_request_its_time_and_no_more() -> None:
    async def scene() -> None:
        async with house(seconds=1) as built, replica(started=False) as first:
            built.answers(first)
            status, error = await error_of(await built.ask())
            assert (status, error["code"]) == (503, "no_replica_ready")

    asyncio.run(scene())


def test_a_replica_that_breaks_off_a_stream_is_told_as_an_event_and_an_answer_breaks_off_as_well() -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        streams = json.loads(await request.read()).get("stream")
        kind = "text/event-stream" if streams else "application/json"
        answer = web.StreamResponse(headers={"Content-Type": kind})
        await answer.prepare(request)
        await answer.write(event({"choices": [{"delta": {"content": "one"}}]}))
        await asyncio.sleep(0.1)
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def scene() -> None:
        async with house() as built, replica(break_off) as first:
            asked = await built.ask(stream=True)
            built.answers(first)
            _, text = await read(asked)
            lines = [line for line in text.splitlines() if line.startswith("data: ")]
            assert "one" in lines[0]
            assert json.loads(lines[1].removeprefix("data: "))["error"]["code"] == "replica_lost"
            plain = await built.ask()
            with pytest.raises(ClientPayloadError):
                await read(plain)

    asyncio.run(scene())


def test_a_replica_that_took_a_request_and_stays_silent_is_given_up() -> None:
    async def say_nothing(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async def scene() -> None:
        limits = Limits(comment=0.2, idle=0.7)
        async with house(limits=limits) as built, replica(say_nothing) as first:
            streamed = asyncio.ensure_future(built.ask(stream=True))
            await built.until(lambda: built.line.waiting == 1)
            built.answers(first)
            _, text = await read(await streamed)
            *_, told, _ = [line for line in text.splitlines() if line.startswith("data: ")]
            assert json.loads(told.removeprefix("data: "))["error"]["code"] == "replica_silent"
            status, error = await error_of(await built.ask())
            assert (status, error["code"]) == (504, "replica_silent")
            assert len(first.got) == 2, "what a replica took is sent to no other one"

    asyncio.run(scene())


def test_a_body_that_is_too_long_is_refused_whether_its_length_is_told_or_not() -> None:
    async def scene() -> None:
        async with house() as built, replica() as first:
            long = b"x" * ((1 << 20) + 1)

            async def pieces() -> Any:
                for _ in range(3):
                    yield long[: 1 << 19]

            for ready in (False, True):
                if ready:
                    built.answers(first)
                for data in (BytesIO(long), pieces()):
                    answer = await built.session.post(f"http://{HOST}:{built.port}{CHAT}", data=data)
                    status, error = await error_of(answer)
                    assert (status, error["code"]) == (413, "request_too_large")
            assert (built.line.waiting, built.desk.kept) == (0, 0)

    asyncio.run(scene())


def test_bodies_that_wait_share_a_bounded_memory_of_which_one_service_has_half() -> None:
    async def scene() -> None:
        async with house(limits=Limits(body=1 << 20, kept=2 << 20, comment=0.2)) as built, replica() as first:
            filling = asyncio.ensure_future(built.ask(padding="x" * 700_000))
            await built.until(lambda: built.desk.kept > 700_000)
            status, error = await error_of(await built.ask(padding="x" * 700_000))
            assert (status, error["code"]) == (429, "queue_full")
            await built.until(lambda: built.desk.kept < 800_000)
            built.answers(first)
            assert (await read(await filling))[0] == 200
            assert built.desk.kept == 0

    asyncio.run(scene())


def test_a_service_that_goes_lets_nobody_wait_any_longer_and_its_port_is_closed() -> None:
    async def scene() -> None:
        async with house() as built:
            asked = asyncio.ensure_future(built.ask())
            await built.until(lambda: built.line.waiting == 1)
            built.table.keep_only(frozenset())
            status, error = await error_of(await asked)
            assert (status, error["code"]) == (503, "restarting")
            await built.until(lambda: not built.doors.open)
            with pytest.raises(OSError, match=r"."):
                await built.ask()

    asyncio.run(scene())


def test_the_numbers_tell_who_waits_and_who_came() -> None:
    async def scene() -> None:
        async with house() as built, replica(speak) as first:
            asked = [asyncio.ensure_future(built.ask()) for _ in range(3)]
            await built.until(lambda: built.line.waiting == 3)
            who = '{name="chat",namespace="team-a"}'
            told = built.metrics.text().decode()
            assert f"npuserve_activator_queued{who} 3.0" in told
            built.answers(first)
            await asyncio.gather(*asked)
            told = built.metrics.text().decode()
            assert f"npuserve_activator_queued{who} 0.0" in told
            assert f"npuserve_activator_arrivals_total{who} 3.0" in told
            assert 'npuserve_activator_answers_total{code="200",name="chat",namespace="team-a"} 3.0' in told

    asyncio.run(scene())
