"""What other rules see: samples as late as their pipeline delivers them, and sums over windows of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from npuserve.autoscale.load import LoadSample

KEPT = 720.0
"""Seconds of samples that any peer looks back on."""


class History:
    """Samples that could be read, newest last, `lag` seconds behind; a lost sample leaves the one before in force."""

    def __init__(self, lag: float = 0.0) -> None:
        self.lag = lag
        self._held: deque[LoadSample] = deque()
        self._coming: deque[LoadSample] = deque()

    def see(self, sample: LoadSample) -> LoadSample | None:
        """Take a sample in and return the newest that the pipeline has delivered by then."""
        if sample.traffic is not None:
            self._coming.append(sample)
        while self._coming and self._coming[0].time <= sample.time - self.lag:
            self._held.append(self._coming.popleft())
        while self._held and self._held[0].time < sample.time - KEPT:
            self._held.popleft()
        return self._held[-1] if self._held else None

    def last(self, seconds: float) -> Iterator[LoadSample]:
        """The delivered samples of the `seconds` before the newest, newest first."""
        for sample in reversed(self._held):
            if sample.time <= self._held[-1].time - seconds:
                return
            yield sample


def running(sample: LoadSample) -> int:
    """Requests that the readable replicas work on."""
    return sum(replica.running for replica in sample.present)


def waiting(sample: LoadSample) -> int:
    """Requests that wait in their queues."""
    return sum(replica.waiting for replica in sample.present)


def active(sample: LoadSample) -> int:
    """Requests in flight."""
    return running(sample) + waiting(sample)
