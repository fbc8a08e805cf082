"""How the Deployment's number gets from what it is to what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from npuserve.reconcile.course import Aim, course
from npuserve.reconcile.drain import Drain, Loads
from npuserve.reconcile.pods import ReplicaPod
from tests.support.fleets import a_pod_of, busy, starting

THREE = tuple(a_pod_of(name) for name in ("one", "two", "three"))
LOADS: Loads = {pod.uid: busy() for pod in THREE}


def steered(
    replicas: int, *, commanded: bool = False, pods: Sequence[ReplicaPod] = THREE, loads: Loads = LOADS, live: int = 3
) -> Drain:
    return course(pods, Aim(replicas, commanded), live=live, loads=loads, now=2000.0, limit=120.0)


@pytest.mark.parametrize("commanded", [True, False])
def test_up_goes_at_once(*, commanded: bool) -> None:
    assert steered(6, commanded=commanded) == Drain(6)


@pytest.mark.parametrize("commanded", [True, False])
def test_down_begins_with_leaving_the_service(*, commanded: bool) -> None:
    drain = steered(2, commanded=commanded)
    assert (drain.replicas, len(drain.marks)) == (3, 1)


def test_what_cannot_be_read_keeps_its_number_unless_people_command() -> None:
    assert steered(2, loads={}).replicas == 3
    assert steered(2, loads={}, commanded=True) == Drain(2)


def test_a_stop_waits_for_nothing_where_people_command_it() -> None:
    assert steered(0, commanded=True) == Drain(0)
    assert steered(0).replicas == 3


def test_a_replica_that_someone_took_aside_is_counted_and_not_waited_for() -> None:
    pods = (*THREE, a_pod_of("debugged", serving=False))
    assert steered(4, pods=pods, live=4).replicas == 4
    assert steered(5, pods=pods, live=4).replicas == 5
    assert len(steered(3, pods=pods, live=4).marks) == 1


def test_what_only_starts_goes_at_once() -> None:
    assert steered(3, pods=(*THREE, starting("four")), live=4) == Drain(3)


def test_a_drain_that_was_begun_is_finished_also_where_people_command() -> None:
    leaving = replace(THREE[0], serving=False, draining_since=1990.0)
    assert steered(2, pods=(leaving, *THREE[1:]), commanded=True, loads={}).replicas == 3
