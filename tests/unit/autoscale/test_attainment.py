"""What a missed request is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.attainment import (
    CALM,
    CHEAPEST,
    COLLIDING,
    DEAREST,
    DEAREST_HIT,
    HIGHEST,
    LOWEST,
    MOST_FOLLOWED,
    PLANNED,
    colliding,
    collision_price,
    dearest_hit,
    next_level,
    price,
    used,
)
from npuserve.autoscale.headroom import Risk
from npuserve.autoscale.memory import Mean

RATE = 3.0
DAY = RATE * 86400


def after(missed: float, requests: float = DAY, *, share: float = 0.99) -> float:
    """What is used up beyond what is planned, after a share `missed` of `requests`."""
    return used(Mean(86400.0, amount=missed * requests, weight=requests), share=share, rate=RATE) - PLANNED


def test_the_price_is_calm_while_misses_are_what_is_planned_with() -> None:
    assert price(after(0.01 * PLANNED), 1.0) == pytest.approx(CALM)
    assert price(after(0.0, requests=0.0), 1.0) == pytest.approx(CALM)


def test_the_price_rises_with_what_is_used_up_and_keeps_within_bounds() -> None:
    prices = [price(after(missed), 1.0) for missed in (0.0, 0.005, 0.009, 0.011, 0.5)]
    assert prices == sorted(prices)
    assert prices[0] >= CHEAPEST
    assert price(after(0.5), HIGHEST) == DEAREST


def test_one_burst_raises_the_price_no_more_than_many_small_misses() -> None:
    assert price(after(0.5), 1.0) == price(after(0.02), 1.0) < DEAREST / 10


def test_a_stricter_goal_makes_the_same_misses_dearer() -> None:
    assert price(after(0.006, share=0.995), 1.0) > price(after(0.006, share=0.98), 1.0)


def test_the_first_misses_of_a_service_use_up_little() -> None:
    assert after(0.05, requests=RATE * 600) < 0.4
    assert after(0.05) > 2.5


def test_a_calm_service_becomes_cheaper_hour_by_hour_and_a_restless_one_dearer() -> None:
    calm = restless = 1.0
    for _ in range(24):
        calm = next_level(calm, after(0.002), seconds=3600)
        restless = next_level(restless, after(0.02), seconds=3600)
    assert (calm, restless) == (LOWEST, HIGHEST)
    assert next_level(1.0, after(0.01 * PLANNED), seconds=3600) == pytest.approx(1.0)


def test_one_burst_teaches_little_and_collisions_teach_nothing() -> None:
    assert next_level(1.0, after(0.2), seconds=600) < 1.1
    assert next_level(1.0, after(0.011), seconds=3600, sure=1.0) == 1.0


def test_collisions_raise_the_price_only_where_they_ask_for_more_than_the_work() -> None:
    assert collision_price(0.05, 10.0, share=0.99) == 0.0
    assert DEAREST_HIT > collision_price(0.09, 8.0, share=0.99) > collision_price(0.08, 8.0, share=0.99) > CALM
    assert DEAREST > collision_price(0.5, 8.0, share=0.99) > DEAREST_HIT
    assert collision_price(50.0, 0.0, share=0.99) == DEAREST
    assert collision_price(0.0, 0.0, share=0.99) == 0.0
    assert [colliding(blocked, 8.0, share=0.99) for blocked in (0.03, 0.12)] == [0.0, 1.0]


def test_the_most_that_a_collision_is_worth_rises_where_misses_show_that_it_is_too_little() -> None:
    assert [dearest_hit(after(0.01 * share)) for share in (0.0, PLANNED, COLLIDING)] == pytest.approx([DEAREST_HIT] * 3)
    assert DEAREST_HIT < dearest_hit(after(0.0105)) < dearest_hit(after(0.0115)) < DEAREST_HIT * MOST_FOLLOWED
    assert dearest_hit(after(0.5)) == DEAREST_HIT * MOST_FOLLOWED
    assert dearest_hit(1e6) == DEAREST_HIT * MOST_FOLLOWED


@pytest.mark.parametrize("need", [1.0, 4.0, 12.0])
def test_a_dearer_miss_a_wider_spread_and_longer_prompts_each_buy_replicas(need: float) -> None:
    base = Risk(need=need, spread=0.4, blocked=0.0, worth=need * 5, worth_blocked=need * 100)
    assert base.replicas(100) >= need - 0.25
    assert replace(base, worth=base.worth * 20).replicas(100) > base.replicas(100)
    assert replace(base, worth=base.worth * 20, spread=1.2).replicas(100) > replace(
        base, worth=base.worth * 20
    ).replicas(100)
    dear = replace(base, worth=base.worth * 20)
    assert replace(dear, blocked=0.9).replicas(100) > dear.replicas(100)


def test_the_last_replica_bought_pays_and_the_next_would_not() -> None:
    risk = Risk(need=6.0, spread=0.5, blocked=0.3, worth=60.0, worth_blocked=60.0)
    count = risk.replicas(100)
    assert risk.missed(count - 1) - risk.missed(count) >= 1
    assert risk.missed(count) - risk.missed(count + 1) < 1
