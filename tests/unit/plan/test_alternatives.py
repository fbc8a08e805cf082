"""What else could run a service, and why one of the ways won."""

from __future__ import annotations

from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.plan.alternatives import Alternative, alternatives
from npuserve.plan.plan import Record
from npuserve.plan.resolve import resolve
from npuserve.plan.service import Service
from tests.support.clusters import A2_64G, A3, DUO, cluster, unreadable
from tests.support.services import DEFAULTS, a_service

A2 = cluster(A2_64G)
QWEN_32B = "pvc://w/Qwen/Qwen3-32B"


def found(
    service: Service, facts: ClusterFacts = A2, configuration: Configuration = DEFAULTS
) -> tuple[Alternative, ...]:
    outcome = resolve(service, facts, configuration, previous=None)
    return alternatives(service, facts, configuration, plan=outcome.plan if isinstance(outcome, Record) else None)


def of(items: tuple[Alternative, ...], engine: str, product: str = "Atlas 800I A2 64G") -> dict[int, Alternative]:
    """The alternatives of one engine on one product, by their devices."""
    return {
        item.parallelism.devices: item
        for item in items
        if item.parallelism is not None and item.engine == engine and item.product == product
    }


def test_the_plan_comes_first_and_is_the_only_one_that_is_chosen() -> None:
    items = found(a_service(QWEN_32B), cluster(A2_64G, A3, DUO))
    assert [item.verdict for item in items].count("chosen") == 1
    assert (items[0].verdict, items[0].engine) == ("chosen", "vllm-ascend")


def test_fewer_devices_are_too_small_and_more_are_not_needed() -> None:
    sizes = of(found(a_service(QWEN_32B)), "vllm-ascend")
    assert {count: item.verdict for count, item in sizes.items()} == {
        1: "too small", 2: "chosen", 4: "possible", 8: "possible",
    }  # fmt: skip
    assert sizes[1].why == "no room for a request of full length"
    assert sizes[8].why == "2 devices are enough"


def test_tokens_and_requests_are_those_of_a_replica_and_grow_with_it() -> None:
    sizes = of(found(a_service(QWEN_32B)), "vllm-ascend")
    tokens = [sizes[count].tokens for count in (1, 2, 4, 8)]
    assert tokens == sorted(tokens)
    assert sizes[2].full_length_requests == sizes[2].tokens // 32768


def test_room_counts_replicas_on_free_devices() -> None:
    sizes = of(found(a_service(QWEN_32B), cluster(A2_64G, used={"a2-64g": 3})), "vllm-ascend")
    assert {count: item.room for count, item in sizes.items()} == {1: 5, 2: 2, 4: 1, 8: 0}


def test_another_engine_that_could_do_it_says_that_it_comes_later() -> None:
    later = [item for item in of(found(a_service(QWEN_32B)), "mindie").values() if "preference" in item.why]
    assert [item.verdict for item in later] == ["possible"]


def test_an_engine_that_cannot_do_it_says_why_without_its_own_name() -> None:
    (refused,) = (item for item in found(a_service("modelscope://Qwen/Qwen3-32B")) if item.engine == "mindie")
    assert (refused.verdict, refused.parallelism) == ("refused", None)
    assert refused.why.startswith("it needs the weights as files")


def test_every_product_that_is_there_is_told_of() -> None:
    items = found(a_service("pvc://w/Qwen/Qwen3-8B"), cluster(A2_64G, A3))
    losers = {
        item.product: item.why for item in items if item.engine == "vllm-ascend" and item.product != items[0].product
    }
    assert set(losers) == {"Atlas 800I A3 64G"}


def test_of_a_refused_service_nothing_is_chosen_and_every_reason_is_told() -> None:
    items = found(a_service("pvc://w/Qwen/Qwen3-235B-A22B"))
    assert {item.verdict for item in items} == {"refused"}
    assert all(item.why for item in items)


def test_a_service_that_leaves_nothing_to_try_has_none() -> None:
    assert found(a_service(hardware={"product": "Atlas 800I A3 64G"})) == ()


def test_room_is_not_known_where_nodes_cannot_be_read() -> None:
    declared = unreadable(A2)
    assert {item.room for item in found(a_service(QWEN_32B), declared)} == {None}
