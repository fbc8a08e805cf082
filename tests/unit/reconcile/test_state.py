"""Where a Deployment stands, and whether the way it is replaced is decided."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.plan.plan import Rollout
from npuserve.reconcile.compare import stamped
from npuserve.reconcile.rollout import kept_rollout, rollout_for
from npuserve.reconcile.state import roll_state
from npuserve.render.labels import ROLLOUT
from tests.support.plans import RECREATE, SURGE, a_pod, a_spec, as_stored, deployment_status, objects


def live(replicas: int = 1, /, **status: Any) -> dict[str, Any]:
    return as_stored(stamped(objects(spec=a_spec(replicas=replicas))["Deployment"]), **status)


def test_a_deployment_without_status_has_nothing_yet() -> None:
    state = roll_state(live())
    assert (state.desired, state.total, state.available) == (1, 0, 0)
    assert not state.complete
    assert not state.settled
    assert not state.observed


def test_complete_means_every_replica_is_new_and_available() -> None:
    assert roll_state(live(2, **deployment_status(total=2, updated=2, available=2))).complete


@pytest.mark.parametrize(
    "counts",
    [
        {"total": 2, "updated": 2, "available": 1},
        {"total": 2, "updated": 1, "available": 2},
        {"total": 3, "updated": 2, "available": 3},
        {"total": 1, "updated": 1, "available": 1},
        {"total": 2, "updated": 2, "available": 2, "observed": 2},
    ],
)
def test_anything_less_is_not_complete(counts: dict[str, Any]) -> None:
    assert not roll_state(live(2, **deployment_status(**counts))).complete


def test_a_finished_rollout_stays_settled_when_a_replica_is_lost_or_added() -> None:
    assert roll_state(live(3, **deployment_status(total=3, updated=3, available=1))).settled
    assert not roll_state(
        live(3, **deployment_status(total=3, updated=3, available=1, progressing="ReplicaSetUpdated"))
    ).settled
    assert not roll_state(live(3, **deployment_status(total=3, updated=2, available=3))).settled
    assert not roll_state(live(3, **deployment_status(total=3, updated=3, available=3, observed=2))).settled


def test_zero_replicas_are_complete() -> None:
    assert roll_state(live(0, observedGeneration=3)).complete


def test_the_clusters_refusal_of_a_pod_is_kept_in_its_own_words() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: compute"}
    assert roll_state(live(conditions=[failure])).replica_failure == "exceeded quota: compute"
    assert roll_state(live(conditions=[{**failure, "status": "False"}])).replica_failure == ""


def test_an_exceeded_deadline_is_seen() -> None:
    assert roll_state(live(**deployment_status(progressing="ProgressDeadlineExceeded"))).deadline_exceeded
    assert not roll_state(live(**deployment_status())).deadline_exceeded


@pytest.mark.parametrize("rollout", [SURGE, RECREATE])
def test_the_decision_is_kept_while_the_template_is_the_same(rollout: Any) -> None:
    running = as_stored(stamped(objects(rollout=rollout)["Deployment"]))
    assert kept_rollout(running, a_pod()) == rollout


def test_the_decision_is_kept_when_only_the_number_of_replicas_changes() -> None:
    assert kept_rollout(live(1), a_pod(spec=a_spec(replicas=5))) == SURGE


def test_another_template_is_decided_afresh() -> None:
    assert kept_rollout(live(), a_pod(spec=a_spec(template={"labels": {"team": "search"}}))) is None


def test_a_template_that_only_loses_something_is_decided_afresh() -> None:
    running = as_stored(stamped(objects(spec=a_spec(template={"labels": {"team": "search"}}))["Deployment"]))
    assert kept_rollout(running, a_pod()) is None


def test_a_template_changed_by_hand_is_decided_afresh() -> None:
    running = live()
    running["spec"]["template"] = {**running["spec"]["template"], "metadata": {}}
    assert kept_rollout(running, a_pod()) is None


def test_a_strategy_changed_by_hand_is_not_taken_for_the_decision() -> None:
    running = live()
    running["spec"]["strategy"] = {"type": "Recreate"}
    assert kept_rollout(running, a_pod()) == SURGE


def test_without_a_deployment_or_a_note_nothing_is_decided() -> None:
    running = live()
    del running["metadata"]["annotations"][ROLLOUT]
    assert kept_rollout(None, a_pod()) is None
    assert kept_rollout(running, a_pod()) is None


def never() -> Rollout:
    raise AssertionError("nothing is to be decided")


def test_nothing_is_decided_while_the_template_stays() -> None:
    assert rollout_for(live(), a_pod(), decide=never) == SURGE


def test_a_first_and_a_changed_template_are_decided() -> None:
    changed = a_pod(spec=a_spec(template={"labels": {"team": "search"}}))
    assert rollout_for(None, a_pod(), decide=lambda: RECREATE) == RECREATE
    assert rollout_for(live(), changed, decide=lambda: RECREATE) == RECREATE


def test_sizes_that_someone_else_set_are_forced_because_recreate_cannot_replace_them() -> None:
    running = as_stored(stamped(objects(rollout=RECREATE)["Deployment"]))
    running["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 0}}
    forced = rollout_for(running, a_pod(), decide=never)
    assert (forced.surge, forced.unavailable, forced.recreate) == (0, 1, False)
    settled = as_stored(stamped(objects(rollout=forced)["Deployment"]))
    assert rollout_for(settled, a_pod(), decide=never) == forced
