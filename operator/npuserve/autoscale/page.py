"""What one replica shows of itself at one moment, whatever its engine calls it.

Rule: gauges are of the moment, counters since the engine's start. Counters that fell belong to an engine that started
anew: nothing can be said of the time between.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    whole: float
    """Seconds of finished requests, each from arrival to end."""
    first: Histogram
    """Seconds to the first token, of requests that got it."""
    gaps: Histogram
    """Seconds from one token to the next, of all requests."""
    prompts: Histogram
    """Prompt tokens worked on, of finished requests."""
    outputs: Histogram
    """Output tokens of finished requests."""

    def since(self, before: Counters) -> Counters | None:
        """What happened since `before`; None where the engine started anew in between."""
        first, gaps = self.first.since(before.first), self.gaps.since(before.gaps)
        prompts, outputs = self.prompts.since(before.prompts), self.outputs.since(before.outputs)
        arrived = None if self.arrived is None or before.arrived is None else self.arrived - before.arrived
        generated = self.generated - before.generated
        if first is None or gaps is None or prompts is None or outputs is None:
            return None
        if generated < 0 or (arrived is not None and arrived < 0):
            return None
        return Counters(
            arrived=arrived,
            prompt=max(0.0, self.prompt - before.prompt),
            generated=generated,
            finished_prompt=max(0.0, self.finished_prompt - before.finished_prompt),
            whole=max(0.0, self.whole - before.whole),
            first=first,
            gaps=gaps,
            prompts=prompts,
            outputs=outputs,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Gauges and counters of one replica."""

    running: int
    waiting: int
    cache: float
    """Share of the key-value cache in use, 0 to 1."""
    counters: Counters
