"""What a scaler would do that knows every request in advance: the floor that no rule can be expected to reach.

Each output token counts in the 30 s bin in which it is due at four fifths of the limit; the need of a bin is the closed
form of `profile.Work`. Replicas are asked for one cold start ahead, and kept when they are wanted again within `kept`
seconds: one cold start is right where answers are short, much more where a replica takes many minutes to drain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, sqrt

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile, Work
from npuserve.autoscale.replay.fleet import Row

BIN = 30.0
PACE = 0.8
"""Share of the limit at which answers are expected to flow."""


def needs(trace: Sequence[Row], profile: EngineProfile, objectives: Objectives) -> list[float]:
    """Replicas needed in each bin of the trace."""
    count = int(trace[-1][0] // BIN) + 2
    arrivals, prompts = [0.0] * count, [0.0] * count
    tokens, active, cached = ([0.0] * (count + 1) for _ in range(3))
    for at, prompt, output in trace:
        first = int(at // BIN)
        lasting = output * objectives.per_token * PACE
        last = min(int((at + lasting) // BIN), count - 1)
        arrivals[first] += 1
        prompts[first] += prompt
        span = last - first + 1
        for into, amount in ((tokens, output), (active, lasting), (cached, lasting * (prompt + output / 2))):
            into[first] += amount / span
            into[last + 1] -= amount / span
    running = zip(arrivals, prompts, accumulate(tokens), accumulate(active), accumulate(cached), strict=False)
    found = []
    for requests, prompt_tokens, output_tokens, in_flight, held in running:
        work = Work(output_tokens / BIN, prompt_tokens / BIN, requests / BIN, held / max(1e-9, in_flight))
        carried = work.replicas(profile, objectives.step)
        found.append(max(carried, held / BIN / (0.9 * profile.cache_tokens)))
    return found


@dataclass(slots=True)
class Oracle:
    """need + margin * sqrt(need), early enough and for long enough."""

    needs: Sequence[float]
    cold_start: float
    margin: float
    least: int
    most: int
    kept: float
    """Seconds."""
    every: float = 15.0
    _sized: list[int] = field(default_factory=list)

    def wanted(self, sample: LoadSample) -> int:
        if not self._sized:
            self._sized = [ceil(need + self.margin * sqrt(max(0.0, need)) - 0.1) for need in self.needs]
        now, ahead = sample.time, self.cold_start + BIN
        up, down = self._most(now, now + ahead), self._most(now, now + ahead + self.kept)
        current = sample.current
        wish = up if up > current else min(down, current)
        return max(self.least, min(self.most, wish))

    def _most(self, start: float, end: float) -> int:
        return max(self._sized[int(start // BIN) : int(end // BIN) + 1], default=0)
