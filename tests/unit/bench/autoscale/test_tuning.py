"""A peer is tuned for a trace with few replays, and counts with what it needs at the target."""

from __future__ import annotations

from math import exp

import pytest

from npuserve.autoscale.replay.beside import Static
from tests.bench.autoscale.families import FAMILIES, Knob, knobs
from tests.bench.autoscale.search import MOST_RUNS, search, setting
from tests.bench.autoscale.tuning import Figures, Run, tuned


def figures(attainment: float, hours: float) -> Figures:
    return Figures(attainment, hours, 0, 0, 1.0, 1.0)


def knob(*, whole: bool = False) -> Knob:
    return Knob("f", lambda size: Static(int(size)), 1, 32, whole=whole)


def served(capacity: float) -> Figures:
    """Misses fall by e with each unit of capacity; 4.6 units give 99 %."""
    return figures(1 - exp(-capacity), 100 * capacity)


def test_hours_at_the_target_lie_between_the_neighbours_on_the_front() -> None:
    runs = [
        Run("t", "f", value, figures(attainment, hours))
        for value, attainment, hours in ((1, 0.98, 100.0), (2, 0.985, 150.0), (3, 1.0, 120.0))
    ]
    found = tuned(runs, 0.99)
    assert found is not None
    assert (found.npu_hours, found.run.value) == (pytest.approx(110.0), 3)
    assert tuned(runs[:1], 0.99) is None


def test_the_search_closes_in_on_the_target_from_both_sides() -> None:
    tries = search(knob(), served, 0.99)
    found = tuned([Run("t", "f", one.value, one.figures) for one in tries], 0.99)
    assert len(tries) <= MOST_RUNS
    assert found is not None
    assert found.npu_hours == pytest.approx(460.5, rel=0.01)


def test_a_whole_number_is_found_with_its_neighbour() -> None:
    tries = search(knob(whole=True), served, 0.99)
    assert {4.0, 5.0} <= {one.value for one in tries}
    assert all(one.value == int(one.value) for one in tries)


def test_a_target_out_of_reach_is_given_up_at_the_generous_end() -> None:
    tries = search(knob(), lambda _: figures(0.5, 1.0), 0.99)
    assert [one.value for one in tries][-1] == 32.0
    assert len(tries) == 3


def test_a_target_that_all_reach_ends_at_the_lean_end() -> None:
    tries = search(knob(), lambda _: figures(1.0, 1.0), 0.99)
    assert [one.value for one in tries][-1] == 1.0


def test_places_are_spread_in_equal_ratios_unless_the_range_holds_zero() -> None:
    assert setting(knob(), 0.5) == pytest.approx(32**0.5, abs=1e-4)
    assert setting(Knob("f", lambda size: Static(int(size)), -1.0, 3.0), 0.5) == 1.0


def test_every_family_has_a_knob_that_makes_its_rule_at_both_ends() -> None:
    found = knobs([(float(second), 500, 100) for second in range(600)], 180.0)
    assert tuple(found) == FAMILIES
    for one in found.values():
        assert one.make(one.lean).every % 5 == 0
        assert one.make(one.generous) is not one.make(one.generous)
