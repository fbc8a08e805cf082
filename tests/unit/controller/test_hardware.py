"""The cluster as the configuration declares it."""

from __future__ import annotations

from npuserve.configuration import HardwareRow
from npuserve.controller.hardware import declared


def test_each_declared_node_is_one_of_its_product_with_nothing_known_to_be_free() -> None:
    cluster = declared((HardwareRow(product="Atlas 800I A2 64G", nodes=3, devices=8),), "auto")
    assert not cluster.known
    assert [(node.resource, node.family, node.devices) for node in cluster.nodes] == [
        ("huawei.com/Ascend910", "mindcluster", 8)
    ] * 3
    assert all(node.products == ("Atlas 800I A2 64G",) and node.certain for node in cluster.nodes)


def test_a_named_resource_gives_the_family() -> None:
    row = HardwareRow(product="Atlas 800I A2 64G", resource_name="huawei.com/ascend-1980")
    (node,) = declared((row,), "auto").nodes
    assert (node.resource, node.family) == ("huawei.com/ascend-1980", "cce")


def test_an_unknown_product_declares_nothing() -> None:
    assert declared((HardwareRow(product="Atlas 1"),), "auto").nodes == ()
