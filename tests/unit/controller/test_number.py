"""What a pass and the autoscaler tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from npuserve.configuration import Configuration
from npuserve.controller.followed import Followed
from npuserve.controller.number import Numbers
from npuserve.controller.resources import DEPLOYMENTS
from npuserve.reconcile.rivals import Rival
from tests.unit.controller.test_loop import KEY, World

LIMITS = {"minReplicas": 1, "maxReplicas": 8}
TOLD = {"replicas": 4, "wanted": 4, "constraint": "Demand", "message": "why", "profile": "estimate"}


@dataclass
class Scaler:
    """What the autoscaler would say, set by hand, and what it was told."""

    decided: int | None = None
    said: dict[str, Any] | None = None
    leaving: bool = False
    followed: list[Followed] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def follow(self, asked: Followed) -> None:
        self.followed.append(asked)

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def go_on(self, key: str, uid: str, *, live: int) -> int | None:
        return self.decided

    def number(self, key: str, uid: str) -> int | None:
        return self.decided

    def wanted(self, key: str, uid: str) -> int | None:
        return self.decided

    def told(self, key: str, uid: str) -> dict[str, Any] | None:
        return self.said

    def leaves(self, uid: str) -> bool:
        return self.leaving


@dataclass
class Scalers:
    """Other scalers, set by hand."""

    rival: Rival | None = None

    def of(self, namespace: str, service: str) -> Rival | None:
        return self.rival


class Scaled(World):
    """A world with an autoscaler."""

    def __init__(self) -> None:
        super().__init__()
        self.scaler, self.rivals = Scaler(), Scalers()
        numbers = Numbers(Configuration(), self.scaler, self.rivals)  # type: ignore[arg-type]
        self.reconciler.numbers = numbers
        self.reconciler._numbers = numbers


@pytest.fixture
def scaled() -> Scaled:
    """A service with autoscaling and two replicas, rolled out and reported."""
    world = Scaled()
    world.apply(replicas=2, autoscaling=LIMITS)
    world.reconcile()
    world.rolled_out()
    world.reconcile()
    return world


def test_a_pass_has_the_service_followed_with_what_it_found(scaled: Scaled) -> None:
    found = scaled.scaler.followed[-1]
    assert (found.key, found.live, found.wished) == (KEY, 2, 2)
    assert (found.asked.mode, found.asked.charge, found.asked.settings.most) == ("active", "load", 8)
    assert found.asked.settings.profile.source == "estimate"


def test_a_step_writes_the_deployment_and_the_status_and_leaves_the_template(scaled: Scaled) -> None:
    before = scaled.deployment()
    scaled.scaler.decided, scaled.scaler.said = 4, TOLD
    scaled.reconcile()
    after = scaled.deployment()
    assert scaled.wrote == ["apply forced deployments qwen", "apply forced inferenceservices/status qwen"]
    assert after["spec"]["replicas"] == 4
    assert after["spec"]["template"] == before["spec"]["template"]
    assert scaled.status["autoscaling"] == TOLD
    scaled.reconcile()
    assert scaled.wrote == []


def test_the_next_step_is_an_event(scaled: Scaled) -> None:
    scaled.scaler.decided, scaled.scaler.said = 4, TOLD
    scaled.reconcile()
    scaled.scaler.decided, scaled.scaler.said = 3, {**TOLD, "replicas": 3}
    scaled.reconcile()
    assert "create events ScalingDown" in scaled.wrote


def test_a_restart_keeps_the_number_and_writes_nothing(scaled: Scaled) -> None:
    scaled.scaler.decided, scaled.scaler.said = 4, TOLD
    scaled.reconcile()
    scaled.rolled_out()
    scaled.reconcile()
    scaled.scaler.decided, scaled.scaler.said = None, None
    scaled.reconcile()
    assert scaled.wrote == []
    assert scaled.deployment()["spec"]["replicas"] == 4
    assert scaled.status["autoscaling"] == TOLD


def test_what_the_service_asks_of_the_autoscaler_replaces_no_replica(scaled: Scaled) -> None:
    before = scaled.deployment()
    scaled.apply(replicas=2, autoscaling={"minReplicas": 2, "maxReplicas": 20, "goal": "strict"})
    scaled.reconcile()
    assert scaled.deployment()["spec"] == before["spec"]
    assert scaled.scaler.followed[-1].asked.settings.share == 0.995


def test_what_runs_is_scaled_on_while_the_spec_is_refused(scaled: Scaled) -> None:
    before = scaled.deployment()
    scaled.apply(replicas=2, autoscaling=LIMITS, backend="odd")
    scaled.scaler.decided = 5
    scaled.reconcile()
    assert "merge deployments qwen" in scaled.wrote
    after = scaled.deployment()
    assert after["spec"] == {**before["spec"], "replicas": 5}
    scaled.reconcile()
    assert scaled.wrote == []
    scaled.apply(replicas=2, autoscaling=LIMITS)
    scaled.reconcile()
    assert scaled.deployment()["spec"] == after["spec"]


def test_autoscaling_that_is_taken_away_leaves_the_number_of_the_spec(scaled: Scaled) -> None:
    scaled.scaler.decided, scaled.scaler.said = 4, TOLD
    scaled.reconcile()
    scaled.apply(replicas=2)
    scaled.reconcile()
    assert scaled.scaler.forgotten[-1] == KEY
    assert scaled.deployment()["spec"]["replicas"] == 2
    assert "autoscaling" not in scaled.status


def test_replicas_that_were_leaving_when_autoscaling_was_taken_away_are_looked_after(scaled: Scaled) -> None:
    scaled.scaler.leaving = True
    scaled.apply(replicas=2)
    scaled.reconcile()
    found = scaled.scaler.followed[-1].asked
    assert (found.mode, found.charge) == ("external", "spec")
    assert "autoscaling" not in scaled.status


def test_another_scaler_on_the_deployment_is_in_charge_and_its_number_is_kept(scaled: Scaled) -> None:
    scaled.rivals.rival = Rival("team-a", "theirs", "deployment", "qwen")
    scaled.scaler.decided = 6
    scaled.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=3))
    scaled.reconcile()
    assert scaled.deployment()["spec"]["replicas"] == 3
    assert scaled.scaler.followed[-1].asked.charge == "another scaler"
    assert scaled.condition("Scaling") == ("False", "ForeignScaler")


def test_a_service_that_is_gone_is_forgotten(scaled: Scaled) -> None:
    from npuserve.controller.resources import SERVICE

    scaled.remove(SERVICE)
    scaled.reconcile(seen=False)
    assert scaled.scaler.forgotten[-1] == KEY
