"""What is asked of the service now, and what will be asked when a replica started now would serve.

Rule: token work, not requests and not use. Answers in progress generate tokens and end after their mean residual life;
arrivals take their place (M/G/inf):

    generation(T) = generation * exp(-T / life) + arrivals * output * (1 - exp(-T / life))

Short answers make that a forecast from the rate, long ones from the state; nothing switches. Saturation cannot hide
demand: every request in flight counts at least at the pace of the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.profile import EngineProfile, Work
from npuserve.autoscale.settings import Settings

LOOP = 5.0
"""Seconds between two decisions."""
FULL_CACHE = 0.85
"""Share of the key-value cache that may be planned with."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Replicas, as fractions, with the work behind them."""

    now: float
    ahead: float
    """When a replica started now would serve."""
    cache: float
    """Replicas whose key-value caches hold what is in flight."""
    backlog: float
    """Replica-seconds of work in the queues."""
    arrivals: float
    """Requests per second."""
    tokens: float
    """Output tokens per second, now."""
    per_request: float
    """Replica-seconds of work of a request."""
    life: float
    """Seconds for which an answer in progress goes on, on average."""


def demand(sample: LoadSample, memory: Memory, settings: Settings, profile: EngineProfile) -> Demand:
    """The demand behind a sample; `memory` has seen its traffic."""
    limit = settings.objectives.step
    running = sum(replica.running for replica in sample.present)
    waiting = sum(replica.waiting for replica in sample.present) + sample.queued
    cached = sum(replica.cached for replica in sample.present)
    arrivals, output, prompt = memory.arrivals.value, memory.output.value, memory.finished_prompt.value
    pace = memory.generated.value
    generation = max(pace + waiting / limit * 1000, (running + waiting) / limit * 1000)
    context = cached / running if running >= 5 else prompt + output / 2
    prompts = arrivals * memory.prompt.value

    step = 1000 * running / pace if pace > 0 and running else limit
    residual = max(output, memory.output_squares.value / (2 * output)) if output else 1.0
    life = max(1.0, residual * min(step, 1.5 * limit) / 1000)
    stays = exp(-(memory.cold_start + LOOP) / life)
    later = generation * stays + arrivals * output * (1 - stays)

    per_request = Work(output, memory.prompt.value, 1.0, context).replicas(profile, limit)
    return Demand(
        now=Work(generation, prompts, arrivals, context).replicas(profile, limit),
        ahead=Work(later, prompts, arrivals, context).replicas(profile, limit),
        cache=(cached + waiting * prompt) / (FULL_CACHE * profile.cache_tokens),
        backlog=waiting * per_request,
        arrivals=arrivals,
        tokens=generation,
        per_request=per_request,
        life=life,
    )
