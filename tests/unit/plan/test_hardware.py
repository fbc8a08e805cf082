"""Which nodes a service may use: the pools that its hardware fields leave."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.api.hardware import Hardware
from npuserve.api.template import Template
from npuserve.cluster.facts import ClusterFacts
from npuserve.plan.hardware import Pool, pools
from npuserve.plan.plan import Refusal
from tests.cluster import nodes as machines
from tests.support.clusters import (
    A2_32G,
    A2_64G,
    A3,
    BY_HAND,
    CHIP,
    DUO,
    HAMI,
    HAMI_A3,
    MEMORY,
    SHARED,
    a_node,
    cluster,
    named,
    unreadable,
)

MIXED = cluster(A2_64G, A2_32G, A3, DUO)


def found(facts: ClusterFacts = MIXED, template: dict[str, Any] | None = None, **hardware: Any) -> tuple[Pool, ...]:
    answer = pools(Hardware.model_validate(hardware), Template.model_validate(template or {}), facts)
    assert not isinstance(answer, Refusal), answer
    return answer


def products(facts: ClusterFacts = MIXED, template: dict[str, Any] | None = None, **hardware: Any) -> list[str]:
    return [pool.product.id for pool in found(facts, template, **hardware)]


def refusal(facts: ClusterFacts = MIXED, **hardware: Any) -> Refusal:
    answer = pools(Hardware.model_validate(hardware), Template(), facts)
    assert isinstance(answer, Refusal), answer
    return answer


def test_without_wishes_every_node_is_the_product_it_is_assumed_to_be() -> None:
    assert products() == ["Atlas 800I A2 64G", "Atlas 800I A2 32G", "Atlas 800I A3 64G", "Atlas 300I Duo 48G"]


def test_a_named_product_is_taken_from_nodes_that_can_be_it() -> None:
    assert products(product="Atlas 300I Duo 96G") == ["Atlas 300I Duo 96G"]
    assert products(product="Atlas 800I A2") == ["Atlas 800I A2 64G", "Atlas 800I A2 32G"]


def test_a_named_chip_narrows_products_and_nodes() -> None:
    assert products(chip="910B4") == ["Atlas 800I A2 32G"]
    assert products(chip="Ascend910_9391") == ["Atlas 800I A3 64G", "Atlas 800T A3 64G"]


def test_a_node_whose_labels_leave_the_chip_open_can_be_any_that_the_product_has() -> None:
    assert products(cluster(BY_HAND), chip="910B3", product="Atlas 800I A2 64G") == ["Atlas 800I A2 64G"]


@pytest.mark.parametrize(
    ("hardware", "reason", "field", "told"),
    [
        ({"product": "Atlas 800I A4"}, Reason.UNKNOWN_HARDWARE, "spec.hardware.product", "Atlas 800I A"),
        ({"product": "x"}, Reason.UNKNOWN_HARDWARE, "spec.hardware.product", "products: Atlas"),
        ({"chip": "H100"}, Reason.UNKNOWN_HARDWARE, "spec.hardware.chip", "910B3"),
        (
            {"product": "Atlas 800I A2 64G", "chip": "310P3"},
            Reason.UNKNOWN_HARDWARE,
            "spec.hardware.chip",
            "it has 910B4-1, 910B3",
        ),
        (
            {"product": "Atlas 800T A2 64G"},
            Reason.NO_MATCHING_NODES,
            "spec.hardware.product",
            "the cluster offers Atlas 800I A2 64G",
        ),
        (
            {"resourceName": "huawei.com/npu"},
            Reason.NO_MATCHING_NODES,
            "spec.hardware.resourceName",
            "resourceName 'huawei.com/npu'",
        ),
        (
            {"nodeSelector": {"zone": "a"}},
            Reason.NO_MATCHING_NODES,
            "spec.hardware.nodeSelector",
            "nodeSelector zone=a",
        ),
    ],
)
def test_what_cannot_be_found_is_refused_with_what_there_is(
    hardware: dict[str, Any], reason: Reason, field: str, told: str
) -> None:
    answer = refusal(**hardware)
    assert (answer.reason, answer.field) == (reason, field)
    assert told in answer.message


def test_a_cluster_without_npus_says_so() -> None:
    assert "no node of the cluster offers NPUs" in refusal(cluster(a_node("nvidia.com/gpu"))).message


@pytest.mark.parametrize(
    ("toleration", "open_to_it"),
    [
        ({"key": "npu", "operator": "Exists"}, True),
        ({"key": "npu", "value": "x"}, True),
        ({"key": "npu", "value": "y"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "npu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "npu", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_tainted_node_is_used_by_services_that_tolerate_the_taint(
    toleration: dict[str, Any], *, open_to_it: bool
) -> None:
    facts = cluster(a_node(name="a", taints=[{"key": "npu", "value": "x", "effect": "NoSchedule"}]), named(A3, "b"))
    assert ("Atlas 800I A2 32G" in products(facts, {"tolerations": [toleration]})) is open_to_it
    assert "Atlas 800I A2 32G" not in products(facts)


def test_taints_that_come_and_go_by_themselves_say_nothing_of_a_node() -> None:
    facts = cluster(a_node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]))
    assert products(facts) == ["Atlas 800I A2 32G"]


def test_a_node_that_shares_devices_by_percentage_is_never_used() -> None:
    refused = refusal(cluster(SHARED))
    assert refused.reason is Reason.NO_MATCHING_NODES
    assert "every node shares its devices by percentage" in refused.message
    (pool,) = found(cluster(A2_64G, SHARED))
    assert [node.name for node in pool.nodes] == ["a2-64g"]


def test_replicas_are_kept_off_nodes_that_share_devices_wherever_there_are_any_or_may_be() -> None:
    label = ("huawei.com/scheduler.chip1softsharedev.enable", "true")
    assert found(cluster(A2_64G))[0].avoided == ()
    assert found(cluster(A2_64G, SHARED))[0].avoided == (label,)
    assert found(cluster(A2_64G, flavour="mindcluster-volcano"))[0].avoided == (label,)
    assert found(unreadable(flavour="mindcluster-volcano"), product="Atlas 800I A3 64G")[0].avoided == (label,)
    assert found(cluster(HAMI, SHARED))[0].avoided == ()


@pytest.mark.parametrize(
    ("requirement", "meets"),
    [
        ({"operator": "In", "values": ["a", "b"]}, True),
        ({"operator": "In", "values": ["b"]}, False),
        ({"operator": "NotIn", "values": ["b"]}, True),
        ({"operator": "NotIn", "values": ["a"]}, False),
        ({"operator": "Exists"}, True),
        ({"operator": "DoesNotExist"}, False),
        ({"key": "rack", "operator": "Gt", "values": ["6"]}, True),
        ({"key": "rack", "operator": "Lt", "values": ["7"]}, False),
        ({"key": "zone", "operator": "Gt", "values": ["1"]}, False),
        ({"key": "absent", "operator": "Exists"}, False),
        ({"key": "absent", "operator": "NotIn", "values": ["a"]}, True),
    ],
)
def test_node_affinity_is_read_as_the_scheduler_reads_it(requirement: dict[str, Any], *, meets: bool) -> None:
    facts = cluster(a_node(labels={"zone": "a", "rack": "7"}))
    answer = pools(Hardware(), Template.model_validate({"nodeAffinity": [{"key": "zone", **requirement}]}), facts)
    assert isinstance(answer, tuple) is meets


def test_one_product_under_two_resource_names_is_two_pools() -> None:
    pair = found(cluster(A2_64G, HAMI))
    assert [(pool.product.id, pool.resource, pool.flavour.name) for pool in pair] == [
        ("Atlas 800I A2 64G", "huawei.com/Ascend910", "mindcluster-native"),
        ("Atlas 800I A2 64G", "huawei.com/Ascend910B4-1", "hami"),
    ]


def test_a_resource_name_chooses_between_them() -> None:
    (pool,) = found(cluster(A2_64G, HAMI), resourceName="huawei.com/Ascend910B4-1")
    assert pool.flavour.name == "hami"


def test_the_labels_that_all_nodes_share_keep_replicas_on_them() -> None:
    (pool,) = found(cluster(named(A2_64G, "a"), named(A2_64G, "b")))
    assert pool.telling_labels() == {CHIP: "910B4-1", MEMORY: "64G"}
    (pool,) = found(cluster(HAMI))
    assert pool.telling_labels() == {"ascend": "on"}


def test_nodes_with_different_chips_share_a_pool_while_their_common_labels_keep_others_out() -> None:
    twins = cluster(
        a_node(name="a", labels={CHIP: "910B3", MEMORY: "64G"}),
        a_node(name="b", labels={CHIP: "910B4-1", MEMORY: "64G"}),
    )
    (pool,) = found(twins)
    assert pool.telling_labels() == {MEMORY: "64G"}


def test_nodes_with_different_chips_are_two_pools_where_their_common_labels_would_let_replicas_onto_another_product() -> (
    None
):
    one, other = (
        a_node(name="a", labels={CHIP: "910B3", MEMORY: "64G"}),
        a_node(name="b", labels={CHIP: "910B4-1", MEMORY: "64G"}),
    )
    facts = cluster(one, other, A3)
    pair = [pool for pool in found(facts) if pool.product.id == "Atlas 800I A2 64G"]
    assert [pool.telling_labels() for pool in pair] == [
        {CHIP: "910B3", MEMORY: "64G"},
        {CHIP: "910B4-1", MEMORY: "64G"},
    ]


def test_the_largest_node_bounds_a_replica() -> None:
    (pool,) = found(cluster(a_node(name="a", devices=3), a_node(name="b", devices=6)))
    assert pool.largest == 6


def test_a_named_product_is_planned_for_although_nodes_cannot_be_read() -> None:
    (pool,) = found(unreadable(), product="Atlas 800I A3 64G")
    assert (pool.resource, pool.flavour.name, pool.nodes, pool.largest) == (
        "huawei.com/Ascend910",
        "mindcluster-native",
        (),
        16,
    )


def test_the_configured_flavour_names_the_resource_where_nodes_cannot_be_read() -> None:
    (pool,) = found(unreadable(flavour="huawei-cce"), product="Atlas 800I A3 64G")
    assert (pool.resource, pool.flavour.name) == ("huawei.com/ascend-1980", "huawei-cce")
    (pool,) = found(unreadable(flavour="mindcluster-volcano"), product="Atlas 800I A3 64G")
    assert pool.flavour.name == "mindcluster-volcano"


def test_nothing_can_be_planned_where_neither_nodes_nor_product_are_known() -> None:
    answer = refusal(unreadable())
    assert answer.reason is Reason.NO_MATCHING_NODES
    assert "profiles[].hardware" in answer.message


def test_the_same_question_is_answered_once_for_one_state_of_the_cluster() -> None:
    facts = cluster(A2_64G)
    assert found(facts) is found(facts)
    assert found(facts) is not found(facts, product="Atlas 800I A2 64G")


def test_hami_hands_out_both_dies_of_a_module_together() -> None:
    (pool,) = found(cluster(HAMI_A3))
    assert pool.request_sizes == (2, 4, 6, 8, 10, 12, 14, 16)
    (pool,) = found(cluster(A3))
    assert pool.request_sizes == (1, 2, 4, 6, 8, 10, 12, 14, 16)


OLDER = "mindcluster-volcano-before-7.3"


def test_older_mindcluster_is_told_the_servers_shape_by_a_node_label() -> None:
    (pool,) = found(cluster(machines.A2_64G_26_0.node("labelled"), A2_64G, flavour=OLDER))
    assert [node.name for node in pool.nodes] == ["labelled"]
    assert pool.telling_labels()["accelerator-type"] == "module-910b-8"
    assert pool.avoided == ()


def test_nodes_that_do_not_tell_older_mindcluster_their_shape_are_refused_with_the_label_to_set() -> None:
    answer = refusal(cluster(A2_64G, flavour=OLDER))
    assert answer.reason is Reason.NO_MATCHING_NODES
    assert "accelerator-type=module-910b-8" in answer.message
    assert "flavour: mindcluster-volcano" in answer.message


def test_cards_have_no_shape_to_tell() -> None:
    assert products(cluster(DUO, flavour=OLDER)) == ["Atlas 300I Duo 48G"]


def test_the_shape_is_selected_where_nodes_cannot_be_read() -> None:
    (pool,) = found(unreadable(flavour=OLDER), product="Atlas 800I A3 64G")
    assert pool.telling_labels() == {"accelerator-type": "module-a3-16"}


def test_memory_that_no_source_states_is_taken_from_the_nodes_labels() -> None:
    box = {"accelerator-type": "module-910b-16", MEMORY: "64G"}
    (pool,) = found(cluster(a_node(devices=16, labels=box)))
    assert (pool.product.id, pool.product.memory_gib, pool.product.usable_mib) == ("Atlas 200I A2 Box16", 64, 62423)
    (untold,) = found(cluster(a_node(devices=16, labels={"accelerator-type": "module-910b-16"})))
    assert untold.product.usable_mib is None
    (mixed,) = found(cluster(*(a_node(name=gib, devices=16, labels=box | {MEMORY: gib}) for gib in ("32G", "64G"))))
    assert mixed.product.memory_gib == 32
