"""From pods and what was read of them to the sample that is decided on."""

from __future__ import annotations

from npuserve.reconcile.sample import fleet, sample_of
from tests.support.fleets import a_pod_of, busy, starting, waiting

PODS = (
    a_pod_of("serves"),
    starting("starts"),
    waiting("waits"),
    a_pod_of("drains", serving=False, draining_since=1500.0),
    a_pod_of("ends", ending=True),
    starting("never-began", ending=True),
    a_pod_of("debugged", serving=False),
)


def test_pods_are_told_apart_by_what_they_do() -> None:
    seen = fleet(PODS)
    assert [pod.name for pod in seen.serving] == ["serves"]
    assert [pod.name for pod in seen.starting] == ["starts", "waits"]
    assert [pod.name for pod in seen.leaving] == ["drains"]
    assert {pod.name for pod in seen.ending} == {"ends", "never-began"}
    assert [pod.name for pod in seen.aside] == ["debugged"]
    assert (seen.placed, seen.waiting) == (2, 1)


def test_metrics_are_asked_of_those_that_answer() -> None:
    assert {pod.name for pod in fleet(PODS).asked} == {"serves", "drains", "ends"}


def test_the_order_in_which_pods_are_seen_changes_nothing() -> None:
    assert fleet(PODS) == fleet(tuple(reversed(PODS)))


def test_what_is_ordered_and_not_ready_is_starting_whether_its_pod_exists_or_not() -> None:
    sample = sample_of(fleet(PODS), ordered=5, time=1.0, loads={"serves": busy()}, traffic=None)
    assert (sample.replicas, sample.starting, sample.current, sample.draining) == ((busy(),), 3, 4, 3)


def test_a_replica_that_was_not_read_is_missing_and_never_idle() -> None:
    sample = sample_of(
        fleet([a_pod_of("one"), a_pod_of("two")]), ordered=2, time=1.0, loads={"one": busy()}, traffic=None
    )
    assert sample.missing == 1


def test_the_surplus_of_a_rollout_is_no_start() -> None:
    surge = fleet([a_pod_of("one"), a_pod_of("two"), starting("three", template="t-2")])
    assert sample_of(surge, ordered=2, time=1.0, loads={}, traffic=None).starting == 0
