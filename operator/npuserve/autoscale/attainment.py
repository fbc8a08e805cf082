"""The slow loop: what a missed request is worth, so that the share of requests that meet the objectives is the goal.

Rule: the price follows the share of a day's allowed misses that is used up, around a level that is learned:

    price = CALM * level * exp(STEEP * (used - PLANNED))        log(level) changes by LEARNED * (used - PLANNED) an hour

It is low while there is much left, and fifty times higher at most when all is gone. Replicas are bought at one price all day,
as nearly as that allows: a price that jumps with each burst pays for replicas when the burst is over. The level is what a
service needs on the whole: without it a calm one would never use up what it may, and a restless one always more. A wrong
engine model, drift and whatever else the forecast does not know show in what is used up. Misses that a limit causes do
not count.

Where prompts collide (`collisions`) more replicas help little each, so that it takes a high price from the start: at
least the one at which collisions alone use no more than COLLIDING of the allowed misses. They come evenly and not in
bursts, so that the price may follow them at once and teaches no level. Beyond DEAREST_HIT it rises only as misses show
that more of them are hit here than `collisions` counts.
"""

from __future__ import annotations

from math import exp

from npuserve.autoscale.memory import Mean

CALM = 7.0
"""The price while misses are what is planned with, in units of the work of a request."""
STEEP = 10.0
"""Change of log(price) when a day's allowed misses are used up at once."""
PLANNED = 0.85
"""Share of the allowed misses that is planned with: the rest is for what comes at the end of the day."""
LEARNED = 0.6
"""Change of log(level) in an hour in which a day's allowed misses beyond those planned with are used up."""
LOWEST, HIGHEST = 0.25, 55.0
"""Bounds of the level: a price much lower saves little, and pays for it with the first burst."""
BURST = 0.4
"""What is used up beyond what is planned counts as no more than this: one burst must not double the fleet for a day."""
ASSUMED = 12 * 3600.0
"""Seconds of service at what is planned that stand beside what was seen: a day has hours yet to come."""
CHEAPEST, DEAREST = 0.05, 4000.0
"""Bounds of the price: beyond, replicas no longer buy attainment."""
COLLIDING = 0.95
"""Share of the allowed misses that collisions may use up."""
DEAREST_HIT = 200.0
"""The most that a request hit by a collision is worth while no more than COLLIDING is used up: beyond, a replica prevents too
few of them."""
FOLLOWED = 5.0
"""Change of log(the most) when a day's allowed misses are used up at once, from there on."""
MOST_FOLLOWED = 2.25
"""Factor on the most, at most: half as many replicas again. More would be paid where a replica fails to keep up, which looks
like collisions and is not mended by more replicas."""
SURE = 0.25
"""Share by which collisions ask for more replicas than the work does when their price counts in full."""


def price(over: float, level: float) -> float:
    """What a missed request is worth; `over` is what is used up beyond PLANNED."""
    return min(DEAREST, max(CHEAPEST, CALM * level * exp(STEEP * min(BURST, over))))


def next_level(level: float, over: float, *, seconds: float, sure: float = 0.0) -> float:
    """The level `seconds` later; `sure` as in `colliding`."""
    change = LEARNED * seconds / 3600 * min(BURST, over) * (1 - sure)
    return min(HIGHEST, max(LOWEST, level * exp(change)))


def used(missed: Mean, *, share: float, rate: float) -> float:
    """Share of the misses allowed over a day that is used up; `rate` requests a second are usual."""
    allowed = max(1e-6, 1 - share)
    assumed = max(1e-6, rate * ASSUMED)
    return (missed.amount + PLANNED * allowed * assumed) / (allowed * (missed.weight + assumed))


def dearest_hit(over: float) -> float:
    """The most that a request hit by a collision is worth; `over` as in `price`."""
    return DEAREST_HIT * min(MOST_FOLLOWED, exp(FOLLOWED * max(0.0, min(BURST, over) + PLANNED - COLLIDING)))


def collision_price(blocked: float, load: float, *, share: float) -> float:
    """The least price where `blocked` of the requests would be hit on a single replica, at a load of `load` replicas.

    A replica more prevents blocked / n^2 of the misses, and n = blocked / allowed is where they are what is allowed; the
    price of a miss at that n is n / allowed in units of a second's requests.
    """
    sure = colliding(blocked, load, share=share)
    return min(DEAREST, sure * _count(blocked, share) / max(0.1, load) / _allowed(share))


def colliding(blocked: float, load: float, *, share: float) -> float:
    """How surely collisions ask for more replicas than the work does, from 0 to 1."""
    return min(1.0, max(0.0, (_count(blocked, share) / max(0.1, load) - 1) / SURE))


def _count(blocked: float, share: float) -> float:
    """Replicas at which collisions use up what they may."""
    return blocked / _allowed(share)


def _allowed(share: float) -> float:
    return max(1e-6, 1 - share) * COLLIDING
