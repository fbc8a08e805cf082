"""How one replica is split over devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.engines.contract import Parallelism
from npuserve.models.catalogue import lookup
from npuserve.models.facts import ModelFacts
from tests.support.clusters import A2_32G, A2_64G, A3, DUO, a_node, cluster
from tests.support.services import a_service, planned, refused, said

A2, SMALL, DIES, CARDS = cluster(A2_64G), cluster(A2_32G), cluster(A3), cluster(DUO)
QWEN_32B, QWEN_8B, MOE = "pvc://w/Qwen/Qwen3-32B", "pvc://w/Qwen/Qwen3-8B", "pvc://w/Qwen/Qwen3-30B-A3B"


def split(*service: Any, on: Any = A2, **spec: Any) -> Parallelism:
    return planned(a_service(*service, **spec), on).parallelism


@pytest.mark.parametrize(
    ("uri", "cluster_facts", "devices"),
    [
        (QWEN_8B, A2, 1),
        (QWEN_8B, SMALL, 2),  # one device would be more than half full of weights
        (QWEN_32B, A2, 2),
        (QWEN_32B, SMALL, 4),
        ("pvc://w/Qwen/Qwen2.5-72B-Instruct", A2, 4),
    ],
)
def test_a_dense_model_gets_the_fewest_devices_that_hold_it_and_some_requests(
    uri: str, cluster_facts: Any, devices: int
) -> None:
    assert split(uri, on=cluster_facts) == Parallelism(devices, 1, 1, 1)


def test_a_mixture_spreads_its_experts_over_all_devices_of_the_replica() -> None:
    found = split("pvc://w/Qwen/Qwen3-235B-A22B", on=DIES)
    assert found.expert == found.tensor * found.data == 16


def test_a_latent_cache_is_spread_by_data_parallelism() -> None:
    found = split("pvc://w/own/v31-w8a8", facts=without_quantization(), quantization="W8A8", on=DIES)
    assert found.data > 1
    assert found.devices == 16


def without_quantization() -> ModelFacts:
    """DeepSeek-V3.1 as its config.json reads in weights made with msmodelslim."""
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    assert model is not None
    return replace(model, quantization=None)


def test_experts_stay_cut_by_tensor_parallelism_where_the_service_says_so() -> None:
    assert split(MOE, parallelism={"expert": False, "tensor": 4}).expert == 1


def test_a_named_number_of_devices_is_used_whole() -> None:
    plan = planned(a_service(QWEN_8B, hardware={"devices": 8}), A2)
    assert plan.parallelism == Parallelism(8, 1, 1, 1)
    assert "with the sizes that are given" in said(plan, "parallelism")


def test_named_sizes_make_the_number_of_devices() -> None:
    assert split(QWEN_32B, parallelism={"tensor": 2, "pipeline": 2}) == Parallelism(2, 2, 1, 1)
    assert split(QWEN_8B, parallelism={"tensor": 1, "data": 2}) == Parallelism(1, 1, 2, 1)
    assert split(MOE, parallelism={"tensor": 2, "data": 4}) == Parallelism(2, 1, 4, 8)


def test_one_named_size_leaves_the_others_open() -> None:
    assert split(QWEN_32B, hardware={"devices": 4}, parallelism={"pipeline": 2}) == Parallelism(2, 2, 1, 1)
    assert split(MOE, parallelism={"data": 2}).data == 2


@pytest.mark.parametrize(
    ("spec", "reason", "field", "told"),
    [
        ({"parallelism": {"tensor": 3}}, Reason.ILLEGAL_PARALLELISM, "spec.parallelism.tensor", "1, 2, 4, 8"),
        (
            {"parallelism": {"tensor": 16}},
            Reason.ILLEGAL_DEVICE_COUNT,
            "spec.parallelism",
            "Atlas 800I A2 64G nodes have 8",
        ),
        ({"hardware": {"devices": 16}}, Reason.ILLEGAL_DEVICE_COUNT, "spec.hardware.devices", "use 8 or fewer"),
        ({"hardware": {"devices": 6}}, Reason.ILLEGAL_PARALLELISM, "spec.hardware.devices", "do not divide"),
        (
            {"hardware": {"devices": 4}, "parallelism": {"tensor": 2, "pipeline": 1}},
            Reason.ILLEGAL_PARALLELISM,
            "spec.parallelism",
            "make them equal",
        ),
        ({"parallelism": {"expert": True}}, Reason.ILLEGAL_PARALLELISM, "spec.parallelism.expert", "no experts"),
    ],
)
def test_sizes_that_cannot_be_had_are_refused_with_those_that_can(
    spec: dict[str, Any], reason: Reason, field: str, told: str
) -> None:
    answer = refused(a_service(QWEN_32B, **spec), A2)
    assert (answer.reason, answer.field) == (reason, field)
    assert told in answer.message


def test_an_odd_number_of_dies_is_refused_where_dies_come_in_pairs() -> None:
    answer = refused(a_service(QWEN_8B, hardware={"devices": 5}), DIES)
    assert answer.reason is Reason.ILLEGAL_DEVICE_COUNT
    assert "1, 2, 4, 6, 8, 10, 12, 14, 16" in answer.message


def test_a_node_with_sick_devices_bounds_the_replica() -> None:
    facts = cluster(a_node(devices=3, labels={"mind-cluster/npu-chip-memory": "64G"}))
    assert refused(a_service(QWEN_32B, hardware={"devices": 4}), facts).reason is Reason.ILLEGAL_DEVICE_COUNT
    assert planned(a_service(QWEN_32B), facts).devices == 2


def test_a_model_that_no_node_holds_is_refused_with_the_numbers() -> None:
    answer = refused(a_service("pvc://w/Qwen/Qwen3-235B-A22B"), A2)
    assert (answer.reason, answer.field) == (Reason.MODEL_TOO_LARGE, "spec.model")
    assert "on 8 x Atlas 800I A2 64G (61.0 GiB each)" in answer.message
    assert "use the published W8A8 weights Eco-Tech/Qwen3-235B-A22B-w8a8-QuaRot" in answer.message


def test_a_named_length_that_fits_nowhere_is_refused_with_one_that_does() -> None:
    service = a_service(
        "pvc://w/meta-llama/Llama-3.1-8B-Instruct", context={"maxModelLen": 131_072}, hardware={"devices": 1}
    )
    answer = refused(service, SMALL)
    assert (answer.reason, answer.field) == (Reason.CONTEXT_TOO_LONG, "spec.context.maxModelLen")
    assert "set context.maxModelLen to" in answer.message


def test_only_powers_of_two_are_tried_where_the_number_is_open() -> None:
    assert split("pvc://w/Qwen/Qwen2.5-7B-Instruct", on=CARDS).devices in (1, 2, 4)


def test_weights_cut_for_one_tensor_size_get_that_size() -> None:
    upload = "pvc://w/vllm-ascend/Qwen3-32B-w8a8sc-310-vllm-tp4"
    assert split(upload, on=CARDS) == Parallelism(4, 1, 1, 1)
    answer = refused(a_service(upload, parallelism={"tensor": 2}), CARDS)
    assert answer.reason is Reason.ILLEGAL_PARALLELISM
    assert "cut for tensor parallel size 4, not 2" in answer.message


def test_where_nothing_says_what_weights_were_cut_for_the_plan_says_what_it_takes() -> None:
    plan = planned(a_service("pvc://w/Qwen/Qwen3-8B", quantization="W8A8SC"), CARDS)
    assert f"cut for, taken to be {plan.parallelism.tensor}" in said(plan, "parallelism")
    named = planned(a_service("pvc://w/Qwen/Qwen3-8B", quantization="W8A8SC", parallelism={"tensor": 2}), CARDS)
    assert "taken to be" not in said(named, "parallelism")


def test_a_single_device_that_would_be_mostly_weights_gets_a_second() -> None:
    model = "pvc://w/Qwen/Qwen3-30B-A3B"
    assert planned(a_service(model, quantization="W8A8", context={"maxModelLen": 4096}), A2).devices == 2
    assert (
        planned(
            a_service(model, quantization="W8A8", context={"maxModelLen": 4096}, hardware={"devices": 1}), A2
        ).devices
        == 1
    )
