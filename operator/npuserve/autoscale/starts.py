"""How long a replica takes to serve, from the starts that were seen of this very service.

Rule: the look-ahead of a service is an upper quantile of its own last starts, so that one start from a warm cache makes
nobody believe that all are. Until four starts were seen that is the longest of them, and before the first an assumption.
"""

from __future__ import annotations

from math import ceil

from npuserve.autoscale.memory import Memory

QUANTILE = 0.8
KEPT = 20
"""Starts that count; a change of image or storage is known after so many."""
LONGEST = 6 * 3600.0
"""A start that took longer was no start but a repair."""


def learn_start(memory: Memory, seconds: float) -> Memory:
    """The memory after a replica served `seconds` after it was ordered."""
    if not 0 <= seconds <= LONGEST:
        return memory
    # Times of pods are whole seconds.
    starts = (*memory.starts, max(1.0, round(seconds, 1)))[-KEPT:]
    return memory._replace(starts=starts, cold_start=upper(starts), cold_starts=memory.cold_starts + 1)


def upper(starts: tuple[float, ...]) -> float:
    """The upper quantile of some starts: the smallest that at least four fifths of them do not exceed."""
    return sorted(starts)[ceil(QUANTILE * len(starts)) - 1]
