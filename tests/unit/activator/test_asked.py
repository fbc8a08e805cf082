"""What is read from requests and answered without a replica, byte by byte."""

from __future__ import annotations

import json

import pytest
from multidict import CIMultiDict

from npuserve.activator import failures
from npuserve.activator.asked import Asked, Question, models_answer, question_of, read_asked
from npuserve.activator.failures import Failure
from npuserve.activator.headers import passed_on

FAILURES = (
    failures.queue_full("chat", 10),
    failures.memory_full("chat"),
    failures.waited_too_long("chat", 600),
    failures.not_started("chat"),
    failures.going(),
    failures.unknown_port(),
    failures.replica_lost("chat"),
    failures.replica_silent("chat", 3600),
    failures.replica_refused("chat", 500),
    failures.body_too_large(32 << 20),
    failures.unknown_model("gpt", "qwen"),
    failures.no_upgrade(),
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model": "qwen", "stream": true}', Asked(streams=True, model="qwen")),
        (b'{"model": "qwen", "stream": false}', Asked(model="qwen")),
        (b'{"stream": 1, "model": 7}', Asked()),
        (b"", Asked()),
        (b"not json", Asked()),
        (b'["stream"]', Asked()),
        (b"\xff\xfe", Asked()),
        (b"[" * 100_000, Asked()),
    ],
)
def test_a_body_is_read_for_its_model_and_for_a_stream_and_whatever_else_it_is_does_no_harm(
    body: bytes, expected: Asked
) -> None:
    assert read_asked(body) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/chat/completions", None),
        ("POST", "/v1/models", None),
        ("GET", "/v1/models", Question.MODELS),
        ("GET", "/v1/models/Qwen/Qwen3-8B", Question.MODELS),
        ("GET", "/v1/modelsettings", None),
        ("HEAD", "/health", Question.HEALTH),
        ("GET", "/ping", Question.HEALTH),
        ("GET", "/metrics", Question.METRICS),
        ("GET", "/docs", None),
        ("CONNECT", "/", Question.UPGRADE),
    ],
)
def test_questions_are_told_from_work(method: str, path: str, expected: Question | None) -> None:
    assert question_of(method, path, upgrade=False) is expected
    assert question_of(method, path, upgrade=True) is Question.UPGRADE


def test_models_are_listed_as_openais_api_does_and_a_name_with_a_slash_is_one() -> None:
    (card,) = json.loads(models_answer("Qwen/Qwen3-8B", "/v1/models") or b"")["data"]
    assert set(card) == {"id", "object", "created", "owned_by"}
    assert json.loads(models_answer("Qwen/Qwen3-8B", "/v1/models/Qwen/Qwen3-8B") or b"") == card
    assert models_answer("Qwen/Qwen3-8B", "/v1/models/Qwen") is None


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.code)
def test_every_failure_has_the_shape_that_clients_read_as_a_body_and_as_an_event(failure: Failure) -> None:
    error = json.loads(failure.body())["error"]
    assert list(error) == ["message", "type", "param", "code"]
    event, done, end = failure.event().split(b"\n\n")
    assert json.loads(event.removeprefix(b"data: ")) == {"error": error}
    assert (done, end) == (b"data: [DONE]", b"")


def test_what_may_succeed_later_says_when() -> None:
    assert all(
        (failure.retry_after is None) == (failure.status < 500 and failure.status != 429) for failure in FAILURES[:8]
    )
    assert [failure.code for failure in FAILURES if failure.status == 429] == ["queue_full", "queue_full"]


def test_headers_of_one_connection_stay_and_all_others_pass_in_order_and_number() -> None:
    headers = CIMultiDict(
        [
            ("Set-Cookie", "a"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("Set-Cookie", "b"),
            ("Transfer-Encoding", "chunked"),
            ("Expect", "100-continue"),
            ("Accept-Encoding", "gzip"),
        ]
    )
    assert list(passed_on(headers).items()) == [("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Accept-Encoding", "gzip")]
    assert "Accept-Encoding" not in passed_on(headers, without=frozenset({"accept-encoding"}))
