from collections.abc import Mapping
from typing import Any

import pytest

from npuserve.autoscale.load import ReplicaLoad
from npuserve.reconcile.drain import DONE_COST, LEAVING_COST, SETTLE_SECONDS, Drain, plan_drain
from npuserve.reconcile.pods import ReplicaPod
from tests.support.replicas import a_load, a_replica, marked

NOW, LIMIT = 10_000.0, 120.0


def plan(pods: list[ReplicaPod], target: int, **changes: Any) -> Drain:
    """The next step; every replica can be read and has two requests unless `loads` says otherwise."""
    loads: Mapping[str, ReplicaLoad | None] = {pod.uid: a_load(2) for pod in pods} | changes.pop("loads", {})
    given: dict[str, Any] = {"current": len(pods), "now": NOW, "limit": LIMIT, **changes}
    return plan_drain(pods, target=target, loads=loads, **given)


def leaving(name: str, seconds: float, **changes: Any) -> ReplicaPod:
    given: dict[str, Any] = {"deletion_cost": LEAVING_COST, **changes}
    return a_replica(name, serving=False, draining_since=NOW - seconds, **given)


def shown(drain: Drain) -> dict[str, tuple[float | None, int | None]]:
    """What each marked pod is to show: since when it is out, and its cost."""
    return {mark.name: (mark.since, mark.cost) for mark in drain.marks}


A, B, C = a_replica("a"), a_replica("b"), a_replica("c")


def test_as_many_replicas_as_asked_for_are_left_alone() -> None:
    assert plan([A, B], 2) == Drain(2)


def test_the_replica_with_the_least_requests_leaves_and_stays_a_replica() -> None:
    drain = plan([A, B, C], 2, loads={"uid-a": a_load(4), "uid-b": a_load(1), "uid-c": a_load(3)})
    assert (drain.replicas, drain.leaving, drain.waits_for) == (3, 1, "requests are being finished")
    assert shown(drain) == {"b": (NOW, LEAVING_COST)}


def test_of_equally_busy_replicas_the_one_with_the_least_in_its_cache_leaves_then_the_youngest() -> None:
    loads = {"uid-a": a_load(1, cached=9.0), "uid-b": a_load(1, cached=8.0), "uid-c": a_load(1, cached=9.0)}
    assert list(shown(plan([A, B, C], 2, loads=loads))) == ["b"]
    assert list(shown(plan([A, a_replica("b", created=2_000.0), C], 2))) == ["b"]


def test_a_deletion_cost_that_someone_set_decides_who_leaves() -> None:
    cheap = a_replica("b", deletion_cost=-5)
    assert list(shown(plan([A, cheap, C], 2, loads={"uid-b": a_load(90)}))) == ["b"]


def test_nobody_leaves_while_a_load_is_missing() -> None:
    for missing in ({"uid-b": None}, {"uid-a": None, "uid-b": None}):
        drain = plan([A, B, C], 2, loads=missing)
        assert (drain.replicas, drain.marks) == (3, ())
        assert drain.waits_for == f"the load of {len(missing)} of 3 replicas is unknown"


def test_replicas_that_do_not_serve_yet_go_at_once_and_no_other_leaves_with_them() -> None:
    starting = a_replica("d", ready_since=None)
    assert plan([A, B, C, starting], 2) == Drain(3)
    assert plan([A, B, C], 2, current=4) == Drain(3)


def test_nothing_changes_while_one_replica_starts_and_a_leaving_one_would_go_in_its_place() -> None:
    drain = plan([A, B, a_replica("c", ready_since=None), leaving("d", 60, ready_since=None)], 2)
    assert (drain.replicas, drain.marks, drain.waits_for) == (4, (), "another replica is starting")


def test_nobody_leaves_during_a_rollout_and_the_number_stays() -> None:
    newer = a_replica("d", template="77aa")
    assert plan([A, B, newer], 1) == Drain(3, waits_for="replicas are being replaced")
    empty = leaving("c", 60, deletion_cost=DONE_COST)
    assert plan([A, empty, newer], 1, loads={"uid-c": a_load(0)}).replicas == 3


def test_a_leaving_replica_is_done_when_it_is_empty_for_long_enough() -> None:
    empty = {"uid-c": a_load(0)}
    assert plan([A, B, leaving("c", SETTLE_SECONDS - 1)], 2, loads=empty).marks == ()
    drain = plan([A, B, leaving("c", SETTLE_SECONDS)], 2, loads=empty)
    assert shown(drain) == {"c": (NOW - SETTLE_SECONDS, DONE_COST)}
    assert drain.replicas == 3


@pytest.mark.parametrize("load", [a_load(1), ReplicaLoad(0, 1, 0.0), None])
def test_a_leaving_replica_with_requests_or_an_unknown_load_is_done_when_its_time_is_up(
    load: ReplicaLoad | None,
) -> None:
    assert plan([A, B, leaving("c", LIMIT - 1)], 2, loads={"uid-c": load}).marks == ()
    assert shown(plan([A, B, leaving("c", LIMIT)], 2, loads={"uid-c": load})) == {"c": (NOW - LIMIT, DONE_COST)}


def test_the_number_goes_down_by_the_done_replicas_that_were_seen_with_their_cost() -> None:
    seen, busy = leaving("c", 60, deletion_cost=DONE_COST), leaving("d", 60)
    drain = plan([A, B, seen, busy], 2, loads={"uid-c": a_load(0)})
    assert (drain.replicas, drain.marks, drain.leaving) == (3, (), 2)


def test_the_number_does_not_go_down_twice_for_one_replica() -> None:
    seen = leaving("c", 60, deletion_cost=DONE_COST)
    assert plan([A, B, seen], 1, current=2, loads={"uid-c": a_load(0)}).replicas == 2


def test_a_request_on_a_kept_connection_makes_a_done_replica_wait_again() -> None:
    drain = plan([A, B, leaving("c", 60, deletion_cost=DONE_COST)], 2, loads={"uid-c": a_load(1)})
    assert shown(drain) == {"c": (NOW - 60, LEAVING_COST)}
    assert drain.replicas == 3


def test_the_number_stays_while_the_replica_set_would_take_another_one() -> None:
    seen = leaving("c", 60, deletion_cost=DONE_COST)
    sick = leaving("d", 60, ready_since=None)
    assert plan([A, B, seen, sick], 2, loads={"uid-c": a_load(0)}).replicas == 4
    as_cheap = a_replica("b", deletion_cost=DONE_COST)
    assert plan([A, as_cheap, seen], 2, loads={"uid-c": a_load(0)}).replicas == 3


def test_leaving_replicas_that_are_asked_for_again_come_back_before_new_ones_start() -> None:
    pods = [A, leaving("b", 60), leaving("c", 60)]
    drain = plan(pods, 2, loads={"uid-b": a_load(1), "uid-c": a_load(7)})
    assert (shown(drain), drain.replicas) == ({"c": (None, None)}, 3)
    assert (len(plan(pods, 5).marks), plan(pods, 5).replicas) == (2, 5)


def test_a_leaving_replica_comes_back_where_a_serving_one_fails() -> None:
    drain = plan([A, a_replica("b", ready_since=None), leaving("c", 60)], 2)
    assert (shown(drain), drain.replicas) == ({"c": (None, None)}, 3)


def test_the_number_stays_in_the_step_that_takes_a_replica_back() -> None:
    done = [leaving(name, 60, deletion_cost=DONE_COST) for name in "bc"]
    empty = {f"uid-{name}": a_load(0) for name in "bc"}
    assert plan([A, *done], 2, loads=empty).replicas == 3


def test_a_pod_that_someone_put_back_into_the_service_serves() -> None:
    by_hand = a_replica("c", draining_since=NOW - 30, deletion_cost=LEAVING_COST)
    assert shown(plan([A, B, by_hand], 3)) == {"c": (None, None)}


def test_a_pod_that_someone_took_out_of_the_service_is_left_alone() -> None:
    aside = a_replica("c", serving=False)
    assert plan([A, B, aside], 2, loads={"uid-c": None}) == Drain(
        3, waits_for="a pod that someone took out of the Service is left alone"
    )
    assert plan([A, aside], 2).marks == ()


def test_a_pod_that_was_told_to_end_is_no_replica_any_more() -> None:
    ending = leaving("c", 60, deletion_cost=DONE_COST, ending=True)
    assert plan([A, B, ending], 2, current=2) == Drain(2)
    assert plan([A, B, a_replica("c", ending=True)], 2, current=2) == Drain(2)


def test_a_time_that_has_yet_to_come_is_corrected() -> None:
    assert shown(plan([A, leaving("b", -3600)], 1)) == {"b": (NOW, LEAVING_COST)}


def test_all_replicas_leave_for_zero() -> None:
    drain = plan([A, B], 0)
    assert (len(drain.marks), drain.replicas) == (2, 2)
    done = [leaving(name, 60, deletion_cost=DONE_COST) for name in "ab"]
    assert plan(marked(done, Drain(2)), 0, loads={"uid-a": a_load(0), "uid-b": a_load(0)}).replicas == 0
