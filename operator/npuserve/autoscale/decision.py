"""How many replicas from now on, and why: one sample in, one decision out.

Rule: `decide` is total and deterministic and asks no clock. What is wanted follows from the load alone (`demand`, `headroom`);
how soon it is had is a matter of `manners`. A replica that could not be read is ignored on the way up and held on the way
down; where none could, nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt

from npuserve.autoscale.demand import LOOP, Demand, demand
from npuserve.autoscale.headroom import Risk
from npuserve.autoscale.learning import collided, judge, learn_price, learn_speed, learn_work, learned, observe
from npuserve.autoscale.load import LoadSample, Traffic
from npuserve.autoscale.manners import Constraint, allowed, limits
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.news import hurried, news
from npuserve.autoscale.settings import Settings

FEWEST_ANSWERS = 5
"""Answers without which nothing is known of the requests."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Replicas to have, with what led there; fractions are replicas."""

    replicas: int
    wanted: int
    """Before the limits and before holding back."""
    constraint: Constraint
    reason: str
    """One sentence for people."""
    need: float = 0.0
    forecast: float = 0.0
    headroom: float = 0.0
    arrivals: float = 0.0
    """Requests per second."""
    tokens: float = 0.0
    """Output tokens per second."""
    next_change: float | None = None
    """Seconds until replicas may come or go, where that is what is waited for."""
    estimated: bool = False
    """The engine's profile is an estimate."""


def decide(memory: Memory, sample: LoadSample, settings: Settings) -> tuple[Memory, Decision]:
    """The decision at a sample, and the memory for the next."""
    traffic = sample.traffic
    if sample.current == 0:
        return _at_zero(memory, sample, settings)
    if traffic is None or (sample.replicas and not sample.present):
        return memory, _stay(sample, settings, "MetricsMissing", "no replica could be read, so nothing changes")
    if memory.last_time is None:
        # What runs before anything is known was somebody's choice: it counts as needed just now.
        memory = memory._replace(wishes=((sample.time, sample.current),))
    traffic = replace(traffic, seconds=max(traffic.seconds, 1e-3))
    memory = learn_speed(observe(memory, traffic), sample, traffic, settings.profile)
    memory = _timed(memory, sample, traffic)
    idle = _idle(memory, sample, settings)
    if idle:
        # The time without a request was the hold.
        settings = replace(settings, hold=0.0, hold_lives=0.0)
    elif memory.output.weight < FEWEST_ANSWERS:
        return memory, _stay(sample, settings, "Learning", "too few answers have ended to know what requests need")
    profile = learned(memory, settings.profile)
    found = demand(sample, memory, settings, profile)
    memory = learn_work(memory, found, traffic)
    memory = learn_price(memory, traffic, settings.share)
    wish = _wanted(found, memory, sample, idle=idle)
    sudden = demand(sample, hurried(memory), settings, profile) if news(memory) else found
    hasty = _wanted(sudden, memory, sample, idle=idle)
    # Judged only now: a queue that makes a forecast come true would otherwise make the next one look sure.
    memory = judge(memory, found, sample.time, traffic.seconds)
    memory = _wished(memory, wish[0], sample, held=settings.held(found.life))
    if hasty[0] > wish[0]:
        found, wish = sudden, hasty
    wanted, constraint = wish
    replicas, constraint, reason, wait = allowed(
        wanted, constraint, found, memory=memory, sample=sample, settings=settings
    )
    memory = _ordered(memory, replicas, sample, limited=wanted > replicas and constraint != "Holding")
    decision = Decision(
        replicas, wanted, constraint, reason, found.now, found.ahead, max(0.0, wanted - found.ahead), found.arrivals, found.tokens, wait,
        settings.profile.source == "estimate",
    )  # fmt: skip
    return memory, decision


def _at_zero(memory: Memory, sample: LoadSample, settings: Settings) -> tuple[Memory, Decision]:
    least, most = limits(settings)
    memory = memory._replace(last_time=sample.time)
    if sample.queued and most:
        memory = memory._replace(last_busy=sample.time, last_up=sample.time)
        return memory, Decision(max(1, least), 1, "FromZero", f"{sample.queued} requests wait for the first replica")
    reason = f"{least} replicas at least" if least else "no request waits"
    return memory, Decision(least, least, "MinReplicas" if least else "Idle", reason)


def _stay(sample: LoadSample, settings: Settings, constraint: Constraint, reason: str) -> Decision:
    least, _ = limits(settings)
    current = sample.current
    # Room that shrank takes nothing away: what runs has its devices.
    kept = max(least, min(current, settings.most))
    return Decision(kept, current, constraint, reason, estimated=settings.profile.source == "estimate")


def _timed(memory: Memory, sample: LoadSample, traffic: Traffic) -> Memory:
    """The memory of when the service was looked at last, and when it had something to do."""
    busy = sample.queued or traffic.arrivals or any(one.running or one.waiting for one in sample.present)
    since = sample.time if busy or memory.last_busy < 0 else memory.last_busy
    return memory._replace(last_time=sample.time, last_busy=since)


def _idle(memory: Memory, sample: LoadSample, settings: Settings) -> bool:
    return (
        settings.least == 0
        and settings.floor == 0
        and sample.time - memory.last_busy >= settings.idle
        and not sample.missing
    )


def _wished(memory: Memory, wanted: int, sample: LoadSample, *, held: float) -> Memory:
    """The memory after a wish for replicas, which keeps them from going for `held` seconds."""
    kept = (wish for wish in memory.wishes if wish[1] > wanted and wish[0] > sample.time - held)
    since = None if wanted <= sample.current else sample.time if memory.short_since is None else memory.short_since
    return memory._replace(wishes=(*kept, (sample.time, wanted)), short_since=since)


def _ordered(memory: Memory, replicas: int, sample: LoadSample, *, limited: bool) -> Memory:
    """The memory after an order; `limited` where a limit keeps it below the wish."""
    up = sample.time if replicas > sample.current else memory.last_up
    down = sample.time if replicas < sample.current else memory.last_down
    return memory._replace(last_up=up, last_down=down, limited=limited)


def _wanted(found: Demand, memory: Memory, sample: LoadSample, *, idle: bool) -> tuple[int, Constraint]:
    """Replicas that the load asks for, without limits beyond a thousand, and what asks most."""
    if idle:
        return 0, "Idle"
    wishes: list[tuple[int, Constraint]] = [
        (min(1000, ceil(found.cache)), "Cache"),
        (_risk(found, memory).replicas(1000), "Demand"),
    ]
    spare = (sample.current - found.ahead) * memory.cold_start
    if found.backlog > max(0.0, spare):
        help_in_time = found.ahead + found.backlog / memory.cold_start
        wishes.insert(0, (min(1000, ceil(help_in_time)), "Backlog"))
    return max(wishes, key=lambda wish: wish[0])


def _risk(found: Demand, memory: Memory) -> Risk:
    """What more replicas would prevent, and what that is worth."""
    usual, steady = memory.usual_arrivals.value, memory.steady_arrivals.value
    rate = sqrt(steady * max(steady, usual))
    return Risk(
        need=found.ahead,
        spread=sqrt((memory.recent_error + memory.usual_error) / 2),
        blocked=collided(memory),
        worth=memory.price * memory.usual_work.value * rate,
        worth_blocked=memory.price_blocked * memory.usual_work.value * steady,
    )


__all__ = ["LOOP", "Constraint", "Decision", "decide"]
