"""What a replica of vLLM would have shown of its requests: its counters and histograms.

The decision sees squares, long prompts and misses through them and not as they are, in a replay as in a cluster. Buckets:
v@0.23.0:vllm/v1/metrics/loggers.py.
"""

from __future__ import annotations

from bisect import bisect_left
from math import inf

from npuserve.autoscale.histogram import Histogram
from npuserve.autoscale.page import Counters

LENGTHS = tuple(float(digit * 10**power) for power in range(6) for digit in (1, 2, 5))
FIRST = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
GAPS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip


class Shown:
    """The counters of one replica since its start."""

    __slots__ = (
        "_first", "_first_total", "_gap", "_gap_high", "_gap_low", "_gaps", "_gaps_total", "_outputs", "_outputs_total", "_prompt",
        "_prompts", "_prompts_total", "_whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self._first = [0] * (len(FIRST) + 1)
        self._gaps = [0] * (len(GAPS) + 1)
        self._prompts = [0] * (len(LENGTHS) + 1)
        self._outputs = [0] * (len(LENGTHS) + 1)
        self._first_total = self._gaps_total = self._whole = 0.0
        self._prompt = self._prompts_total = self._outputs_total = 0
        # The bucket of the last gap: the next one mostly falls there too.
        self._gap = 0
        self._gap_low, self._gap_high = 0.0, GAPS[0]

    def began(self, prompt: int, wait: float) -> None:
        """A request got its first token `wait` seconds after it came."""
        self._first[bisect_left(FIRST, wait)] += 1
        self._first_total += wait
        self._prompt += prompt

    def went_on(self, tokens: int, gap: float) -> None:
        """Tokens were made, each `gap` seconds after the one before it."""
        if not self._gap_low < gap <= self._gap_high:
            self._gap = bisect_left(GAPS, gap)
            self._gap_low = GAPS[self._gap - 1] if self._gap else 0.0
            self._gap_high = GAPS[self._gap] if self._gap < len(GAPS) else inf
        self._gaps[self._gap] += tokens
        self._gaps_total += tokens * gap

    def ended(self, prompt: int, output: int, time: float) -> None:
        """A request had all its tokens `time` seconds after it came."""
        self._prompts[bisect_left(LENGTHS, prompt)] += 1
        self._prompts_total += prompt
        self._outputs[bisect_left(LENGTHS, output)] += 1
        self._outputs_total += output
        self._whole += time

    def counters(self) -> Counters:
        """What a page shows."""
        return Counters(
            arrived=None,
            prompt=self._prompt,
            generated=sum(self._gaps) + sum(self._first),
            finished_prompt=self._prompts_total,
            whole=self._whole,
            first=Histogram(FIRST, tuple(self._first), self._first_total),
            gaps=Histogram(GAPS, tuple(self._gaps), self._gaps_total),
            prompts=Histogram(LENGTHS, tuple(self._prompts), self._prompts_total),
            outputs=Histogram(LENGTHS, tuple(self._outputs), self._outputs_total),
        )
