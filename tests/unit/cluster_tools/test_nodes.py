"""Simulated nodes look like what device plugins and administrators write."""

from __future__ import annotations

import json
import re

import pytest

from tests.cluster import nodes

LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@pytest.mark.parametrize("kind", nodes.BY_NAME)
def test_every_kind_of_node_has_legal_labels_and_its_devices_in_capacity_and_allocatable(kind: str) -> None:
    first, second = nodes.BY_NAME[kind]("n", 2)
    assert [first["metadata"]["name"], second["metadata"]["name"]] == ["n-0", "n-1"]
    assert all(LABEL_VALUE.fullmatch(value) for value in first["metadata"]["labels"].values())
    offered = {name for name in first["status"]["allocatable"] if name.startswith("huawei.com/")}
    assert len(offered) == 1
    assert first["status"]["allocatable"] == first["status"]["capacity"]


def test_unhealthy_devices_stay_in_capacity_and_leave_allocatable() -> None:
    (node,) = nodes.a3("a3", unhealthy=1)
    assert node["status"]["capacity"]["huawei.com/Ascend910"] == "16"
    assert node["status"]["allocatable"]["huawei.com/Ascend910"] == "15"


def test_a_hami_node_offers_each_of_its_devices_four_times_and_lists_them_once() -> None:
    (node,) = nodes.hami_a2("h")
    assert node["status"]["allocatable"]["huawei.com/Ascend910B4-1"] == "32"
    listed = json.loads(node["metadata"]["annotations"]["hami.io/node-register-Ascend910B4-1"])
    assert [(device["index"], device["count"]) for device in listed] == [(index, 4) for index in range(8)]


def test_labels_of_mindcluster_26_0_are_partly_written_by_hand_and_lack_the_driver() -> None:
    (old,), (new,) = nodes.a2_64g_26_0("o"), nodes.a2_64g("n")
    assert old["metadata"]["labels"]["accelerator-type"] == "module-910b-8"
    assert "huawei.com/driver.version" not in old["metadata"]["labels"]
    assert "accelerator-type" not in new["metadata"]["labels"]
    assert old["metadata"]["labels"]["mind-cluster/npu-chip-memory"] == "64G"


def test_the_number_of_devices_can_be_chosen() -> None:
    (node,) = nodes.duo_96g("duo", devices=2)
    assert node["status"]["allocatable"]["huawei.com/Ascend310P"] == "2"
