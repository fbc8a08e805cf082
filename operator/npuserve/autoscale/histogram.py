"""What a histogram of coarse buckets and an exact sum say of the values behind it.

Rule: values lie evenly in their buckets, and all are then moved by the same share of the way to the upper or the lower
end of their bucket, so that they add up to the known sum. A single value is exact, a few nearly so; that is the case for
one replica between two samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
        counts = tuple(now - then for now, then in zip(self.counts, before.counts, strict=False))
        if self.bounds != before.bounds or min(counts) < 0:
            return None
        return Histogram(self.bounds, counts, max(0.0, self.total - before.total))

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """Lower end, upper end and count of those that hold values."""
        low = 0.0
        for high, count in zip((*self.bounds, BEYOND * self.bounds[-1]), self.counts, strict=True):
            if count:
                yield low, high, round(count)
            low = high

    @property
    def squares(self) -> float:
        """Sum of the squares of values that lie evenly in their buckets."""
        return sum(count * (low * low + low * high + high * high) / 3 for low, high, count in self.buckets())

    def values(self) -> list[float]:
        """Values that the buckets and the sum agree with, rising."""
        spread = [
            (low, high, low + (high - low) * (index + 0.5) / count)
            for low, high, count in self.buckets()
            for index in range(count)
        ]
        apart = self.total - sum(value for _, _, value in spread)
        room = sum((high - value if apart > 0 else value - low) for low, high, value in spread)
        if not room:
            return [value for _, _, value in spread]
        share = max(-1.0, min(1.0, apart / room))
        if share > 0:
            return [value + share * (high - value) for _, high, value in spread]
        return [value + share * (value - low) for low, _, value in spread]
