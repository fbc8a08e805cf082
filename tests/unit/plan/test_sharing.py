"""How many replicas each of several services may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from npuserve.cluster.quotas import Left, Quota
from npuserve.plan.sharing import Claim, rooms
from tests.support.clusters import A2_64G, cluster, named, unreadable
from tests.support.plans import a_plan

A2 = cluster(named(A2_64G, "one"), named(A2_64G, "two"))
"""Sixteen devices; replicas of the plan take four."""
PLAN = a_plan()


def claim(key: str, *, present: int = 0, wanted: int = 0, **more: Any) -> Claim:
    fields = {"namespace": "ml", "plan": PLAN, "priority": 0, "priority_class": "", "waiting": 0, **more}
    return Claim(key=key, present=present, wanted=max(wanted, present), **fields)


def shared(*claims: Claim, used: dict[str, int] | None = None, quotas: tuple[Quota, ...] = ()) -> dict[str, int]:
    facts = cluster(named(A2_64G, "one"), named(A2_64G, "two"), used=used)
    return {key: room.replicas for key, room in rooms(claims, facts, quotas).items() if room is not None}


def npus(left: int, *, namespace: str = "ml", hard: int = 16) -> Quota:
    return Quota(namespace, "npus", (Left("huawei.com/Ascend910", hard, left),))


def test_what_is_free_is_open_to_a_service_besides_what_it_has() -> None:
    assert shared(claim("a", present=2, wanted=2), used={"one": 8}) == {"a": 4}


def test_what_is_free_in_pieces_holds_no_replica() -> None:
    assert shared(claim("a", present=1), used={"one": 5, "two": 5}) == {"a": 1}


def test_of_two_that_want_the_same_the_higher_priority_gets_all_it_wants_first() -> None:
    assert shared(claim("a", wanted=3), claim("b", wanted=3, priority=10)) == {"a": 1, "b": 3}


def test_equals_share_by_what_they_want() -> None:
    assert shared(claim("a", wanted=3), claim("b", wanted=3)) == {"a": 2, "b": 2}
    assert shared(claim("a", present=3, wanted=4), claim("b", wanted=4), used={"one": 8}) == {"a": 3, "b": 2}


def test_the_order_in_which_services_come_changes_nothing() -> None:
    claims = [claim("a", wanted=3), claim("b", wanted=2, priority=1), claim("c", wanted=4)]
    assert shared(*claims) == shared(*reversed(claims))


def test_replicas_that_wait_for_a_node_are_as_good_as_there() -> None:
    assert shared(claim("a", present=2, waiting=2), claim("b", wanted=4), used={"one": 4}) == {"a": 2, "b": 1}


def test_a_quota_is_capacity_too_and_shared_in_its_namespace() -> None:
    both = (claim("a", wanted=4), claim("b", wanted=4, namespace="other"))
    assert shared(*both, quotas=(npus(4),))["a"] == 1
    assert shared(claim("a", wanted=4), claim("b", wanted=4), quotas=(npus(8),)) == {"a": 1, "b": 1}


def test_what_is_ordered_and_not_yet_there_is_taken_from_quotas_too() -> None:
    asked = claim("a", present=2, waiting=1, coming=1, wanted=4)
    assert shared(asked, quotas=(npus(8),)) == {"a": 3}
    assert shared(replace(asked, coming=0), quotas=(npus(8),)) == {"a": 4}


def test_what_limits_it_is_told_by_name() -> None:
    asked = claim("a", present=2, wanted=6, waiting=1)
    by_nodes = rooms([asked], cluster(named(A2_64G, "one"), used={"one": 4}), ())["a"]
    assert by_nodes is not None
    assert by_nodes.what == "Atlas 800I A2 64G: 4 of 8 devices free; 1 of its pods wait for a node"
    by_quota = rooms([asked], A2, (npus(0),))["a"]
    assert by_quota is not None
    assert (by_quota.replicas, by_quota.what) == (2, "ResourceQuota npus: 0 of 16 huawei.com/Ascend910 left")


def test_who_gets_less_than_it_wants_hears_who_goes_first() -> None:
    high = claim("ml/urgent", present=1, wanted=3, priority=1000)
    low = claim("ml/batch", present=1, wanted=3, priority=-5)
    found = rooms([low, high], cluster(named(A2_64G, "one"), used={"one": 8}), ())["ml/batch"]
    assert found is not None
    assert found.what == "Atlas 800I A2 64G: 0 of 8 devices free; first goes ml/urgent (priority 1000)"
    (by_quota,) = [rooms([low, high], A2, (npus(0),))[key] for key in ("ml/batch",)]
    assert by_quota is not None
    assert by_quota.what.endswith("left; first goes ml/urgent (priority 1000)")
    others = [claim(f"ml/{name}", present=1, priority=7) for name in "abcd"]
    crowd = rooms([low, *others], cluster(named(A2_64G, "one"), used={"one": 8}), ())["ml/batch"]
    assert crowd is not None
    assert crowd.what.endswith("; first go ml/a (priority 7), ml/b (priority 7) and 2 more")


def test_who_gets_what_it_wants_and_who_is_elsewhere_hears_of_nobody() -> None:
    high = claim("ml/urgent", present=1, wanted=1, priority=1000)
    for low, quotas in (
        (claim("ml/batch", present=1, wanted=2), ()),
        (claim("web/chat", namespace="web", wanted=9), (npus(0, namespace="web"),)),
    ):
        found = rooms([low, high], A2, quotas)[low.key]
        assert found is not None
        assert "first" not in found.what


@pytest.mark.parametrize("quotas", [(), (npus(4, namespace="other"),)])
def test_where_nodes_cannot_be_read_only_quotas_limit(quotas: tuple[Quota, ...]) -> None:
    assert rooms([claim("a", wanted=9)], unreadable(), quotas) == {"a": None}
    limited = rooms([claim("a", present=1, wanted=9)], unreadable(), (npus(8),))["a"]
    assert limited is not None
    assert limited.replicas == 3
