"""What a missed request is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.attainment import CALM, CHEAPEST, DEAREST, PLANNED, collision_price, price, used
from npuserve.autoscale.headroom import Risk
from npuserve.autoscale.memory import Mean

RATE = 3.0
DAY = RATE * 86400


def after(missed: float, requests: float = DAY) -> Mean:
    return Mean(86400.0, amount=missed * requests, weight=requests)


def test_the_price_is_calm_while_misses_are_what_is_planned_with() -> None:
    assert price(after(0.01 * PLANNED), share=0.99, rate=RATE) == pytest.approx(CALM)
    assert price(Mean(86400.0), share=0.99, rate=RATE) == pytest.approx(CALM)


def test_the_price_rises_with_what_is_used_up_and_keeps_within_bounds() -> None:
    prices = [price(after(missed), share=0.99, rate=RATE) for missed in (0.0, 0.005, 0.009, 0.011, 0.5)]
    assert prices == sorted(prices)
    assert prices[0] >= CHEAPEST
    assert prices[-1] == DEAREST


def test_a_stricter_goal_makes_the_same_misses_dearer() -> None:
    assert price(after(0.006), share=0.995, rate=RATE) > price(after(0.006), share=0.98, rate=RATE)


def test_the_first_misses_of_a_service_use_up_little() -> None:
    assert used(after(0.05, requests=RATE * 600), share=0.99, rate=RATE) < 1.2
    assert used(after(0.05), share=0.99, rate=RATE) > 4


def test_collisions_raise_the_price_only_where_they_ask_for_more_than_the_work() -> None:
    assert collision_price(0.03, 10.0, share=0.99) == 0.0
    assert collision_price(0.12, 8.0, share=0.99) > collision_price(0.10, 8.0, share=0.99) > CALM
    assert collision_price(0.0, 0.0, share=0.99) == 0.0


@pytest.mark.parametrize("need", [1.0, 4.0, 12.0])
def test_a_dearer_miss_a_wider_spread_and_longer_prompts_each_buy_replicas(need: float) -> None:
    base = Risk(need=need, spread=0.4, blocked=0.0, worth=need * 5)
    assert base.replicas(100) >= need - 0.25
    assert replace(base, worth=base.worth * 20).replicas(100) > base.replicas(100)
    assert replace(base, worth=base.worth * 20, spread=1.2).replicas(100) > replace(
        base, worth=base.worth * 20
    ).replicas(100)
    dear = replace(base, worth=base.worth * 20)
    assert replace(dear, blocked=0.9).replicas(100) > dear.replicas(100)


def test_the_last_replica_bought_pays_and_the_next_would_not() -> None:
    risk = Risk(need=6.0, spread=0.5, blocked=0.3, worth=60.0)
    count = risk.replicas(100)
    assert risk.worth * (risk.missed(count - 1) - risk.missed(count)) >= 1
    assert risk.worth * (risk.missed(count) - risk.missed(count + 1)) < 1
