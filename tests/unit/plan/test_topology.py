"""CPUs, memory, NUMA alignment and huge pages of a replica."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.configuration import Configuration
from npuserve.plan.plan import HugePages
from tests.support.clusters import A2_64G, A3, DUO, a_node, cluster, unreadable
from tests.support.services import a_service, argument, planned, refused

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


def test_huge_pages_are_taken_from_nodes_that_have_them() -> None:
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "8Gi"}}}
    assert planned(a_service(QWEN, hardware=wish), A2).topology.hugepages == HugePages("2Mi", 8 * GIB)


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


def test_cards_without_huge_pages_say_so() -> None:
    wish = {"topology": {"hugepages": {"size": "2Mi", "amount": "1Gi"}}}
    assert "the nodes offer none" in refused(a_service("pvc://w/Qwen/Qwen3-8B", hardware=wish), cluster(DUO)).message


def test_pages_are_whole_even_where_nodes_cannot_be_read() -> None:
    wish = {"product": "Atlas 800I A2 64G", "topology": {"hugepages": {"size": "2Mi", "amount": "3Mi"}}}
    assert refused(a_service(QWEN, hardware=wish), unreadable()).reason is Reason.UNSUPPORTED_TOPOLOGY


def test_where_hosts_are_unknown_the_defaults_stand() -> None:
    host = planned(a_service(QWEN, hardware={"product": "Atlas 800I A2 64G"}), unreadable()).topology
    assert (host.cpus, host.memory) == ("10", "20Gi")
