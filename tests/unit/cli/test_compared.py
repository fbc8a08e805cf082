"""`npuserve plan --compare` and `npuserve capacity`: what else could run, and what fits at the same time."""

from __future__ import annotations

import json

from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.test_plan import a_service

BIG = "pvc://weights/Qwen/Qwen3-32B"


def test_alternatives_follow_the_plan(run: Run, write: Write) -> None:
    result = run("plan", "--compare", "-f", write("s.yaml", a_service(uri=BIG)))
    card, table = result.stdout.split("alternatives", maxsplit=1)
    assert result.exit_code == 0
    assert "default/qwen  accepted" in card
    assert all(word in table for word in ("chosen", "too small", "2 devices are enough", "mindie 3.0.0"))


def test_alternatives_are_data_too(run: Run, write: Write) -> None:
    result = run("plan", "--compare", "-o", "json", "-f", write("s.yaml", a_service(uri=BIG)))
    (answer,) = json.loads(result.stdout)
    first = answer["alternatives"][0]
    assert (first["verdict"], first["devices"], first["parallelism"]["tensor"]) == ("chosen", 2, 2)
    assert first["kvCacheTokens"] == answer["plan"]["memory"]["kvCacheTokens"]


def test_without_the_option_no_alternatives_are_told(run: Run, write: Write) -> None:
    answers = json.loads(run("plan", "-o", "json", "-f", write("s.yaml", a_service())).stdout)
    assert "alternatives" not in answers[0]


def test_a_refused_service_shows_what_was_tried(run: Run, write: Write) -> None:
    result = run("plan", "--compare", "-f", write("s.yaml", a_service(uri="pvc://w/Qwen/Qwen3-235B-A22B")))
    assert result.exit_code == 2
    assert "ModelTooLarge" in result.stdout.split("alternatives")[0]
    assert "vllm-ascend 0.23.0" in result.stdout.split("alternatives")[1]


def test_services_that_fit_together_end_with_0(run: Run, write: Write) -> None:
    result = run("capacity", "-f", write("s.yaml", a_service("a", BIG, replicas=2), a_service("b", BIG)))
    assert result.exit_code == 0
    assert "2 of 2" in result.stdout
    assert "Atlas 800I A2 64G" in result.stdout.split("left")[-1]


def test_services_that_do_not_fit_end_with_2_and_say_what_is_missing(run: Run, write: Write) -> None:
    result = run("capacity", "-f", write("s.yaml", a_service("a", BIG, replicas=3), a_service("b", BIG, replicas=3)))
    assert result.exit_code == 2
    assert "1 of 3" in result.stdout
    assert "4 more free devices of Atlas 800I A2 64G in blocks of 2 on a node" in " ".join(result.stdout.split())


def test_a_service_that_cannot_be_read_is_listed_with_its_error(run: Run, write: Write) -> None:
    result = run("capacity", "-f", write("s.yaml", a_service("a", BIG, replicas="two")))
    assert result.exit_code == 2
    assert "spec.replicas" in result.stdout


def test_capacity_is_data_too(run: Run, write: Write) -> None:
    found = json.loads(run("capacity", "-o", "json", "-f", write("s.yaml", a_service(uri=BIG))).stdout)
    assert found["fits"]
    assert found["services"][0]["placed"] == 1
    assert found["left"] == [
        {
            "products": ["Atlas 800I A2 64G"],
            "resourceName": "huawei.com/Ascend910",
            "nodes": 1,
            "devices": 8,
            "used": 0,
            "taken": 2,
            "free": 6,
            "largestFreeBlock": 6,
        }
    ]
