"""Which number of replicas the Deployment is to have."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.reconcile.replicas import replicas_for
from npuserve.reconcile.rivals import Rival, foremost, rival_of
from tests.support.plans import a_spec

LIVE = {"spec": {"replicas": 5}}
ON_SERVICE = Rival("ml", "theirs", "service", "chat")
ON_DEPLOYMENT = Rival("ml", "theirs", "deployment", "chat")


def number(
    live: dict[str, Any] | None = LIVE, *, decided: int | None = None, rival: Rival | None = None, **spec: Any
) -> int:
    return replicas_for(a_spec(**spec), live, decided=decided, rival=rival)


def limits(mode: str = "active", **more: Any) -> dict[str, Any]:
    return {"mode": mode, "minReplicas": 2, "maxReplicas": 4, **more}


@pytest.mark.parametrize("autoscaling", [None, limits("external"), limits("observe")])
def test_the_spec_is_the_number_where_nobody_else_is_to_decide(autoscaling: dict[str, Any] | None) -> None:
    assert number(decided=2, replicas=3, autoscaling=autoscaling) == 3


@pytest.mark.parametrize("mode", ["external", "observe"])
def test_replicas_that_drain_count_until_they_are_gone(mode: str) -> None:
    assert number(decided=4, replicas=3, autoscaling=limits(mode)) == 4
    assert number(replicas=3, autoscaling=limits(mode)) == 5


def test_without_autoscaling_nothing_waits() -> None:
    assert number(decided=4, replicas=3) == 3


def test_active_autoscaling_is_the_number_whatever_the_spec_says() -> None:
    assert number(decided=3, replicas=1, autoscaling=limits()) == 3


def test_before_the_first_decision_what_runs_goes_on() -> None:
    assert number(autoscaling=limits(), replicas=1) == 5


@pytest.mark.parametrize(("replicas", "expected"), [(1, 2), (3, 3), (9, 4)])
def test_a_new_service_begins_with_what_it_asks_for_within_its_limits(replicas: int, expected: int) -> None:
    assert number(None, autoscaling=limits(), replicas=replicas) == expected


@pytest.mark.parametrize("autoscaling", [None, limits(), limits("external")])
def test_the_number_that_another_scaler_gave_the_deployment_stands(autoscaling: dict[str, Any] | None) -> None:
    assert number(decided=3, replicas=1, autoscaling=autoscaling, rival=ON_DEPLOYMENT) == 5


def test_another_scaler_of_the_service_changes_nothing_about_who_decides() -> None:
    assert number(decided=3, replicas=9, autoscaling=limits(), rival=ON_SERVICE) == 3
    assert number(decided=3, replicas=9, autoscaling=limits("external"), rival=ON_SERVICE) == 9


@pytest.mark.parametrize(
    ("api", "kind", "expected"),
    [
        ("npuserve.io/v1alpha1", "InferenceService", "service"),
        ("apps/v1", "Deployment", "deployment"),
        ("serving.kserve.io/v1beta1", "InferenceService", None),
        ("apps/v1", "StatefulSet", None),
    ],
)
def test_a_scaler_is_known_by_what_it_scales(api: str, kind: str, expected: str | None) -> None:
    target = {"apiVersion": api, "kind": kind, "name": "chat"}
    found = rival_of({"metadata": {"name": "theirs", "namespace": "ml"}, "spec": {"scaleTargetRef": target}})
    assert (found.scales if found else None) == expected


def test_of_several_scalers_the_one_on_the_deployment_is_told() -> None:
    assert foremost([ON_SERVICE, ON_DEPLOYMENT]) == ON_DEPLOYMENT
    assert foremost([]) is None
