"""What a missed request is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.attainment import AIM, CHEAPEST, DEAREST, next_price
from npuserve.autoscale.headroom import Risk
from npuserve.autoscale.load import Traffic

HOUR = 10_000
SAMPLE = Traffic(5.0, 10, 0, 0, 10, 0, 0, 0, 0.0, 0.0)


def price_after(samples: int, *, late: float, share: float = 0.99, limited: bool = False, start: float = 10.0) -> float:
    price = start
    for _ in range(samples):
        traffic = replace(SAMPLE, late=late)
        price = next_price(price, traffic, share=share, hourly=HOUR, learned=86400.0, limited=limited)
    return price


def test_the_price_stands_still_while_misses_are_what_is_planned_with() -> None:
    assert price_after(1000, late=10 * 0.01 * AIM) == pytest.approx(10.0)


def test_a_stricter_goal_makes_the_same_misses_dearer() -> None:
    assert price_after(100, late=0.1, share=0.995) > price_after(100, late=0.1, share=0.98)


def test_the_price_keeps_within_bounds_whatever_happens() -> None:
    assert price_after(5000, late=10) == DEAREST
    assert price_after(100_000, late=0) == CHEAPEST


def test_misses_that_a_limit_causes_do_not_raise_the_price() -> None:
    assert price_after(100, late=5, limited=True) == 10.0


def test_a_young_service_learns_its_price_faster() -> None:
    calm = replace(SAMPLE, late=0.0)
    young, old = (next_price(10, calm, share=0.99, hourly=HOUR, learned=at, limited=False) for at in (0.0, 86400.0))
    assert young < old < 10


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
