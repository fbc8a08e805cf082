"""What one replica can do: the cost of an engine's steps, and the number of replicas that a given work needs.

    step (ms) = base + sequence * running + token * cached + [prefill_pass + prefill * prompt tokens]

With a limit L on the time per output token, n replicas carry the work when

    n * (1 - base / L) >= generation * (sequence + token * context) + prompt * prefill + arrivals * prefill_pass

(rates per ms), which is Little's law on a continuous batch whose steps take L.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """Milliseconds per unit of work of one replica, and what it holds."""

    base: float
    """Of every step."""
    sequence: float
    """Per running request and step."""
    token: float
    """Per token in the key-value cache and step."""
    prefill: float
    """Per prompt token."""
    prefill_pass: float
    """Per pass that takes up a prompt."""
    cache_tokens: int
    """Tokens that the key-value cache of a replica holds."""
    max_sequences: int = 256
    batch_tokens: int = 2048
    """Prompt tokens that one step takes at most."""
    source: Literal["measured", "estimate"] = "measured"

    def scaled(self, factor: float) -> EngineProfile:
        """The same engine, slower by `factor` in all that depends on work."""
        return replace(
            self,
            sequence=self.sequence * factor,
            token=self.token * factor,
            prefill=self.prefill * factor,
        )

    def ideal_prefill(self, prompt_tokens: float) -> float:
        """Seconds until the first token of a prompt that has the replica to itself."""
        return (self.prefill_pass + self.prefill * prompt_tokens) / 1000

    def step(self, running: float, cached: float) -> float:
        """Milliseconds of a step that generates one token for each running request."""
        return self.base + self.sequence * running + self.token * cached

    def share(self, limit: float) -> float:
        """Share of a replica's time that is left for work when its steps take `limit` ms; at least a twentieth."""
        return max(0.05, 1 - self.base / limit)


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of a service, per second; `context` is the mean number of cached tokens of a running request."""

    generation: float
    prompt: float
    arrivals: float
    context: float

    def replicas(self, profile: EngineProfile, limit: float) -> float:
        """Replicas that carry the work within `limit` ms per output token; a fraction."""
        busy = self.generation * (profile.sequence + profile.token * self.context)
        busy += self.prompt * profile.prefill + self.arrivals * profile.prefill_pass
        return busy / 1000 / profile.share(limit)
