"""Which part of a device a small model gets."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.chips import HAMI_SLICES, MIB, PRODUCTS
from npuserve.plan.plan import Plan
from tests.support.clusters import A2_64G, CCE, HAMI, HAMI_A3, a_node, cluster, unreadable
from tests.support.services import a_service, planned, refused, said

SMALL = "pvc://w/Qwen/Qwen3-1.7B"
CARDS = a_node("huawei.com/Ascend310P", 8, name="cards", labels={"ascend": "on"})


def part(memory: str, *nodes: dict[str, Any], uri: str = SMALL, **spec: Any) -> Plan:
    return planned(a_service(uri, hardware={"memory": memory}, **spec), cluster(*(nodes or (HAMI,))))


@pytest.mark.parametrize(
    ("asked", "given"), [("1Gi", 16384), ("16Gi", 16384), ("16385Mi", 32768), ("20Gi", 32768), ("32Gi", 32768)]
)
def test_the_smallest_part_that_has_the_memory_is_taken(asked: str, given: int) -> None:
    plan = part(asked)
    assert (plan.slice_mib, plan.devices, plan.resource_name) == (given, 1, "huawei.com/Ascend910B4-1")
    assert f"{given} MiB of one device" in said(plan, "hardware")


def test_the_memory_of_the_part_is_the_devices_in_the_budget() -> None:
    whole, half = planned(a_service(SMALL), cluster(HAMI)).memory, part("32Gi").memory
    assert half.usable == pytest.approx(whole.usable / 2, rel=1e-3)
    assert half.weights == whole.weights
    assert half.kv_cache_tokens < whole.kv_cache_tokens


def test_nothing_is_sliced_unasked() -> None:
    assert planned(a_service(SMALL), cluster(HAMI)).slice_mib == 0


def test_each_chip_has_parts_of_its_own() -> None:
    plan = part("10Gi", CARDS, uri="pvc://w/Qwen/Qwen3-0.6B")
    assert (plan.resource_name, plan.slice_mib) == ("huawei.com/Ascend310P", 12288)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"hardware": {"devices": 2}}, "spec.hardware.devices"),
        ({"parallelism": {"tensor": 2}}, "spec.parallelism"),
        ({"parallelism": {"data": 2}}, "spec.parallelism"),
    ],
)
def test_a_part_serves_a_replica_of_one_device(wish: dict[str, Any], field: str) -> None:
    hardware = {"memory": "16Gi", **wish.get("hardware", {})}
    answer = refused(a_service(SMALL, **{**wish, "hardware": hardware}), cluster(HAMI))
    assert (answer.reason, answer.field) == (Reason.ILLEGAL_DEVICE_COUNT, field)
    assert "leave hardware.memory out" in answer.message


@pytest.mark.parametrize("node", [A2_64G, CCE, HAMI_A3])
def test_where_devices_are_handed_out_whole_a_part_is_refused(node: dict[str, Any]) -> None:
    answer = refused(a_service(SMALL, hardware={"memory": "16Gi"}), cluster(node))
    assert (answer.reason, answer.field) == (Reason.NO_MATCHING_NODES, "spec.hardware.memory")
    assert "leave hardware.memory out" in answer.message


@pytest.mark.parametrize("asked", ["33Gi", "64Gi", "0"])
def test_memory_that_no_part_has_is_refused_with_the_parts_there_are(asked: str) -> None:
    answer = refused(a_service(SMALL, hardware={"memory": asked}), cluster(HAMI))
    assert (answer.reason, answer.field) == (Reason.ILLEGAL_DEVICE_COUNT, "spec.hardware.memory")
    assert "16Gi, 32Gi" in answer.message


def test_a_model_that_does_not_fit_its_part_is_told_to_ask_for_more() -> None:
    answer = refused(a_service("pvc://w/Qwen/Qwen3-8B", hardware={"memory": "16Gi"}), cluster(HAMI))
    assert answer.reason is Reason.MODEL_TOO_LARGE
    assert "raise hardware.memory" in answer.message


def test_parts_are_planned_where_nodes_cannot_be_read() -> None:
    wish = {"memory": "16Gi", "product": "Atlas 800I A2 64G"}
    assert planned(a_service(SMALL, hardware=wish), unreadable(flavour="hami")).slice_mib == 16384


def test_parts_are_listed_upwards_and_smaller_than_any_device_of_their_resource() -> None:
    for resource, parts in HAMI_SLICES.items():
        sizes = [item.mib for item in parts]
        whole = [row.memory_gib for row in PRODUCTS if resource in row.hami_resources and row.memory_gib]
        assert sizes == sorted(sizes)
        assert whole
        assert sizes[-1] * MIB < min(whole) << 30
