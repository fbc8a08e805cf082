"""How many requests missed the objectives, as far as a replica's histograms tell.

Histograms say how long tokens took and how long requests were, not which took how long. Two ways to be late:

first token     Of the prompt tokens worked on, the request that waited longest is taken to have had the most, the next
                far less, as is where prompts differ much (share of the n-th ~ n ** -STEEP). Late where
                    wait > limit(prompt) = objectives.ttft + prefill_slack * ideal prefill

stream          The pace of an answer of n tokens after the first is that of all that ended, and deviates the less the
                longer it is: what holds up one token in many, another's prompt, evens out. With the mean wait, every
                answer falls behind with the chance of
                    pace > per_token + (limit - wait) / n,    pace ~ Laplace(mean, deviation of gaps / sqrt(n))

Both are added: whose end is late because its first token was is in the first alone, as only a pace counts in the second.
On 22 replayed days the sum is 0.83 to 1.08 of the exact count, 0.95 in the middle (operator/README.md).
"""

from __future__ import annotations

from math import exp, sqrt

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.page import Counters
from npuserve.autoscale.profile import EngineProfile

STEEP = 5
"""Fitted on replayed days: how fast the share of the prompt tokens falls with the rank of the wait."""


def late(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests that missed the objectives: the first token when it came, or the rest when it ended."""
    first = late_first(counters, profile, objectives)
    stream = late_stream(counters, profile, objectives)
    return min(first + stream, max(first, counters.outputs.count))


def late_first(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests whose first token came too late."""
    if counters.first.most <= objectives.ttft:
        return 0.0
    waits = counters.first.values()
    shares = [rank**-STEEP for rank in range(len(waits), 0, -1)]
    tokens = counters.prompt / sum(shares)
    return sum(
        wait > objectives.first_token(profile.ideal_prefill(tokens * share))
        for wait, share in zip(waits, shares, strict=True)
    )


def late_stream(counters: Counters, profile: EngineProfile, objectives: Objectives) -> float:
    """Requests whose stream fell behind."""
    answers, gaps = counters.outputs.count, counters.gaps.count
    further = counters.outputs.total - answers
    if not gaps or further <= 0:
        return 0.0
    mean = counters.gaps.total / gaps
    wait = counters.first.total / counters.first.count if counters.first.count else 0.0
    limit = objectives.first_token(profile.ideal_prefill(counters.prompts.total / answers))
    left = max(0.0, limit - min(wait, objectives.ttft))
    pace = max(0.0, counters.whole - answers * wait) / further
    deviation = sqrt(max(1e-9, counters.gaps.squares / gaps - mean * mean))
    late = 0.0
    for tokens in counters.outputs.values():
        if tokens > 1.5:
            late += _above((objectives.per_token + left / (tokens - 1) - pace) * sqrt(tokens - 1) / deviation)
    return late


def _above(deviations: float) -> float:
    """Chance of more than so many standard deviations above the mean, after Laplace."""
    half = 0.5 * exp(-abs(deviations) * sqrt(2))
    return half if deviations > 0 else 1 - half
