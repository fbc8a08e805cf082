"""From a decision to the number that is ordered."""

from __future__ import annotations

import pytest

from npuserve.autoscale.decision import Decision
from npuserve.autoscale.order import order


def ordered(before: int, decided: int, *, current: int, starting: int = 0, starts: int | None = None) -> int:
    decision = Decision(decided, decided, "Demand", "")
    return order(before, decision, current=current, starting=starting, starts=starts)


@pytest.mark.parametrize(("decided", "expected"), [(2, 2), (4, 4), (7, 7)])
def test_the_order_is_the_decision(decided: int, expected: int) -> None:
    assert ordered(4, decided, current=4) == expected


@pytest.mark.parametrize(("decided", "expected"), [(5, 4), (6, 6), (4, 4), (3, 3)])
def test_the_surplus_of_a_rollout_is_never_ordered_by_staying_as_it_is(decided: int, expected: int) -> None:
    assert ordered(4, decided, current=5) == expected


def test_a_decision_to_go_down_never_orders_more() -> None:
    assert ordered(2, 4, current=5) == 2


@pytest.mark.parametrize(("starting", "expected"), [(0, 6), (1, 5), (2, 4), (3, 4)])
def test_only_so_many_start_at_once(starting: int, expected: int) -> None:
    assert ordered(4, 9, current=4, starting=starting, starts=2) == expected
