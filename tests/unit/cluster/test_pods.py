"""How many devices a Pod holds."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.cluster.pods import PodUse, npu_use

NPU = "huawei.com/Ascend910"


def asking(count: int, key: str = "limits") -> dict[str, Any]:
    return {"resources": {key: {NPU: str(count), "cpu": "5"}}}


def a_pod(*containers: dict[str, Any], phase: str = "Running", node: str = "node", **spec: Any) -> dict[str, Any]:
    return {"spec": {"nodeName": node, "containers": list(containers), **spec}, "status": {"phase": phase}}


def test_a_placed_pod_holds_what_its_containers_ask_for() -> None:
    assert npu_use(a_pod(asking(2), asking(1))) == (PodUse("node", NPU, 3),)


def test_a_renamed_resource_counts_where_the_configuration_names_it() -> None:
    own = {"resources": {"limits": {"example.com/npu": "2", "nvidia.com/gpu": "1"}}}
    assert npu_use(a_pod(own)) == ()
    assert npu_use(a_pod(own), {"example.com/npu": NPU}) == (PodUse("node", "example.com/npu", 2),)


def test_an_init_container_counts_where_it_asks_for_more() -> None:
    assert npu_use(a_pod(asking(2), initContainers=[asking(4), asking(1)])) == (PodUse("node", NPU, 4),)
    assert npu_use(a_pod(asking(4), initContainers=[asking(2)])) == (PodUse("node", NPU, 4),)


def test_requests_and_limits_are_one_claim() -> None:
    both = {"resources": {"limits": {NPU: "2"}, "requests": {NPU: "2"}}}
    assert npu_use(a_pod(both)) == (PodUse("node", NPU, 2),)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_an_ended_pod_holds_nothing(phase: str) -> None:
    assert npu_use(a_pod(asking(2), phase=phase)) == ()


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown"])
def test_a_pod_that_is_placed_holds_its_devices_from_the_start(phase: str) -> None:
    assert npu_use(a_pod(asking(2), phase=phase)) == (PodUse("node", NPU, 2),)


def test_a_pod_that_waits_for_a_node_holds_nothing() -> None:
    assert npu_use(a_pod(asking(2), node="")) == ()


def test_other_resources_and_zeros_are_passed_over() -> None:
    assert npu_use(a_pod({"resources": {"limits": {NPU: "0", "nvidia.com/gpu": "1"}}}, {"name": "plain"})) == ()


def test_each_resource_is_counted_by_itself() -> None:
    other = {"resources": {"limits": {"huawei.com/Ascend310P": "1"}}}
    assert npu_use(a_pod(asking(2), other)) == (PodUse("node", "huawei.com/Ascend310P", 1), PodUse("node", NPU, 2))
