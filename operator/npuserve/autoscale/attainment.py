"""The slow loop: what a missed request is worth, so that the share of requests that meet the objectives is the goal.

Rule: the price follows the share of a day's allowed misses that is used up:

    price = CALM * exp(STEEP * (used - PLANNED))

It is low while there is much left, and a hundred times higher when all is gone. Replicas are bought at one price all day,
as nearly as that allows: a price that jumps with each burst pays for replicas when the burst is over. A wrong engine
model, drift and whatever else the forecast does not know show in what is used up. Misses that a limit causes do not count.

Where prompts collide (`collisions`) more replicas help little each, so that it takes a high price from the start: at
least the one at which collisions alone use no more than COLLIDING of the allowed misses.
"""

from __future__ import annotations

from math import exp

from npuserve.autoscale.memory import Mean

CALM = 5.0
"""The price while misses are what is planned with, in units of the work of a request."""
STEEP = 12.0
"""Change of log(price) when a day's allowed misses are used up at once."""
PLANNED = 0.75
"""Share of the allowed misses that is planned with: the rest is for what comes at the end of the day."""
ASSUMED = 3 * 3600.0
"""Seconds of service at what is planned that count before anything is known."""
CHEAPEST, DEAREST = 0.05, 400.0
"""Bounds of the price: beyond, replicas no longer buy attainment."""
COLLIDING = 0.75
DEAREST_COLLISION = 250.0
SURE = 0.5
"""Share by which collisions ask for more replicas than the work does when their price counts in full."""


def price(missed: Mean, *, share: float, rate: float) -> float:
    """What a missed request is worth, after `missed` of a day's requests; `rate` a second are usual."""
    over = STEEP * (used(missed, share=share, rate=rate) - PLANNED)
    return min(DEAREST, max(CHEAPEST, CALM * exp(min(20.0, over))))


def used(missed: Mean, *, share: float, rate: float) -> float:
    """Share of the misses allowed over a day that is used up."""
    allowed = max(1e-6, 1 - share)
    assumed = max(1e-6, rate * ASSUMED)
    return (missed.amount + PLANNED * allowed * assumed) / (allowed * (missed.weight + assumed))


def collision_price(blocked: float, load: float, *, share: float) -> float:
    """The least price where `blocked` of the requests would be hit on a single replica, at a load of `load` replicas.

    A replica more prevents blocked / n^2 of the misses, and n = blocked / allowed is where they are what is allowed; the
    price of a miss at that n is n / allowed in units of a second's requests.
    """
    allowed = max(1e-6, 1 - share) * COLLIDING
    count = blocked / allowed
    load = max(0.1, load)
    counted = min(1.0, max(0.0, (count / load - 1) / SURE))
    return min(DEAREST_COLLISION, counted * count / load / allowed)
