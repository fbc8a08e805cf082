"""What the decision remembers between samples: a few dozen numbers, small enough to survive a restart as text.

Rule: everything is an exponentially forgetting mean, so that no history is kept. Times are relative in the digest, so
that another process with another clock can go on from it; a digest that cannot be read means a fresh start, never an
error.
"""

from __future__ import annotations

import json
from math import exp, isfinite
from typing import Any, NamedTuple


class Mean(NamedTuple):
    """amount / weight, both forgotten with a time constant of `seconds`."""

    seconds: float
    amount: float = 0.0
    weight: float = 0.0

    def add(self, amount: float, weight: float, *, elapsed: float, seconds: float | None = None) -> Mean:
        """The mean after `elapsed` seconds with that much more; `seconds` forgets at another pace than its own."""
        kept = exp(-elapsed / (seconds or self.seconds))
        return Mean(self.seconds, self.amount * kept + amount, self.weight * kept + weight)

    @property
    def value(self) -> float:
        return self.amount / self.weight if self.weight > 0 else 0.0


class Memory(NamedTuple):
    """All state of one service's autoscaling.

    A named tuple, since each decision makes nine of them: of a frozen dataclass with as many fields, `replace` takes
    fourteen times as long.
    """

    arrivals: Mean = Mean(60)
    """Requests per second, now: over the life of an answer, see `news`."""
    recent_arrivals: Mean = Mean(600)
    """Requests per second, over ten minutes; not part of the digest."""
    quick_arrivals: Mean = Mean(10)
    """Requests per second, over two looks or a little more; not part of the digest."""
    unrest: Mean = Mean(7200)
    """Squared deviation of these from those, over that of independent requests; see `news`."""
    steady_arrivals: Mean = Mean(7200)
    """Requests per second, over two hours."""
    steady_need: Mean = Mean(3600)
    """Replicas that the work needed, over an hour."""
    recent_need: Mean = Mean(900)
    """The same, over a quarter of one."""
    usual_arrivals: Mean = Mean(24 * 3600)
    """Requests per second, over a day."""
    usual_work: Mean = Mean(24 * 3600)
    """Replica-seconds of work per request, over a day."""
    missed: Mean = Mean(24 * 3600)
    """Share of the requests that missed the objectives, over a day."""
    generated: Mean = Mean(15)
    """Output tokens per second."""
    prompt: Mean = Mean(120)
    """Prompt tokens per arrival."""
    output: Mean = Mean(600)
    """Output tokens per finished request."""
    output_squares: Mean = Mean(600)
    finished_prompt: Mean = Mean(600)
    blocking: Mean = Mean(3600)
    """Seconds per second, see `collisions`: over as long as `steady_need`."""
    speed: Mean = Mean(3600)
    """Seconds spent on work over seconds that the profile says it takes, see `learning`."""
    recent_error: float = 0.16
    """Squared look-ahead error over need, forgotten within half an hour."""
    usual_error: float = 0.16
    """The same over hours."""
    judged: float = 0.0
    """Seconds of forecasts that have come due."""
    level: float = 1.0
    """How much dearer than for any service a miss is for this one while misses are what is planned with, see `attainment`."""
    price: float = 0.0
    """What a missed request is worth now, in units of the work of a request; not part of the digest, see `attainment`."""
    price_blocked: float = 0.0
    """The same of one that long prompts block."""
    life: float = 1.0
    """Seconds for which an answer in progress goes on, on average."""
    forecasts: tuple[tuple[float, float], ...] = ()
    """(time due, need forecast for then), oldest first; not part of the digest."""
    wishes: tuple[tuple[float, int], ...] = ()
    """(time, replicas) of the maxima that a scale-down has to respect: falling from left to right."""
    last_time: float | None = None
    last_up: float = -1e9
    last_down: float = -1e9
    cold_start: float = 180.0
    """Seconds from the order to start until a replica serves: an upper quantile of what was measured."""
    cold_starts: int = 0
    """How many starts were seen."""
    starts: tuple[float, ...] = ()
    """Seconds of the last of them, see `starts`."""
    short_since: float | None = None
    """Since when more replicas are wanted than there are."""
    last_busy: float = -1e9
    limited: bool = False
    """Whether a limit kept the last decision below the wish."""


DIGEST_VERSION = 2
_MEANS = (
    "arrivals", "steady_arrivals", "steady_need", "usual_arrivals", "usual_work", "missed", "generated", "prompt", "output", "output_squares",
    "finished_prompt", "blocking", "speed",
)  # fmt: skip
_LATER = ("unrest", "recent_need")
"""Means that a digest may lack."""
_NUMBERS = ("recent_error", "usual_error", "judged", "level", "life", "cold_start", "cold_starts")


def digest(memory: Memory) -> str:
    """The memory as compact JSON, four significant digits: equal texts mean that nothing worth a write has changed."""
    now = memory.last_time or 0.0
    kept: dict[str, Any] = {"version": DIGEST_VERSION}
    for name in (*_MEANS, *_LATER):
        mean: Mean = getattr(memory, name)
        kept[name] = [_short(mean.amount), _short(mean.weight)]
    kept |= {name: _short(getattr(memory, name)) for name in _NUMBERS}
    kept["starts"] = list(memory.starts)
    kept["wishes"] = [[round(at - now), count] for at, count in memory.wishes]
    kept["since_up"] = round(min(now - memory.last_up, 86400))
    kept["since_down"] = round(min(now - memory.last_down, 86400))
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def from_digest(text: str, *, now: float) -> Memory:
    """The memory behind a digest, its times counted back from `now`; a fresh one where the text is not a digest."""
    try:
        kept = json.loads(text)
        if kept.pop("version") != DIGEST_VERSION:
            return Memory()
        fresh = Memory()
        kept = {**dict.fromkeys(_LATER, (0.0, 0.0)), **kept}
        means = {
            name: getattr(fresh, name)._replace(amount=_number(kept[name][0]), weight=_number(kept[name][1]))
            for name in (*_MEANS, *_LATER)
        }
        numbers: dict[str, Any] = {name: _number(kept[name]) for name in _NUMBERS}
        numbers |= {"cold_starts": int(numbers["cold_starts"]), "last_busy": now}
        wishes = tuple((now + _number(at), int(count)) for at, count in kept["wishes"])
        return Memory(
            **means,
            **numbers,
            starts=tuple(_number(seconds) for seconds in kept.get("starts", ())),
            wishes=wishes,
            last_time=now,
            last_up=now - _number(kept["since_up"]),
            last_down=now - _number(kept["since_down"]),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return Memory()


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _number(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError("not a finite number")
    return number
