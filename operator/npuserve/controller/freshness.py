"""Whether the operator still hears the cluster and still works: the ages behind /healthz.

Rule: every stream that was opened must have been heard within HEARD_SECONDS (the API server sends a bookmark every
minute), and while services wait or are in work, one pass must have ended within WORKED_SECONDS. A process whose loop
turns but whose watches are dead is not healthy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

HEARD_SECONDS = 150.0
WORKED_SECONDS = 120.0


class Freshness:
    """When each stream was last heard and the last pass ended; times are seconds of `clock`."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[str, float] = {}
        self._waiting_since: float | None = None

    def heard(self, stream: str) -> None:
        """Something arrived: a list, an event, a bookmark or a renewed lease."""
        self._heard[stream] = self._clock()

    def closed(self, stream: str) -> None:
        """The stream is not meant to be heard any more."""
        self._heard.pop(stream, None)

    def work_arrived(self) -> None:
        """A service waits now; the time runs if it did not already."""
        if self._waiting_since is None:
            self._waiting_since = self._clock()

    def worked(self, left: int) -> None:
        """A pass ended, and so many services still wait or are in work."""
        self._waiting_since = self._clock() if left else None

    def ages(self) -> Mapping[str, float]:
        """Seconds since each stream was heard."""
        now = self._clock()
        return {stream: now - since for stream, since in self._heard.items()}

    def stale(self) -> str | None:
        """What is stale, as one sentence; None when nothing is."""
        for stream, age in sorted(self.ages().items()):
            if age > HEARD_SECONDS:
                return f"{stream} was not heard for {age:.0f} s"
        if self._waiting_since is not None and self._clock() - self._waiting_since > WORKED_SECONDS:
            return f"services wait and none was finished for {self._clock() - self._waiting_since:.0f} s"
        return None
