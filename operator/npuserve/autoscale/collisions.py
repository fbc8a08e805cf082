"""How much long prompts get in the way of others, however many replicas there are.

A replica that works on a prompt of 20,000 tokens answers nobody else for seconds. A request that lands on it meanwhile
misses its first-token limit, and does so the more often the fewer replicas share the prompts: with arrivals a second
and `blocking` seconds each on average,

    share of requests hit = HIT * arrivals * blocking / replicas
"""

from __future__ import annotations

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile

HIT = 0.6
"""Share of the requests that do not find a way around a blocked replica, with a router that prefers the fewest requests in
flight: late first tokens of any cause, over half an hour on 8 to 30 replicas, five replayed days of reasoning; 0.53 to 0.67
by day. It is less where the load falls and more where it rises."""
BUSY = 0.7
"""Step time of a replica at work, as a share of the limit."""


def blocking(prompt: float, profile: EngineProfile, objectives: Objectives) -> float:
    """Seconds during which another request that arrives would get its first token too late."""
    return max(0.0, _occupied(prompt, profile, objectives) - objectives.ttft)


def harmless(profile: EngineProfile, objectives: Objectives) -> float:
    """Prompt tokens up to which `blocking` is nothing."""
    return objectives.ttft / _per_token(profile, objectives)


def _occupied(prompt: float, profile: EngineProfile, objectives: Objectives) -> float:
    return prompt * _per_token(profile, objectives)


def _per_token(profile: EngineProfile, objectives: Objectives) -> float:
    """Seconds per prompt token, each chunk sharing its step with the answers in progress."""
    chunk = profile.prefill_pass + BUSY * objectives.step + profile.prefill * profile.batch_tokens
    return chunk / profile.batch_tokens / 1000
