"""Whether what was learned since the last write of a digest is worth another one.

Rule: only what a restart with the older digest would decide otherwise for longer than it takes to learn it again. A number
may move by its factor first, and below its least value not at all; what every sample moves, such as a mean over minutes,
is worth none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FACTORS: Mapping[str, tuple[float, float]] = {
    "cold_start": (1.1, 1.0),
    "cold_starts": (1.9, 0.5),
    "judged": (2.0, 600.0),
    "level": (2.0, 0.2),
    "missed": (1.5, 0.002),
    "output": (1.5, 1.0),
    "recent_error": (2.0, 0.05),
    "speed": (1.1, 0.1),
    "usual_arrivals": (1.5, 0.01),
    "usual_error": (1.5, 0.05),
    "usual_work": (1.5, 0.01),
}
"""By name in the digest: the factor, and the least value. Errors below theirs are less than the spread that is counted on
in any case."""


def worth_writing(kept: str, text: str) -> bool:
    """Whether to write the digest `text` where `kept` was written; always where that is none, or one of another version."""
    try:
        before, after = json.loads(kept), json.loads(text)
        if before["version"] != after["version"]:
            return True
        return any(_moved(before[name], after[name], *FACTORS[name]) for name in FACTORS if name in after)
    except (ValueError, TypeError, KeyError, IndexError):
        return True


def _moved(before: Any, after: Any, factor: float, least: float) -> bool:
    less, more = sorted(max(least, _value(one)) for one in (before, after))
    return more > factor * less


def _value(kept: Any) -> float:
    """A number, or a mean from its amount and its weight."""
    if isinstance(kept, list):
        amount, weight = kept
        return float(amount) / weight if weight else 0.0
    return float(kept)
