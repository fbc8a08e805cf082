"""What a Node is, by its resource and whatever labels its cluster gives it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from npuserve.cluster.facts import NodeFacts, Taint
from npuserve.cluster.nodes import read_node
from tests.cluster import nodes as machines
from tests.support.clusters import CHIP, MEMORY, a_node


def facts(*node: Any, **labels: Any) -> NodeFacts:
    (found,) = read_node(a_node(*node, **labels))
    return found


@pytest.mark.parametrize(
    ("machine", "products", "certain"),
    [
        (machines.A2_64G, ["Atlas 800I A2 64G"], True),
        (machines.A2_64G_26_0, ["Atlas 800I A2 64G"], True),
        (machines.A2_64G_910B3, ["Atlas 800I A2 64G", "Atlas 800T A2 64G"], True),
        (machines.A2_32G, ["Atlas 800I A2 32G"], True),
        (machines.A3, ["Atlas 800I A3 64G", "Atlas 800T A3 64G"], True),
        (machines.A3_26_0, ["Atlas 800I A3 64G", "Atlas 800T A3 64G"], True),
        (machines.DUO_96G, ["Atlas 300I Duo 48G", "Atlas 300I Duo 96G"], False),
        (machines.DUO_26_0, ["Atlas 300I Duo 48G", "Atlas 300I Duo 96G"], False),
        (machines.HAMI_A2, ["Atlas 800I A2 64G"], True),
        (machines.CCE_A2, ["Atlas 800I A2 32G", "Atlas 800I A2 64G", "Atlas 800T A2 64G"], False),
    ],
)
def test_a_node_of_each_platform_is_read(machine: machines.Machine, products: list[str], *, certain: bool) -> None:
    (found,) = read_node(machine.node("node"))
    assert (list(found.products), found.certain) == (products, certain)
    assert found.devices == machine.devices


def test_labels_by_hand_leave_memory_and_chip_open_and_the_least_is_assumed() -> None:
    (found,) = read_node(machines.A2_LABELS_BY_HAND.node("node"))
    assert found.products[0] == "Atlas 800I A2 32G"
    assert "Atlas 800I A2 64G" in found.products
    assert (found.certain, found.chip) == (False, "")


@pytest.mark.parametrize(
    ("kind", "devices", "product"),
    [
        ("module-910b-8", 8, "Atlas 800I A2 32G"),
        ("module-910b-16", 16, "Atlas 200I A2 Box16"),
        ("card-910b-infer", 4, "Atlas 300I A2 32G"),
        ("module-a3-16", 16, "Atlas 800I A3 64G"),
        ("module-a3-16-super-pod", 16, "Atlas 900 A3 SuperPoD 64G"),
        ("module-a3-8-super-pod", 8, "Atlas 9000 A3 SuperPoD 64G"),
        ("module", 8, "Atlas 800 910A 32G"),
    ],
)
def test_the_accelerator_type_of_older_clusters_tells_the_server(kind: str, devices: int, product: str) -> None:
    assert facts(devices=devices, labels={"accelerator-type": kind, "server-usage": "infer"}).products[0] == product


def test_an_accelerator_type_of_one_server_alone_settles_it_whichever_chip_of_the_family_is_shown() -> None:
    labels = {"accelerator-type": "module-910b-16", CHIP: "910B3", MEMORY: "64G"}
    assert facts(devices=16, labels=labels).products == ("Atlas 200I A2 Box16",)


def test_an_accelerator_type_that_no_row_has_says_nothing() -> None:
    assert facts(labels={"accelerator-type": "odd"}).products[0] == "Atlas 800I A2 32G"


@pytest.mark.parametrize(("devices", "generation"), [(8, "A2"), (4, "A2"), (16, "A3"), (12, "A3")])
def test_without_labels_the_number_of_devices_tells_servers_of_one_resource_apart(
    devices: int, generation: str
) -> None:
    assert generation in facts(devices=devices).products[0]


def test_a_super_pod_is_assumed_of_nodes_whose_labels_say_so_only() -> None:
    assert not any("SuperPoD" in product for product in facts(devices=16, labels={CHIP: "Ascend910"}).products)


def test_the_memory_label_of_a_driver_that_shows_a_little_less_still_tells_the_row() -> None:
    found = facts("huawei.com/Ascend310P", labels={CHIP: "310P3", MEMORY: "43G", "infer-card-type": "card-300i-duo"})
    assert found.products == ("Atlas 300I Duo 96G",)
    assert found.certain


def test_a_chip_that_no_row_has_is_no_product_of_ours() -> None:
    assert read_node(a_node(labels={CHIP: "910Z"})) == ()


def test_a_renamed_resource_is_read_by_its_labels() -> None:
    found = facts("huawei.com/our-npu", labels={CHIP: "910B4", MEMORY: "32G"})
    assert (found.products, found.resource, found.family) == (
        ("Atlas 800I A2 32G",),
        "huawei.com/our-npu",
        "mindcluster",
    )


RENAMED = {"example.com/npu": "huawei.com/Ascend910", "huawei.com/our-npu": "huawei.com/Ascend310P"}


def test_a_renamed_resource_without_labels_is_what_the_configuration_says() -> None:
    assert read_node(a_node("huawei.com/our-npu")) == ()
    assert read_node(a_node("example.com/npu")) == ()
    (servers,) = read_node(a_node("example.com/npu", 16), RENAMED)
    assert (servers.resource, servers.family, servers.devices) == ("example.com/npu", "mindcluster", 16)
    assert "A3" in servers.products[0]
    (cards,) = read_node(a_node("huawei.com/our-npu"), RENAMED)
    assert "300I" in cards.products[0]


@pytest.mark.parametrize(
    "resource",
    [
        "huawei.com/Ascend910-2c",
        "huawei.com/Ascend910-12c.3cpu.32g",
        "huawei.com/Ascend310P-4c.3cpu.ndvpp",
        "huawei.com/npu-core",
        "huawei.com/Ascend910B4-memory",
        "huawei.com/Ascend910B4-core",
        "huawei.com/Ascend310P-VPro",
        "nvidia.com/gpu",
    ],
)
def test_parts_of_devices_and_other_devices_are_passed_over(resource: str) -> None:
    assert read_node(a_node(resource)) == ()


def test_hami_offers_a_device_several_times_and_the_real_ones_are_counted() -> None:
    (found,) = read_node(machines.HAMI_A2.node("node"))
    assert (found.devices, found.family) == (8, "hami")


def test_devices_that_hami_lists_as_unhealthy_are_not_counted() -> None:
    node = machines.HAMI_A2.node("node")
    ((key, listed),) = ((k, v) for k, v in node["metadata"]["annotations"].items() if k.startswith("hami"))
    entries = json.loads(listed)
    entries[0]["health"] = False
    node["metadata"]["annotations"][key] = json.dumps(entries)
    assert read_node(node)[0].devices == 7


def test_the_310p_name_that_two_plugins_share_is_hamis_where_the_node_says_so() -> None:
    assert facts("huawei.com/Ascend310P").family == "mindcluster"
    assert facts("huawei.com/Ascend310P", labels={"ascend": "on"}).family == "hami"


def test_unhealthy_devices_are_in_capacity_and_not_counted() -> None:
    (found,) = read_node(machines.A2_64G.node("node", unhealthy=3))
    assert found.devices == 5


def test_a_node_without_healthy_devices_is_nothing() -> None:
    assert read_node(machines.A2_64G.node("node", unhealthy=8)) == ()


def test_a_node_that_shares_devices_by_percentage_is_marked() -> None:
    (shared,) = read_node(machines.A2_SHARED.node("node"))
    assert (shared.shares_devices, shared.devices, shared.products[0]) == (True, 8, "Atlas 800I A2 64G")
    assert not facts().shares_devices


def test_host_sizes_and_huge_pages_are_whole_numbers() -> None:
    found = facts()
    assert (found.cpus, found.memory, dict(found.hugepages)) == (192, 1536 << 30, {"2Mi": 64 << 30})


def test_taints_keep_workloads_off_except_those_that_only_prefer() -> None:
    taints = [{"key": "npu", "value": "x", "effect": "NoSchedule"}, {"key": "old", "effect": "PreferNoSchedule"}]
    assert facts(taints=taints).taints == (Taint("npu", "x", "NoSchedule"),)


def test_a_cordoned_node_is_not_schedulable() -> None:
    assert not facts(unschedulable=True).schedulable
    assert facts().schedulable


def test_the_architecture_is_the_nodes_own() -> None:
    assert facts(labels={"kubernetes.io/arch": "amd64"}).arch == "amd64"
