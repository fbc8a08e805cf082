"""The slow loop: what a missed request is worth, so that the share of requests that meet the objectives is the goal.

Rule: the price rises with each miss and falls with time, in such steps that it stands still when the misses are what the
goal allows (adaptive conformal inference, Gibbs and Candes 2021, in the log of the price). It absorbs a wrong engine
model, drift and whatever else the forecast does not know. It does not rise while a limit binds, since the price is not
the cause then.
"""

from __future__ import annotations

from math import exp

from npuserve.autoscale.load import Traffic

GAIN = 0.2
"""Change of log(price) for an hour's worth of allowed misses."""
HASTE = 5.0
"""How many times larger the steps of a service are that nothing is known of yet; they shrink with its age."""
AIM = 0.55
"""Share of the allowed misses that is planned with: the rest is for what is learned too late."""
LARGEST_STEP = 0.7
"""Of log(price) for one sample: a burst says little about the hours after it."""
CHEAPEST, DEAREST = 0.5, 75.0
"""Bounds of the price: beyond, replicas no longer buy attainment."""


def next_price(price: float, traffic: Traffic, *, share: float, hourly: float, learned: float, limited: bool) -> float:
    """The price after one sample, at `hourly` requests an hour as is usual, `learned` seconds into the service's life."""
    usual = max(1.0, hourly)
    allowed = max(1e-6, 1 - share) * AIM * usual
    change = GAIN * (1 + HASTE / (1 + learned / 3600)) * (traffic.late / allowed - traffic.arrivals / usual)
    if limited:
        change = min(0.0, change)
    return min(DEAREST, max(CHEAPEST, price * exp(min(LARGEST_STEP, change))))
