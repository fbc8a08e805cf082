"""Where a replica shows its load, and under which names: one row per engine and range of versions.

Names are those of the text format, as they stand before the labels; a histogram is named without `_bucket`. Values of
several series of one name (one per data-parallel rank or per model name) belong to the same replica: they are summed,
`cache` is their mean. A name that a version lacks makes its replicas unreadable, so a test holds the rows against what
each version's own sources define.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricSource:
    """One row."""

    port: int
    path: str
    running: str
    """Gauge: requests worked on."""
    waiting: tuple[str, ...]
    """Gauges whose sum is the requests that wait inside the engine."""
    cache: str
    """Gauge: share of the key-value cache in use, 0 to 1."""
    prompt: str
    """Counter: prompt tokens."""
    reused: str | None
    """Counter: those of them that were found in a cache and not worked on; None where the engine does not say."""
    generated: tuple[str, ...]
    """Counters whose sum is the output tokens of all requests, while they are made."""
    arrived: str | None
    """Counter: requests that came; None where they have to be told from first tokens and the queue."""
    finished_prompt: str
    """Counter: prompt tokens of finished requests, those from a cache included."""
    whole: str
    """Counter: seconds of finished requests, each from arrival to end."""
    first: str
    """Histogram: seconds to the first token."""
    gaps: str
    """Histogram: seconds from one token to the next."""
    prompts: str
    """Histogram: prompt tokens worked on, of finished requests."""
    outputs: str
    """Histogram: output tokens of finished requests."""
