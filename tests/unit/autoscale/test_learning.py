"""What is learned of long prompts that block others, and what a request that they block is worth."""

from __future__ import annotations

import pytest

from npuserve.autoscale.attainment import DEAREST_HIT, MOST_FOLLOWED
from npuserve.autoscale.collisions import HIT
from npuserve.autoscale.learning import HIGHEST_RISE, collided, learn_price
from npuserve.autoscale.load import Traffic
from npuserve.autoscale.memory import Memory, digest, from_digest

LOOK = 5.0
NOTHING_NEW = Traffic(LOOK, *[0.0] * 9)


def after(before: int, seconds: int, need: float) -> Memory:
    """`before` seconds at a need of 8 replicas, then `seconds` at `need`; a tenth of each second is blocked."""
    memory = Memory()
    for needed in [8.0] * (before // 5) + [need] * (seconds // 5):
        memory = memory._replace(
            blocking=memory.blocking.add(0.1 * LOOK, LOOK, elapsed=LOOK),
            steady_need=memory.steady_need.add(needed * LOOK, LOOK, elapsed=LOOK),
            recent_need=memory.recent_need.add(needed * LOOK, LOOK, elapsed=LOOK),
        )
    return memory


def test_a_steady_load_has_as_many_collisions_as_were_counted() -> None:
    assert collided(after(3600, 600, 8.0)) == pytest.approx(0.1 * HIT)


def test_more_work_is_taken_for_more_long_prompts_before_they_are_counted() -> None:
    assert 0.1 * HIT * 1.2 < collided(after(3600, 600, 16.0)) < 0.2 * HIT
    assert 0.1 * HIT * 0.5 < collided(after(3600, 600, 4.0)) < 0.1 * HIT * 0.9


def test_a_load_that_leaps_counts_within_bounds() -> None:
    assert collided(after(7200, 30, 1e6)) <= 0.1 * HIT * HIGHEST_RISE
    assert collided(Memory()) == 0.0


def test_a_restart_keeps_what_rises_and_older_digests_say_nothing_of_it() -> None:
    memory = after(3600, 600, 16.0)
    text = digest(memory)
    assert collided(from_digest(text, now=0.0)) == pytest.approx(collided(memory), rel=0.01)
    assert from_digest(text.replace('"recent_need":', '"other":'), now=0.0).recent_need == Memory().recent_need


@pytest.mark.parametrize(("late", "worth"), [(0.0, DEAREST_HIT), (0.5, DEAREST_HIT * MOST_FOLLOWED)])
def test_a_request_that_collides_is_worth_more_where_many_are_late(late: float, worth: float) -> None:
    memory = after(3600, 0, 8.0)
    memory = memory._replace(
        blocking=memory.blocking._replace(amount=memory.blocking.amount * 30),
        usual_arrivals=memory.usual_arrivals.add(2.0 * 3600, 3600, elapsed=3600),
        missed=memory.missed.add(late * 7200, 7200, elapsed=3600),
    )
    assert learn_price(memory, NOTHING_NEW, 0.99).price_blocked == pytest.approx(worth)
