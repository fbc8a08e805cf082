"""What a histogram of coarse buckets and an exact sum say of the values behind it.

Rule: values lie evenly in their buckets, and all are then moved by the same share of the way to the upper or the lower
end of their bucket, so that they add up to the known sum. A single value is exact, a few nearly so; that is the case for
one replica between two samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import sub

BEYOND = 2.0
"""Where values of the last bucket, which has no end, are looked for at most: times its beginning."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by bucket."""

    bounds: tuple[float, ...]
    """Upper ends, rising; values beyond the last lie in one more bucket."""
    counts: tuple[float, ...]
    """Of each bucket alone, one more than bounds."""
    total: float
    """Sum of the values."""

    @property
    def count(self) -> float:
        """How many values there are."""
        return sum(self.counts)

    def since(self, before: Histogram) -> Histogram | None:
        """What was added since `before`; None where it is no continuation of that."""
        if self.bounds != before.bounds:
            return None
        counts = tuple(map(sub, self.counts, before.counts))
        if min(counts) < 0:
            return None
        return Histogram(self.bounds, counts, max(0.0, self.total - before.total))

    @property
    def most(self) -> float:
        """What no value exceeds: the end of the last bucket that holds any."""
        buckets = self.buckets()
        return buckets[-1][1] if buckets else 0.0

    def buckets(self) -> list[tuple[float, float, int]]:
        """Lower end, upper end and count of those that hold values."""
        ends = (0.0, *self.bounds, BEYOND * self.bounds[-1])
        return [(ends[index], ends[index + 1], count) for index, count in enumerate(map(round, self.counts)) if count]

    @property
    def squares(self) -> float:
        """Sum of the squares of values that lie evenly in their buckets."""
        return sum(count * (low * low + low * high + high * high) / 3 for low, high, count in self.buckets())

    def values(self) -> list[float]:
        """Values that the buckets and the sum agree with, rising."""
        buckets = self.buckets()
        evenly = [low + (high - low) * (index + 0.5) / count for low, high, count in buckets for index in range(count)]
        apart = self.total - sum(evenly)
        towards = [high if apart > 0 else low for low, high, count in buckets for _ in range(count)]
        room = sum([abs(end - value) for end, value in zip(towards, evenly, strict=True)])
        if not room:
            return evenly
        share = min(1.0, abs(apart) / room)
        return [value + share * (end - value) for end, value in zip(towards, evenly, strict=True)]
