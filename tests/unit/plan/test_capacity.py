"""Which services fit at the same time, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.plan.capacity import Capacity, capacity_of
from npuserve.plan.plan import Plan, Refusal
from npuserve.plan.service import Service
from tests.support.clusters import A2_64G, A3, DUO, HAMI, cluster, named
from tests.support.services import DEFAULTS, a_service

TWO_A2 = cluster(named(A2_64G, "one"), named(A2_64G, "two"))


@dataclass(frozen=True)
class Asked:
    name: str
    service: Service | Refusal
    namespace: str = "team-a"


def found(facts: ClusterFacts, *services: Service | Refusal) -> Capacity:
    return capacity_of([Asked(f"s{number}", service) for number, service in enumerate(services)], facts, DEFAULTS)


def of_size(devices: int, **spec: Any) -> Service:
    return a_service("pvc://w/Qwen/Qwen3-32B", hardware={"devices": devices}, **spec)


def placed(capacity: Capacity) -> list[int]:
    return [item.placed for item in capacity.placements]


def test_services_that_fit_take_their_devices_and_leave_the_rest() -> None:
    capacity = found(TWO_A2, of_size(4, replicas=2), of_size(2))
    (left,) = capacity.left
    assert (capacity.fits, placed(capacity)) == (True, [2, 1])
    assert (left.nodes, left.devices, left.used, left.taken, left.free) == (2, 16, 0, 10, 6)


def test_small_replicas_fill_a_node_before_they_open_another() -> None:
    (left,) = found(TWO_A2, of_size(2, replicas=3)).left
    assert left.largest == 8
    assert found(TWO_A2, of_size(2, replicas=3), of_size(8)).fits


def test_free_devices_in_pieces_hold_no_replica_that_needs_them_on_one_node() -> None:
    capacity = found(cluster(named(A2_64G, "one"), named(A2_64G, "two"), used={"one": 5, "two": 5}), of_size(4))
    assert (capacity.fits, placed(capacity), capacity.left[0].largest) == (False, [0], 3)


def test_replicas_are_placed_as_far_as_there_is_room() -> None:
    capacity = found(TWO_A2, of_size(4, replicas=7))
    assert (capacity.placements[0].replicas, placed(capacity), capacity.left[0].free) == (7, [4], 0)


def test_those_named_first_are_placed_first() -> None:
    assert placed(found(TWO_A2, of_size(8, replicas=2), of_size(2))) == [2, 0]
    assert placed(found(TWO_A2, of_size(2), of_size(8, replicas=2))) == [1, 1]


def test_a_service_goes_to_the_product_that_is_free_when_its_first_choice_is_taken() -> None:
    facts = cluster(A2_64G, A3)
    capacity = found(facts, of_size(8), of_size(8))
    products = [item.outcome.product for item in capacity.placements if isinstance(item.outcome, Plan)]
    assert capacity.fits
    assert sorted(products) == ["Atlas 800I A2 64G", "Atlas 800I A3 64G"]


def test_devices_in_use_before_are_not_given_again() -> None:
    (left,) = found(cluster(A2_64G, used={"a2-64g": 6}), of_size(2)).left
    assert (left.used, left.taken, left.free) == (6, 2, 0)


def test_a_service_that_cannot_be_planned_is_named_with_its_refusal_and_takes_nothing() -> None:
    refusal = Refusal(Reason.INVALID_SPEC, "spec.replicas", "replicas is -1; use 0 or more")
    capacity = found(TWO_A2, refusal, of_size(3, backend="vllm"))
    assert not capacity.fits
    assert capacity.placements[0].outcome is refusal
    assert isinstance(capacity.placements[1].outcome, Refusal)
    assert capacity.left[0].taken == 0


def test_a_service_without_replicas_fits_anywhere() -> None:
    assert found(cluster(A2_64G, used={"a2-64g": 8}), of_size(8, replicas=0)).fits


def test_parts_of_a_device_share_it() -> None:
    small = a_service("pvc://w/Qwen/Qwen3-0.6B", hardware={"memory": "16Gi"}, replicas=4)
    capacity = found(cluster(HAMI), small)
    (left,) = capacity.left
    assert (capacity.fits, left.taken) == (True, 1)


@pytest.mark.parametrize("node", [A2_64G, A3, DUO], ids=["a2", "a3", "duo"])
def test_what_is_taken_and_free_adds_up_to_what_is_there(node: dict[str, Any]) -> None:
    (left,) = found(cluster(node), a_service(replicas=3)).left
    assert left.used + left.taken + left.free == left.devices
