"""CPUs, memory, NUMA alignment and huge pages of a replica."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.configuration import Configuration
from npuserve.plan.plan import HugePages
from tests.support.clusters import A2_64G, A3, DUO, HAMI, a_node, cluster, unreadable
from tests.support.services import a_service, argument, planned, refused, said

GIB = 1 << 30
A2 = cluster(A2_64G)
QWEN = "pvc://w/Qwen/Qwen3-32B"


def with_policy(policy: str) -> Configuration:
    return Configuration.model_validate({"profiles": [{"name": "all", "topologyPolicy": policy}]})


def test_a_replica_gets_five_cpus_and_four_gibibytes_per_device_and_no_pinning() -> None:
    host = planned(a_service(QWEN), A2).topology
    assert (host.cpus, host.cpu_pinning, host.numa, host.hugepages) == ("10", False, "none", None)
    assert host.memory == "20Gi"
    assert host.shared_memory == 4 * GIB


def test_a_small_host_gives_what_it_has_per_device() -> None:
    node = a_node("huawei.com/Ascend310P", 8, labels={"node.kubernetes.io/npu.chip.name": "310P3"})
    node["status"]["allocatable"] |= {"cpu": "16", "memory": "64Gi"}
    host = planned(a_service("pvc://w/Qwen/Qwen3-8B"), cluster(node)).topology
    assert int(host.cpus) < 5
    assert host.memory in ("7Gi", "14Gi")


def with_cpus(cpus: int) -> dict[str, Any]:
    node = a_node(labels={"node.kubernetes.io/npu.chip.name": "910B4-1"})
    node["status"]["allocatable"]["cpu"] = str(cpus)
    return node


PINNED: dict[str, Any] = {"devices": 4, "topology": {"cpuPinning": True}}


def test_an_engine_with_fewer_than_five_cpus_per_device_binds_none_and_the_plan_says_so() -> None:
    plan = planned(a_service(QWEN, hardware=PINNED), cluster(with_cpus(32)))
    assert plan.topology.cpus == "14"
    assert plan.topology.cpu_pinning
    assert '"enable_cpu_binding":false' in (argument(plan, "--additional-config") or "")
    assert "fewer than the 5 CPUs per device" in said(plan, "topology")
    enough = planned(a_service(QWEN, hardware=PINNED), cluster(with_cpus(192)))
    assert '"enable_cpu_binding":true' in (argument(enough, "--additional-config") or "")
    assert "fewer than" not in said(enough, "topology")


def test_cpus_that_a_service_names_too_few_of_are_taken_and_told() -> None:
    plan = planned(a_service(QWEN, template={"resources": {"cpu": "4"}}), A2)
    assert plan.topology.cpus == "4"
    assert "fewer than the 5 CPUs per device" in said(plan, "topology")


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"cpu": "193"}, "ask for 192 or fewer"), ({"memory": "2Ti"}, "ask for 1536Gi or less")],
)
def test_more_than_any_host_has_is_refused(asked: dict[str, str], told: str) -> None:
    answer = refused(a_service(QWEN, template={"resources": asked}), A2)
    assert (answer.reason, answer.field) == (
        Reason.UNSUPPORTED_TOPOLOGY,
        f"spec.template.resources.{next(iter(asked))}",
    )
    assert told in answer.message
    hidden = a_service(QWEN, hardware={"product": "Atlas 800I A2 64G"}, template={"resources": asked})
    assert planned(hidden, unreadable()).devices == 2


def test_huge_pages_of_a_node_with_too_few_devices_do_not_count() -> None:
    whole_server = a_node(name="whole", labels={"node.kubernetes.io/npu.chip.name": "910B4-1"})
    rest = a_node(name="rest", devices=1, labels={"node.kubernetes.io/npu.chip.name": "910B4-1"})
    del whole_server["status"]["allocatable"]["hugepages-2Mi"]
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "8Gi"}}}
    answer = refused(a_service(QWEN, hardware=wish), cluster(whole_server, rest))
    assert "the nodes offer none" in answer.message
    assert planned(a_service("pvc://w/Qwen/Qwen3-1.7B", hardware=wish), cluster(whole_server, rest)).devices == 1


def test_named_resources_are_taken_as_they_are() -> None:
    host = planned(a_service(QWEN, template={"resources": {"cpu": "2500m", "memory": "300Gi"}}), A2).topology
    assert (host.cpus, host.memory) == ("2500m", "300Gi")


def test_pinning_needs_whole_cpus() -> None:
    answer = refused(
        a_service(QWEN, hardware={"topology": {"cpuPinning": True}}, template={"resources": {"cpu": "2500m"}}), A2
    )
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_TOPOLOGY, "spec.template.resources.cpu")
    assert "use 3" in answer.message


def test_pinned_cpus_are_bound_by_the_engine_and_others_are_not() -> None:
    pinned = planned(a_service(QWEN, hardware={"topology": {"cpuPinning": True}}), A2)
    assert pinned.topology.cpu_pinning
    assert '"enable_cpu_binding":true' in (argument(pinned, "--additional-config") or "")
    assert '"enable_cpu_binding":false' in (argument(planned(a_service(QWEN), A2), "--additional-config") or "")


def test_alignment_that_is_preferred_is_asked_for_without_a_promise() -> None:
    assert planned(a_service(QWEN, hardware={"topology": {"numa": "preferred"}}), A2).topology.numa == "preferred"


@pytest.mark.parametrize("policy", ["", "none", "best-effort"])
def test_alignment_is_refused_where_kubelets_do_not_align(policy: str) -> None:
    answer = refused(
        a_service(QWEN, configuration=with_policy(policy), hardware={"topology": {"numa": "required"}}), A2
    )
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_TOPOLOGY, "spec.hardware.topology.numa")
    assert "preferred" in answer.message


def test_alignment_that_is_required_pins_cpus_where_kubelets_align() -> None:
    host = planned(
        a_service(QWEN, configuration=with_policy("restricted"), hardware={"topology": {"numa": "required"}}), A2
    ).topology
    assert (host.numa, host.cpu_pinning) == ("required", True)


def test_one_numa_node_never_admits_more_than_the_two_devices_it_carries() -> None:
    single = with_policy("single-numa-node")
    wish: dict[str, Any] = {"topology": {"numa": "required"}}
    assert planned(a_service(QWEN, configuration=single, hardware=wish), A2).devices == 2
    answer = refused(a_service(QWEN, configuration=single, hardware={"devices": 4, **wish}), A2)
    assert "never admits 4 devices" in answer.message
    assert planned(a_service(QWEN, configuration=single, hardware={"devices": 4, **wish}), cluster(A3)).devices == 4


def test_one_numa_node_never_admits_more_pinned_cpus_than_it_has() -> None:
    single = with_policy("single-numa-node")
    eight: dict[str, Any] = {"devices": 8, "topology": {"cpuPinning": True}}
    answer = refused(a_service(QWEN, configuration=single, hardware=eight), A2)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_TOPOLOGY, "spec.hardware.topology.cpuPinning")
    assert "never admits 40 pinned CPUs" in answer.message
    assert "has 24" in answer.message
    fewer = {"resources": {"cpu": "24"}}
    assert planned(a_service(QWEN, configuration=single, hardware=eight, template=fewer), A2).topology.cpus == "24"
    assert planned(a_service(QWEN, configuration=with_policy("restricted"), hardware=eight), A2).devices == 8


def test_alignment_that_is_preferred_is_refused_where_kubelets_refuse_the_pod() -> None:
    single = with_policy("single-numa-node")
    wish: dict[str, Any] = {"devices": 4, "topology": {"numa": "preferred"}}
    assert "never admits 4" in refused(a_service(QWEN, configuration=single, hardware=wish), A2).message
    assert planned(a_service(QWEN, configuration=single, hardware=wish), cluster(HAMI)).devices == 4


def test_devices_on_several_numa_nodes_are_told_of_where_kubelets_will_refuse_them() -> None:
    single = with_policy("single-numa-node")
    four = planned(a_service(QWEN, configuration=single, hardware={"devices": 4}), A2)
    assert "refuse 4 devices" in said(four, "topology")
    assert "refuse" not in said(planned(a_service(QWEN, configuration=single), A2), "topology")


@pytest.mark.parametrize(
    ("node", "flavour"), [(A2_64G, "mindcluster-volcano"), (HAMI, "auto")], ids=["volcano", "hami"]
)
def test_alignment_is_refused_where_kubelets_are_told_no_numa_nodes(node: dict[str, Any], flavour: str) -> None:
    facts, restricted = cluster(node, flavour=flavour), with_policy("restricted")
    answer = refused(a_service(QWEN, configuration=restricted, hardware={"topology": {"numa": "required"}}), facts)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_TOPOLOGY, "spec.hardware.topology.numa")
    assert "tells kubelets no NUMA nodes; use preferred" in answer.message
    pinned = planned(a_service(QWEN, hardware={"topology": {"cpuPinning": True}}), facts)
    assert "pinned CPUs may lie far from the devices" in said(pinned, "topology")


def test_huge_pages_are_taken_from_nodes_that_have_them() -> None:
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "8Gi"}}}
    assert planned(a_service(QWEN, hardware=wish), A2).topology.hugepages == HugePages("2Mi", 8 * GIB)


@pytest.mark.parametrize("size", ["2Mi", "32Mi", "512Mi", "1Gi", "16Gi"])
def test_the_size_of_a_huge_page_is_the_nodes_own(size: str) -> None:
    node = a_node(labels={"node.kubernetes.io/npu.chip.name": "910B4-1"})
    del node["status"]["allocatable"]["hugepages-2Mi"]
    wish = {"topology": {"hugepages": {"size": size, "amount": "32Gi"}}}
    answer = refused(a_service(QWEN, hardware=wish), cluster(node))
    assert "the nodes offer none" in answer.message
    node["status"]["allocatable"][f"hugepages-{size}"] = "32Gi"
    assert planned(a_service(QWEN, hardware=wish), cluster(node)).topology.hugepages == HugePages(size, 32 * GIB)


def test_the_group_that_huge_pages_need_is_told_until_the_profile_names_it() -> None:
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "8Gi"}}}
    named = Configuration.model_validate({"profiles": [{"name": "all", "hugetlbGroup": 1001}]})
    assert "hugetlbGroup" in said(planned(a_service(QWEN, hardware=wish), A2), "topology")
    assert "hugetlbGroup" not in said(planned(a_service(QWEN, configuration=named, hardware=wish), A2), "topology")
    assert "hugetlbGroup" not in said(planned(a_service(QWEN), A2), "topology")


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ({"size": "1Gi", "amount": "8Gi"}, "the nodes offer 64Gi of 2Mi"),
        ({"size": "2Mi", "amount": "65Gi"}, "the nodes offer 64Gi of 2Mi"),
        ({"size": "2Mi", "amount": "3Mi"}, "not a whole number of 2Mi pages"),
        ({"size": "2Mi", "amount": "0"}, "not a whole number of 2Mi pages"),
    ],
)
def test_huge_pages_that_no_node_has_are_refused_with_those_there_are(pages: dict[str, str], told: str) -> None:
    answer = refused(a_service(QWEN, hardware={"topology": {"hugepages": pages}}), A2)
    assert answer.reason is Reason.UNSUPPORTED_TOPOLOGY
    assert answer.field.startswith("spec.hardware.topology.hugepages")
    assert told in answer.message


def test_a_product_whose_hosts_have_the_pages_is_taken_before_a_cheaper_one_without() -> None:
    cheap = a_node(name="cheap", labels={"node.kubernetes.io/npu.chip.name": "910B4"})
    del cheap["status"]["allocatable"]["hugepages-2Mi"]
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "8Gi"}}}
    plan = planned(a_service(QWEN, hardware=wish), cluster(cheap, A2_64G))
    assert plan.product == "Atlas 800I A2 64G"
    assert "not Atlas 800I A2 32G: no Atlas 800I A2 32G node has 8Gi of 2Mi pages" in said(plan, "hardware")
    assert planned(a_service(QWEN), cluster(cheap, A2_64G)).product == "Atlas 800I A2 32G"


def test_cards_without_huge_pages_say_so() -> None:
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "1Gi"}}}
    assert "the nodes offer none" in refused(a_service("pvc://w/Qwen/Qwen3-8B", hardware=wish), cluster(DUO)).message


def test_pages_are_whole_even_where_nodes_cannot_be_read() -> None:
    wish = {"product": "Atlas 800I A2 64G", "topology": {"hugepages": {"size": "2Mi", "amount": "3Mi"}}}
    assert refused(a_service(QWEN, hardware=wish), unreadable()).reason is Reason.UNSUPPORTED_TOPOLOGY


def test_where_hosts_are_unknown_the_defaults_stand() -> None:
    host = planned(a_service(QWEN, hardware={"product": "Atlas 800I A2 64G"}), unreadable()).topology
    assert (host.cpus, host.memory) == ("10", "20Gi")
