"""The metrics pages of a replica over time, made before anything is measured: a recording costs its server nothing to play.

A page is what the engine's own client library wrote at that second of a life under load, so counters, gauges and
histograms fit together, and grow as they do.
"""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass

from tests.support.engine_page import vllm
from tests.support.engine_replica import Replica, Request, Speed

TICK = 0.05
SPEED = Speed(base=54.0, sequence=0.3, token=0.0003, prefill=0.2)
"""Near what the operator estimates for the model."""
MODEL = "Qwen3-8B"
PROMPT, OUTPUT = 600, 200


@dataclass(frozen=True, slots=True)
class Recording:
    """One page per second."""

    pages: tuple[bytes, ...]
    packed: tuple[bytes, ...]
    """The same, compressed as the engine's server does it for clients that accept it."""

    def at(self, second: float, *, packed: bool) -> bytes:
        """The page at that second; the last one from the end on."""
        pages = self.packed if packed else self.pages
        return pages[min(max(0, int(second)), len(pages) - 1)]


def recording(
    seconds: int, rate: float, *, step_at: float | None = None, step: float = 1.0, seed: int = 1
) -> Recording:
    """A replica that takes `rate` requests a second, and from `step_at` on `step` times as many."""
    draw = random.Random(seed)
    replica = Replica(vllm(MODEL), 0.0, SPEED)
    pages, due, ticks = [], draw.expovariate(rate), round(1 / TICK)
    for tick in range(seconds * ticks):
        now = tick * TICK
        while due <= now:
            replica.add(Request(PROMPT, _length(draw), due))
            stepped = step_at is not None and due >= step_at
            due += draw.expovariate(rate * (step if stepped else 1.0))
        replica.advance(now)
        if tick % ticks == 0:
            pages.append(replica.page())
    return Recording(tuple(pages), tuple(gzip.compress(page, compresslevel=1) for page in pages))


def _length(draw: random.Random) -> int:
    """Tokens of an answer: most are short, some are long."""
    return max(1, min(2000, int(draw.lognormvariate(5.0, 0.7))))
