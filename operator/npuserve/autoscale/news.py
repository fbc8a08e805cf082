"""What counts as now for arrivals, and which of them are news.

Rule: a fleet answers within the life of an answer, so that what is shorter is noise to long answers and news to short ones.
News is what exceeds the mean of the last minutes by more than chance makes, though requests come in bursts.
"""

from __future__ import annotations

from math import sqrt

from npuserve.autoscale.memory import Memory

QUICKEST, SLOWEST = 20.0, 240.0
"""Bounds in seconds of what counts as now."""
DEVIATIONS = 6.0
"""How far beyond the mean news begins, in deviations as if each request came by itself."""
LEAST_DEVIATION = 0.05
"""Requests per second."""


def window(life: float) -> float:
    """Seconds over which arrivals count as now, where answers last `life` seconds."""
    return min(SLOWEST, max(QUICKEST, life))


def news(memory: Memory) -> bool:
    """Whether more requests come now than chance makes of those of the last minutes."""
    usual = memory.recent_arrivals.value
    # What an exponential mean of a Poisson process deviates by.
    deviation = sqrt(usual / (2 * window(memory.life)))
    return memory.arrivals.value > usual + DEVIATIONS * max(LEAST_DEVIATION, deviation)
