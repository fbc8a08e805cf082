"""Which engine, version and product are taken, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.configuration import Configuration
from npuserve.engines import ENGINES
from npuserve.plan.backend import candidates, preference
from npuserve.plan.plan import Refusal
from tests.support.clusters import A2_32G, A2_64G, A3, BY_HAND, DUO, cluster
from tests.support.services import a_service, planned, refused, said

A2 = cluster(A2_64G)
VOLUME, HUB = "pvc://w/Qwen/Qwen3-8B", "modelscope://Qwen/Qwen3-8B"
MINDIE_FIRST = Configuration(engine_preference=("mindie",))


def test_the_first_engine_of_the_shipped_order_that_can_is_taken() -> None:
    plan = planned(a_service(VOLUME), A2)
    assert (plan.backend, plan.backend_version) == ("vllm-ascend", "0.23.0")
    assert "the first of the preference that can run it" in said(plan, "backend")
    assert "not mindie: it comes later in the preference" in said(plan, "backend")


def test_a_platform_team_reverses_the_order_with_one_value() -> None:
    plan = planned(a_service(VOLUME), A2, MINDIE_FIRST)
    assert plan.backend == "mindie"
    assert "not vllm-ascend: it comes later in the preference" in said(plan, "backend")


def test_the_preferred_engine_that_cannot_is_passed_over_with_the_reason() -> None:
    plan = planned(a_service(HUB), A2, MINDIE_FIRST)
    assert plan.backend == "vllm-ascend"
    assert "not mindie 3.0.0: it needs the weights as files" in said(plan, "backend")


def test_a_named_engine_is_the_only_one_tried() -> None:
    plan = planned(a_service(VOLUME, backend="mindie"), A2)
    assert "mindie 3.0.0, as the service asks" in said(plan, "backend")
    assert "not vllm-ascend" not in said(plan, "backend")
    assert refused(a_service(HUB, backend="mindie"), A2).reason is Reason.UNSUPPORTED_SOURCE


def test_engines_that_the_configuration_does_not_name_come_after_those_it_does() -> None:
    assert [engine.name for engine in preference(("mindie", "gone"))] == ["mindie", "vllm-ascend"]
    assert preference(()) == ENGINES


def test_pre_releases_are_taken_when_named_only() -> None:
    stable = candidates("auto", "", ENGINES)
    assert not isinstance(stable, Refusal)
    assert not any("rc" in candidate.version for candidate in stable)
    plan = planned(a_service(VOLUME, backendVersion="0.30.0rc2"), A2)
    assert plan.backend_version == "0.30.0rc2"
    assert "a pre-release" in said(plan, "backend")


def test_an_older_version_is_taken_where_the_newest_cannot() -> None:
    plan = planned(a_service(VOLUME, backendVersion="0.18.0"), A2)
    assert plan.image.endswith(":v0.18.0")


def test_a_version_alone_names_the_engine_that_has_it() -> None:
    assert planned(a_service(VOLUME, backendVersion="3.0.0"), A2).backend == "mindie"


@pytest.mark.parametrize(
    ("spec", "reason", "field", "told"),
    [
        ({"backend": "vllm"}, Reason.UNKNOWN_BACKEND, "spec.backend", "did you mean vllm-ascend?"),
        ({"backend": "tgi"}, Reason.UNKNOWN_BACKEND, "spec.backend", "engines: auto, vllm-ascend, mindie"),
        (
            {"backendVersion": "0.22.0"},
            Reason.UNKNOWN_BACKEND_VERSION,
            "spec.backendVersion",
            "vllm-ascend has 0.30.0rc2, 0.23.0, 0.18.0",
        ),
        (
            {"backend": "mindie", "backendVersion": "0.23.0"},
            Reason.UNKNOWN_BACKEND_VERSION,
            "spec.backendVersion",
            "mindie has 3.0.0",
        ),
    ],
)
def test_unknown_names_are_refused_with_those_there_are(
    spec: dict[str, Any], reason: Reason, field: str, told: str
) -> None:
    answer = refused(a_service(VOLUME, **spec), A2)
    assert (answer.reason, answer.field) == (reason, field)
    assert told in answer.message


@pytest.mark.parametrize(
    ("used", "product"),
    [
        ({}, "Atlas 800I A2 32G"),
        ({"a2-32g": 8}, "Atlas 800I A2 64G"),
        ({"a2-32g": 8, "a2-64g": 8}, "Atlas 800I A3 64G"),
    ],
)
def test_the_cheapest_product_with_room_is_taken(used: dict[str, int], product: str) -> None:
    plan = planned(a_service(VOLUME, backend="vllm-ascend"), cluster(A2_64G, A2_32G, A3, used=used))
    assert plan.product == product


def test_a_full_cluster_is_planned_for_as_an_empty_one() -> None:
    everywhere = {"a2-64g": 8, "a2-32g": 8, "a3": 16}
    assert planned(a_service(VOLUME), cluster(A2_64G, A2_32G, A3, used=everywhere)).product == "Atlas 800I A2 32G"


def test_a_product_that_the_engine_supports_with_reservations_comes_last() -> None:
    plan = planned(a_service(HUB), cluster(DUO, A3))
    assert plan.product == "Atlas 800I A3 64G"
    assert "not Atlas 300I Duo 48G: vllm-ascend supports" in said(plan, "hardware")


def test_the_reasons_say_why_not_each_other_product() -> None:
    text = said(planned(a_service(HUB), cluster(A2_64G, A2_32G, A3)), "hardware")
    assert "not Atlas 800I A2 64G: it ranks behind in cost" in text
    assert "not Atlas 800I A3 64G: it ranks behind in cost" in text
    crowded = said(planned(a_service(HUB), cluster(A2_64G, A2_32G, used={"a2-32g": 8})), "hardware")
    assert "not Atlas 800I A2 32G: it has less room now" in crowded


def test_an_assumption_is_told_unless_the_service_names_the_product() -> None:
    assert "Atlas 800I A2 32G is assumed" in said(planned(a_service(HUB), cluster(BY_HAND)), "hardware")
    assert "assumed" not in said(
        planned(a_service(HUB, hardware={"product": "Atlas 800I A2 64G"}), cluster(BY_HAND)), "hardware"
    )


def test_where_no_engine_can_the_refusal_that_came_furthest_is_told() -> None:
    answer = refused(a_service(VOLUME, engineArgs={"odd": 1}), A2)
    assert (answer.reason, answer.field) == (Reason.UNKNOWN_ARGUMENT, "spec.engineArgs.odd")
    assert answer.message.startswith("vllm-ascend 0.23.0")


def test_weights_that_no_engine_runs_are_refused_with_what_runs() -> None:
    answer = refused(a_service(VOLUME, quantization="GGUF"), A2)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_QUANTIZATION, "spec.quantization")
    assert "safetensors" in answer.message
