"""What one replica shows of itself at one moment, whatever its engine calls it.

Rule: gauges are of the moment, counters since the engine's start. Counters that fell belong to an engine that started
anew: nothing can be said of the time between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from npuserve.autoscale.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Counters:
    """What has happened since the engine's start, or between two pages."""

    arrived: float | None
    """Requests that came; None where the engine does not count them."""
    prompt: float
    """Prompt tokens worked on: those found in a cache are left out."""
    generated: float
    """Output tokens of all requests."""
    finished_prompt: float
    """Prompt tokens of finished requests, those found in a cache included."""
    first: Histogram
    """Seconds to the first token, of requests that got it."""
    pace: Histogram
    """Seconds per further token: means of finished requests, or of single tokens."""
    pace_of: Literal["request", "token"]
    whole: Histogram
    """Seconds from arrival to end, of finished requests."""
    prompts: Histogram
    """Prompt tokens worked on, of finished requests."""
    outputs: Histogram
    """Output tokens of finished requests."""

    def since(self, before: Counters) -> Counters | None:
        """What happened since `before`; None where the engine started anew in between."""
        first, pace = self.first.since(before.first), self.pace.since(before.pace)
        whole, prompts = self.whole.since(before.whole), self.prompts.since(before.prompts)
        outputs = self.outputs.since(before.outputs)
        arrived = None if self.arrived is None or before.arrived is None else self.arrived - before.arrived
        generated, prompt = self.generated - before.generated, self.prompt - before.prompt
        if first is None or pace is None or whole is None or prompts is None or outputs is None:
            return None
        if generated < 0 or prompt < 0 or (arrived is not None and arrived < 0):
            return None
        return Counters(
            arrived=arrived,
            prompt=prompt,
            generated=generated,
            finished_prompt=max(0.0, self.finished_prompt - before.finished_prompt),
            first=first,
            pace=pace,
            pace_of=self.pace_of,
            whole=whole,
            prompts=prompts,
            outputs=outputs,
        )

    def none(self) -> Counters:
        """The counters of the same engine at its start."""
        return Counters(
            arrived=None if self.arrived is None else 0.0,
            prompt=0.0,
            generated=0.0,
            finished_prompt=0.0,
            first=self.first.empty(),
            pace=self.pace.empty(),
            pace_of=self.pace_of,
            whole=self.whole.empty(),
            prompts=self.prompts.empty(),
            outputs=self.outputs.empty(),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Gauges and counters of one replica."""

    running: int
    waiting: int
    cache: float
    """Share of the key-value cache in use, 0 to 1."""
    counters: Counters
