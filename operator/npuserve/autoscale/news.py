"""What counts as now for arrivals, and which of them are news.

Rule: a fleet answers within the life of an answer, so that what is shorter is noise to long answers and news to short ones.
News is what exceeds the mean of the last minutes by more than chance makes with this very service: requests of a few busy
clients come in bunches, and how far they stray is learned. News is acted upon at once, and only a lasting wish is held.
"""

from __future__ import annotations

from math import sqrt

from npuserve.autoscale.load import Traffic
from npuserve.autoscale.memory import Mean, Memory

QUICKEST, SLOWEST = 15.0, 240.0
"""Bounds in seconds of what counts as now."""
SHORTEST, SHARE = 10.0, 0.4
"""Seconds over which news is looked for: a share of what counts as now, and no less than two looks."""
DEVIATIONS = 3.5
"""How far beyond the mean news begins, in deviations that are usual for the service."""
DOUBT = 1.5
"""What is taken off the rate of news, in the same: of what looks sudden, some is chance."""
LEAST_DEVIATION = 0.05
"""Requests per second."""
UNREST, UNREST_SECONDS = 4.0, 600.0
"""Variance over that of independent requests that is assumed at first, and the seconds of service that this counts as."""
WILDEST = 36.0
"""The most that a single look teaches of it: a step is no sign of unrest."""
FEWEST_SECONDS = 60.0
"""Seconds of service without which nothing is usual."""


def window(life: float) -> float:
    """Seconds over which arrivals count as now, where answers last `life` seconds."""
    return min(SLOWEST, max(QUICKEST, life))


def notice(memory: Memory, traffic: Traffic) -> Memory:
    """The memory after the arrivals of one sample, as far as news needs them."""
    elapsed = traffic.seconds
    unrest = memory.unrest
    if memory.recent_arrivals.weight >= FEWEST_SECONDS:
        strayed = (memory.quick_arrivals.value - memory.recent_arrivals.value) / _independent(memory)
        unrest = unrest.add(min(WILDEST, strayed**2) * elapsed, elapsed, elapsed=elapsed)
    quick = memory.quick_arrivals.add(traffic.arrivals, elapsed, elapsed=elapsed, seconds=_glance(memory.life))
    recent = memory.recent_arrivals.add(traffic.arrivals, elapsed, elapsed=elapsed)
    return memory._replace(quick_arrivals=quick, recent_arrivals=recent, unrest=unrest)


def news(memory: Memory) -> bool:
    """Whether more requests come now than chance makes of those of the last minutes."""
    return memory.quick_arrivals.value > memory.recent_arrivals.value + DEVIATIONS * _deviation(memory)


def hurried(memory: Memory) -> Memory:
    """The memory with the news taken for what will be from now on, for the demand of this very look."""
    rate = max(memory.arrivals.value, memory.quick_arrivals.value - DOUBT * _deviation(memory))
    return memory._replace(arrivals=Mean(memory.arrivals.seconds, rate, 1.0))


def _glance(life: float) -> float:
    return max(SHORTEST, SHARE * window(life))


def _independent(memory: Memory) -> float:
    """What an exponential mean of independent requests deviates by."""
    return max(LEAST_DEVIATION, sqrt(memory.recent_arrivals.value / (2 * _glance(memory.life))))


def _deviation(memory: Memory) -> float:
    """What quick arrivals usually deviate by, in requests per second."""
    known = memory.unrest
    unrest = (known.amount + UNREST * UNREST_SECONDS) / (known.weight + UNREST_SECONDS)
    return sqrt(unrest) * _independent(memory)
