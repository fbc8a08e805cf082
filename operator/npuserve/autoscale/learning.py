"""What the samples teach: the mix of requests, the engine's true speed, and how far forecasts go wrong.

The engine's speed is one factor on the work part of its profile, from the identity of busy time: in a second, each busy
replica spends steps * base + factor * work. The factor is the ratio of sums, not a regression: prompts are counted when
they arrive and worked on later, and noise in the work would bias a slope. A pull towards 1 lets an almost idle replica
teach next to nothing.
"""

from __future__ import annotations

from math import exp

from npuserve.autoscale.attainment import PLANNED, colliding, collision_price, dearest_hit, next_level, price, used
from npuserve.autoscale.collisions import HIT
from npuserve.autoscale.demand import Demand
from npuserve.autoscale.load import LoadSample, Traffic
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.news import notice, window
from npuserve.autoscale.profile import EngineProfile

PROMPTS = 120.0
"""Seconds of what counts as now for the length of prompts, at least."""
RECENT, USUAL = 1500.0, 6 * 3600.0
"""Seconds in which look-ahead errors are forgotten."""
FEWEST_ERRORS = 1800.0
"""Seconds of forecasts that the prior counts as."""
SLOWEST, FASTEST = 2.0, 0.5
"""Bounds of the factor on the engine's work."""
PULL = 60.0
"""Seconds of work that the profile as given counts as."""
HIGHEST_RISE = 10.0
"""Bound of what a quarter of an hour tells of an hour's long prompts, either way."""


def observe(memory: Memory, traffic: Traffic) -> Memory:
    """The memory after the counters of one sample."""
    elapsed, finished = traffic.seconds, traffic.finished
    now = window(memory.life)
    return notice(memory, traffic)._replace(
        arrivals=memory.arrivals.add(traffic.arrivals, elapsed, elapsed=elapsed, seconds=now),
        steady_arrivals=memory.steady_arrivals.add(traffic.arrivals, elapsed, elapsed=elapsed),
        usual_arrivals=memory.usual_arrivals.add(traffic.arrivals, elapsed, elapsed=elapsed),
        missed=memory.missed if memory.limited else memory.missed.add(traffic.late, finished, elapsed=elapsed),
        generated=memory.generated.add(traffic.generated, elapsed, elapsed=elapsed),
        prompt=memory.prompt.add(traffic.prompt_tokens, traffic.arrivals, elapsed=elapsed, seconds=max(PROMPTS, now)),
        output=memory.output.add(traffic.finished_output, finished, elapsed=elapsed),
        output_squares=memory.output_squares.add(traffic.finished_output_squares, finished, elapsed=elapsed),
        finished_prompt=memory.finished_prompt.add(traffic.finished_prompt, finished, elapsed=elapsed),
        blocking=memory.blocking.add(traffic.blocking, elapsed, elapsed=elapsed),
    )


def learn_speed(memory: Memory, sample: LoadSample, traffic: Traffic, profile: EngineProfile) -> Memory:
    """The memory after comparing what the engines did in this sample with what the profile says of it."""
    busy = [replica for replica in sample.present if replica.running]
    running = sum(replica.running for replica in busy)
    if not busy or sample.missing or sample.draining or not traffic.generated:
        return memory
    generated = traffic.generated / traffic.seconds
    steps = generated * len(busy) / running
    cached = sum(replica.cached for replica in busy) / running
    work = generated * (profile.sequence + profile.token * cached)
    work += (traffic.prompt_tokens * profile.prefill + traffic.arrivals * profile.prefill_pass) / traffic.seconds
    spent = 1000 * len(busy) - steps * profile.base
    seconds = traffic.seconds / 1000
    return memory._replace(speed=memory.speed.add(spent * seconds, work * seconds, elapsed=traffic.seconds))


def learned(memory: Memory, profile: EngineProfile) -> EngineProfile:
    """The profile with what was learned of the engine's speed."""
    pulled = (memory.speed.amount + PULL) / (memory.speed.weight + PULL)
    return profile.scaled(min(SLOWEST, max(FASTEST, pulled)))


def learn_work(memory: Memory, found: Demand, traffic: Traffic) -> Memory:
    """The memory after what a request and its answer are at present."""
    arrivals = traffic.arrivals
    work = memory.usual_work.add(found.per_request * arrivals, arrivals, elapsed=traffic.seconds)
    needed, seconds = found.now * traffic.seconds, traffic.seconds
    return memory._replace(
        life=found.life,
        usual_work=work,
        steady_need=memory.steady_need.add(needed, seconds, elapsed=seconds),
        recent_need=memory.recent_need.add(needed, seconds, elapsed=seconds),
    )


def learn_price(memory: Memory, traffic: Traffic, share: float) -> Memory:
    """The memory after what is used up of the misses that the goal, `share`, allows."""
    over = used(memory.missed, share=share, rate=memory.usual_arrivals.value) - PLANNED
    blocked, load = collided(memory), memory.steady_need.value
    sure = colliding(blocked, load, share=share)
    level = next_level(memory.level, over, seconds=traffic.seconds, sure=sure)
    worth = max(price(over, level), collision_price(blocked, load, share=share))
    return memory._replace(level=level, price=worth, price_blocked=min(dearest_hit(over), worth))


def collided(memory: Memory) -> float:
    """Share of the requests that long prompts would block on a single replica.

    Long prompts are few, so that it takes an hour to count them; what they are of the work changes more slowly than the
    work, which tells within minutes when there are more.
    """
    steady = memory.steady_need.value
    rise = memory.recent_need.value / steady if steady > 0 else 1.0
    return HIT * memory.blocking.value * min(HIGHEST_RISE, max(1 / HIGHEST_RISE, rise))


def judge(memory: Memory, found: Demand, now: float, elapsed: float) -> Memory:
    """The memory after comparing forecasts that have come due with what is, and with a new forecast noted."""
    recent, usual, judged = memory.recent_error, memory.usual_error, memory.judged
    coming = list(memory.forecasts)
    while coming and coming[0][0] <= now:
        forecast = coming.pop(0)[1]
        error = (found.now - forecast) ** 2 / max(0.5, forecast)
        judged += elapsed
        recent += (1 - exp(-elapsed / RECENT)) * (error - recent)
        usual += max(1 - exp(-elapsed / USUAL), elapsed / (judged + FEWEST_ERRORS)) * (error - usual)
    coming.append((now + memory.cold_start + elapsed, found.ahead))
    return memory._replace(
        recent_error=recent,
        usual_error=usual,
        judged=judged,
        forecasts=tuple(coming),
    )
