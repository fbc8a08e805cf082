"""What is seen of a service at one moment: one value per sample, whoever took it.

Rule: a replica that could not be read is missing (`None`), never zero. Counters are differences since the previous
sample, summed over the replicas that were read at both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplicaLoad:
    """Gauges of one ready replica."""

    running: int
    waiting: int
    cached: float
    """Tokens in the key-value cache."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters since the previous sample."""

    seconds: float
    arrivals: float
    prompt_tokens: float
    """Prompt tokens that arrived, or were worked on."""
    generated: float
    """Output tokens of all requests, finished or not."""
    finished: float
    finished_prompt: float
    """Sum of the prompt tokens of the finished requests."""
    finished_output: float
    """Sum of their output tokens."""
    finished_output_squares: float
    """Sum of the squares, from the buckets of the length histogram."""
    blocking: float
    """Seconds for which the finished prompts kept a replica from answering another one in time (`collisions.blocking`),
    from the buckets of the prompt histogram."""
    late: float
    """Finished requests that missed the objectives, as far as the engine's latency histograms tell."""


@dataclass(frozen=True, slots=True)
class LoadSample:
    """All that one decision looks at; times in seconds of a clock that only goes forward."""

    time: float
    replicas: tuple[ReplicaLoad | None, ...]
    """One entry per ready replica; None where it could not be read."""
    starting: int
    draining: int
    traffic: Traffic | None
    """None where no replica could be read."""
    queued: int = 0
    """Requests held in front of the replicas: by the activator, or by a gateway that says so."""

    @property
    def present(self) -> tuple[ReplicaLoad, ...]:
        return tuple(replica for replica in self.replicas if replica is not None)

    @property
    def missing(self) -> int:
        return len(self.replicas) - len(self.present)

    @property
    def current(self) -> int:
        """Replicas that serve or are about to."""
        return len(self.replicas) + self.starting
