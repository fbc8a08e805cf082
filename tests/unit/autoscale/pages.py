"""Pages of replicas, as a test wants them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from npuserve.autoscale.histogram import Histogram
from npuserve.autoscale.page import Counters, Page
from tests.support.vllm_pages import FIRST, PACE, lengths


@dataclass(frozen=True)
class Served:
    """A request that has ended: tokens, seconds until the first token, and seconds in all."""

    prompt: int = 1000
    output: int = 100
    wait: float = 0.5
    time: float = 8.0

    @property
    def pace(self) -> float:
        return (self.time - self.wait) / (self.output - 1) if self.output > 1 else 0.0


def histogram(ends: Sequence[float], values: Sequence[float]) -> Histogram:
    counts = [0] * (len(ends) + 1)
    for value in values:
        counts[bisect_left(ends, value)] += 1
    return Histogram(tuple(ends), tuple(counts), float(sum(values)))


def counters(*served: Served, begun: int = 0, arrived: float | None = None) -> Counters:
    """Counters after those requests; `begun` more have had their first token."""
    waits = [one.wait for one in served] + [0.1] * begun
    return Counters(
        arrived=arrived,
        prompt=float(sum(one.prompt for one in served)),
        generated=float(sum(one.output for one in served) + begun),
        finished_prompt=float(sum(one.prompt for one in served)),
        whole=float(sum(one.time for one in served)),
        first=histogram(FIRST, waits),
        gaps=histogram(PACE, [one.pace for one in served for _ in range(one.output - 1)]),
        prompts=histogram(lengths(200_000), [one.prompt for one in served]),
        outputs=histogram(lengths(200_000), [one.output for one in served]),
    )


def page(*served: Served, running: int = 0, waiting: int = 0, cache: float = 0.0, begun: int = 0) -> Page:
    return Page(running, waiting, cache, counters(*served, begun=begun))
