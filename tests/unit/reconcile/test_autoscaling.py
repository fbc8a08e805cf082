"""What is said of the autoscaler's decisions, and what is not said twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.autoscale.decision import Constraint, Decision
from npuserve.reconcile.autoscaling import (
    BRIEF_SECONDS,
    EVERYDAY_SECONDS,
    Scaling,
    Told,
    scaling_events,
    scaling_statement,
    tell,
)
from npuserve.reconcile.rivals import Rival

ON_SERVICE = Rival("ml", "theirs", "service", "chat")
ON_DEPLOYMENT = Rival("ml", "theirs", "deployment", "chat")


def decision(replicas: int = 3, constraint: Constraint = "Demand", **more: Any) -> Decision:
    return Decision(replicas, **{"wanted": replicas, "constraint": constraint, "reason": f"{constraint}.", **more})


def told(*decisions: tuple[float, Decision], earlier: Told | None = None) -> Told:
    for now, taken in decisions:
        earlier = tell(earlier, taken, mode="active", ordered=True, now=now)
    assert earlier is not None
    return earlier


def shown(found: Told) -> tuple[int, str]:
    return found.status["replicas"], found.status["constraint"]


FIRST = told((0, decision()))


def test_another_number_is_said_at_once() -> None:
    assert shown(told((5, decision(4)), earlier=FIRST)) == (4, "Demand")


def test_the_same_again_is_not_said() -> None:
    again = told((5, decision(reason="other words", wanted=9)), earlier=FIRST)
    assert again is FIRST


def test_an_everyday_constraint_is_said_when_it_has_stood_for_a_while() -> None:
    holding = decision(constraint="Holding")
    briefly = told((5, holding), (EVERYDAY_SECONDS, holding), earlier=FIRST)
    assert briefly.status is FIRST.status
    assert shown(told((5 + EVERYDAY_SECONDS, holding), earlier=briefly)) == (3, "Holding")


def test_a_constraint_that_comes_and_goes_is_never_said() -> None:
    looks = [(at, decision(constraint="Holding" if at % 20 else "Demand")) for at in range(0, 3600, 5)]
    assert told(*looks, earlier=FIRST).status is FIRST.status


@pytest.mark.parametrize("trouble", ["MetricsMissing", "Capacity"])
def test_a_trouble_is_said_soon_and_its_end_too(trouble: Constraint) -> None:
    bad = decision(constraint=trouble)
    then = told((5, bad), (5 + BRIEF_SECONDS, bad), earlier=FIRST)
    assert shown(then) == (3, trouble)
    assert shown(told((60, decision()), (60 + BRIEF_SECONDS, decision()), earlier=then)) == (3, "Demand")


def test_the_end_of_a_beginning_is_said_soon() -> None:
    learning = told((0, decision(constraint="Learning")))
    then = told((5, decision()), (5 + BRIEF_SECONDS, decision()), earlier=learning)
    assert shown(then) == (3, "Demand")


def test_what_comes_and_goes_for_ever_is_said_less_and_less_often() -> None:
    """Each of two constraints stands long enough to be said, were it not that it never ends."""
    found, said = FIRST, []
    for at in range(0, 4 * 3600, 5):
        constraint: Constraint = "Capacity" if at // 120 % 2 else "Demand"
        after = told((at, decision(constraint=constraint)), earlier=found)
        if after.status is not found.status:
            said.append(at)
        found = after
    assert 2 <= len(said) < 20
    assert said[1] - said[0] == 120


def test_after_an_hour_of_rest_a_trouble_is_said_soon_again() -> None:
    restless = Told(FIRST.status, waited=tuple(range(0, 600, 100)))
    bad = decision(constraint="Capacity")
    assert shown(told((700, bad), (700 + BRIEF_SECONDS, bad), earlier=restless)) == (3, "Demand")
    assert shown(told((5000, bad), (5000 + BRIEF_SECONDS, bad), earlier=restless)) == (3, "Capacity")


def test_a_number_that_is_only_thought_is_said_when_it_has_stood_for_a_while() -> None:
    found = FIRST
    for at in range(0, 3600, 5):
        found = tell(found, decision(2 if at % 10 else 3), mode="observe", ordered=False, now=at)
    assert found.status is FIRST.status
    for at in (4000, 4000 + BRIEF_SECONDS):
        found = tell(found, decision(2), mode="observe", ordered=False, now=at)
    assert shown(found) == (2, "Demand")


def test_what_happens_next_is_told_as_a_time_of_day() -> None:
    found = told((3600.0, decision(constraint="Holding", next_change=90.0)))
    assert found.status["message"] == "Holding.; none goes before 01:01:30 UTC"


def test_a_wish_for_more_that_has_to_last_says_when_a_replica_may_come() -> None:
    found = told((3600.0, replace(decision(constraint="Holding", next_change=25.0), wanted=4)))
    assert found.status["message"] == "Holding.; none comes before 01:00:25 UTC"


def test_observing_says_what_it_would_do() -> None:
    found = tell(None, decision(), mode="observe", ordered=False, now=0)
    assert found.status["message"].startswith("would have 3: ")


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        (Scaling(), None),
        (Scaling("active"), ("True", Reason.FOLLOWS_LOAD)),
        (Scaling("observe"), ("True", Reason.OBSERVING)),
        (Scaling("external", rival=ON_SERVICE), ("True", Reason.EXTERNALLY_SCALED)),
        (Scaling("external", rival=ON_DEPLOYMENT), ("False", Reason.FOREIGN_SCALER)),
        (Scaling("active", rival=ON_SERVICE), ("False", Reason.FOREIGN_SCALER)),
        (Scaling(None, rival=ON_SERVICE), ("False", Reason.FOREIGN_SCALER)),
        (Scaling("active", told={"constraint": "Capacity"}), ("False", Reason.CAPACITY_LIMITED)),
        (Scaling("observe", told={"constraint": "MetricsMissing"}), ("False", Reason.METRICS_MISSING)),
        (Scaling("active", told={"constraint": "Holding"}), ("True", Reason.FOLLOWS_LOAD)),
    ],
)
def test_the_condition_says_whether_the_number_is_what_was_asked_for(
    scaling: Scaling, expected: tuple[str, Reason] | None
) -> None:
    found = [(item.status, item.reason) for item in scaling_statement(scaling)]
    assert found == ([] if expected is None else [expected])


def events(before: int | None, now: int | None, *, mode: Any = "active", **conditions: Any) -> list[tuple[str, str]]:
    scaling = Scaling(mode, told=None if now is None else {"replicas": now, "message": "why"})
    earlier = None if before is None else {"replicas": before}
    was, present = conditions.get("was", {}), conditions.get("present", {})
    return [(item.reason, item.message) for item in scaling_events(earlier, scaling, was=was, present=present)]


def test_a_step_is_an_event_with_its_reason() -> None:
    assert events(2, 4) == [("ScalingUp", "from 2 to 4 replicas: why")]
    assert events(4, 3) == [("ScalingDown", "from 4 to 3 replicas: why")]
    assert events(3, 3) == events(None, 3) == events(3, None) == events(2, 4, mode="observe") == []


def test_what_keeps_the_number_from_what_is_asked_for_is_told_once() -> None:
    limited = {"status": "False", "reason": "CapacityLimited", "message": "wants 6, room for 4"}
    assert events(3, 3, present=limited) == [("CapacityLimited", "wants 6, room for 4")]
    assert events(3, 3, was=limited, present={**limited, "message": "wants 7, room for 4"}) == []
