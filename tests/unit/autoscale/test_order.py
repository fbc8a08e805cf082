"""From a decision to the number that is ordered."""

from __future__ import annotations

import pytest

from npuserve.autoscale.decision import Constraint, Decision
from npuserve.autoscale.order import order


def ordered(
    before: int,
    decided: int,
    *,
    current: int,
    wanted: int | None = None,
    constraint: Constraint = "Demand",
    starting: int = 0,
    starts: int | None = None,
) -> int:
    decision = Decision(decided, decided if wanted is None else wanted, constraint, "")
    return order(before, decision, current=current, starting=starting, starts=starts)


@pytest.mark.parametrize(("decided", "expected"), [(2, 2), (4, 4), (7, 7)])
def test_the_order_is_the_decision(decided: int, expected: int) -> None:
    assert ordered(4, decided, current=4) == expected


@pytest.mark.parametrize(("decided", "expected"), [(5, 4), (4, 4), (3, 3)])
def test_the_surplus_of_a_rollout_is_never_ordered_by_staying_as_it_is(decided: int, expected: int) -> None:
    assert ordered(4, decided, current=5, wanted=2, constraint="Holding") == expected


@pytest.mark.parametrize("blind", ["MetricsMissing", "Learning"])
def test_nor_is_it_where_nothing_is_known_of_the_load(blind: Constraint) -> None:
    assert ordered(4, 5, current=5, constraint=blind) == 4


def test_a_decision_to_go_down_orders_no_more_than_the_load_asks_for() -> None:
    assert ordered(2, 4, current=5, wanted=1) == 2


@pytest.mark.parametrize(("decided", "wanted"), [(5, 5), (5, 8), (4, 4)])
def test_an_order_that_was_lowered_is_raised_again_while_the_replicas_still_serve(decided: int, wanted: int) -> None:
    """Else the load that came back would first lose what it needs."""
    assert ordered(3, decided, current=5, wanted=wanted) == decided


@pytest.mark.parametrize("floor", ["MinReplicas", "Schedule"])
def test_a_floor_that_rises_to_what_still_serves_raises_it_too(floor: Constraint) -> None:
    assert ordered(1, 3, current=3, wanted=1, constraint=floor) == 3


@pytest.mark.parametrize(("starting", "expected"), [(0, 6), (1, 5), (2, 4), (3, 4)])
def test_only_so_many_start_at_once(starting: int, expected: int) -> None:
    assert ordered(4, 9, current=4, starting=starting, starts=2) == expected
