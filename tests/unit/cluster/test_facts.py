"""What is free on a cluster, and how each flavour hands it out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.cluster.flavours import CCE, FAMILIES, FLAVOURS, HAMI, NATIVE, VOLCANO, named, of_family
from tests.support.clusters import A2_64G, a_node, cluster
from tests.support.clusters import named as called


def test_free_is_what_is_offered_less_what_is_in_use_and_never_negative() -> None:
    facts = cluster(a_node(name="a"), a_node(name="b"), used={"a": 3, "b": 9})
    assert [facts.free(node) for node in facts.nodes] == [5, 0]


def test_nothing_is_free_on_a_cordoned_node() -> None:
    facts = cluster(a_node(unschedulable=True))
    assert facts.free(facts.nodes[0]) == 0


def test_room_counts_whole_replicas_node_by_node() -> None:
    facts = cluster(a_node(name="a"), a_node(name="b"), used={"a": 1, "b": 5})
    assert [facts.room(facts.nodes, devices=devices) for devices in (1, 3, 4, 8)] == [10, 3, 1, 0]


def test_facts_made_from_others_remember_none_of_their_answers() -> None:
    facts = cluster(A2_64G)
    facts.memo["asked"] = "answered"
    assert replace(facts, nodes=()).memo == {}


def test_equal_facts_are_equal_whatever_they_remember() -> None:
    one, other = cluster(A2_64G), cluster(A2_64G)
    one.memo["asked"] = "answered"
    assert one == other


def test_a_node_carries_a_selector_when_every_label_has_that_value() -> None:
    (node,) = cluster(called(a_node(labels={"zone": "a", "pool": "b"}), "n")).nodes
    assert node.carries({"zone": "a"})
    assert node.carries({})
    assert not node.carries({"zone": "a", "rack": "1"})


@pytest.mark.parametrize(
    ("family", "configured", "flavour"),
    [
        ("mindcluster", "auto", NATIVE),
        ("mindcluster", "mindcluster-volcano", VOLCANO),
        ("mindcluster", "hami", NATIVE),
        ("hami", "auto", HAMI),
        ("hami", "mindcluster-volcano", HAMI),
        ("cce", "auto", CCE),
    ],
)
def test_volcano_is_taken_when_configured_and_the_others_follow_from_the_resource(
    family: str, configured: str, flavour: object
) -> None:
    assert of_family(family, configured) is flavour


def test_every_flavour_is_of_a_known_family_and_found_by_its_name() -> None:
    assert {row.family for row in FLAVOURS} == set(FAMILIES)
    assert all(named(row.name) is row for row in FLAVOURS)
    assert named("auto") is None
