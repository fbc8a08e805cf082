"""How long a start takes, learned from the starts of the service itself."""

from __future__ import annotations

import pytest

from npuserve.autoscale.memory import Memory, digest, from_digest
from npuserve.autoscale.starts import KEPT, LONGEST, learn_start
from npuserve.autoscale.worth import worth_writing


def after(*starts: float) -> Memory:
    memory = Memory()
    for seconds in starts:
        memory = learn_start(memory, seconds)
    return memory


@pytest.mark.parametrize(
    ("starts", "expected"),
    [((), 180.0), ((400.0,), 400.0), ((60.0, 400.0, 90.0), 400.0), ((60.0, 400.0, 90.0, 80.0, 70.0), 90.0)],
)
def test_the_look_ahead_is_what_four_fifths_of_the_starts_do_not_exceed(
    starts: tuple[float, ...], expected: float
) -> None:
    memory = after(*starts)
    assert (memory.cold_start, memory.cold_starts) == (expected, len(starts))


def test_a_start_within_one_second_counts_as_one() -> None:
    assert after(0.0).starts == (1.0,)


def test_starts_of_long_ago_are_forgotten() -> None:
    memory = after(*[900.0] * KEPT, *[60.0] * KEPT)
    assert (memory.cold_start, memory.cold_starts) == (60.0, 2 * KEPT)


@pytest.mark.parametrize("odd", [-5.0, LONGEST + 1])
def test_what_can_be_no_start_teaches_nothing(odd: float) -> None:
    assert after(odd) == Memory()


def test_starts_survive_a_restart_and_are_worth_a_write() -> None:
    before, now = digest(Memory()), digest(after(300.0, 310.0))
    assert worth_writing(before, now)
    assert from_digest(now, now=0.0).starts == (300.0, 310.0)
