"""What coarse buckets and an exact sum give away."""

from __future__ import annotations

from bisect import bisect_left

import pytest

from npuserve.autoscale.histogram import Histogram

ENDS = (1.0, 2.0, 5.0, 10.0)


def histogram(*values: float) -> Histogram:
    counts = [0] * (len(ENDS) + 1)
    for value in values:
        counts[bisect_left(ENDS, value)] += 1
    return Histogram(ENDS, tuple(counts), sum(values))


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, 3.7, 9.9, 14.0])
def test_a_single_value_is_exact(value: float) -> None:
    assert histogram(value).values() == [pytest.approx(value)]


def test_values_of_different_buckets_stay_in_them_and_add_up() -> None:
    found = histogram(0.9, 1.9, 4.9).values()
    assert sum(found) == pytest.approx(7.7)
    assert [bisect_left(ENDS, value) for value in found] == [0, 1, 2]


def test_values_rise() -> None:
    found = histogram(*(index % 11 for index in range(40))).values()
    assert found == sorted(found)


def test_a_sum_that_no_values_of_the_buckets_have_moves_them_to_an_end() -> None:
    assert Histogram(ENDS, (0, 2, 0, 0, 0), 100.0).values() == [2.0, 2.0]


def test_the_difference_holds_what_came_later() -> None:
    gained = histogram(0.5, 3.0, 3.0, 20.0).since(histogram(3.0))
    assert gained is not None
    assert (gained.count, gained.total) == (3, 23.5)


def test_an_engine_that_began_anew_has_no_difference() -> None:
    assert histogram(0.5).since(histogram(3.0)) is None


def test_other_buckets_have_no_difference() -> None:
    assert histogram(0.5).since(Histogram((1.0, 2.0), (0, 0, 0), 0.0)) is None


def test_an_empty_one_has_no_values() -> None:
    assert histogram().values() == []


def test_no_value_exceeds_the_end_of_the_last_bucket_that_holds_one() -> None:
    assert [histogram().most, histogram(0.5, 3.0).most, histogram(99.0).most] == [0.0, 5.0, 2 * ENDS[-1]]


def test_squares_are_those_of_evenly_spread_values() -> None:
    spread = histogram(*(2 + 3 * (index + 0.5) / 3000 for index in range(3000)))
    assert spread.squares == pytest.approx(3000 * (4 + 10 + 25) / 3)
