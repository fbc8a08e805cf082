"""How many replicas from now on, and why: one sample in, one decision out.

Rule: `decide` is total and deterministic and asks no clock. Up at once to what is wanted, by a single replica once the
wish has lasted or more requests come than chance makes; down only to the largest wish of the last `hold` seconds, a few
at a time, never while something starts, drains or waits, and never on missing data: a replica that could not be read is
ignored on the way up and held on the way down. Limits hold always.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Literal

from npuserve.autoscale.collisions import DEAREST_BLOCKED, HIT
from npuserve.autoscale.demand import LOOP, Demand, demand
from npuserve.autoscale.headroom import Risk
from npuserve.autoscale.learning import judge, learn_price, learn_speed, learn_work, learned, observe
from npuserve.autoscale.load import LoadSample, Traffic
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.news import news
from npuserve.autoscale.settings import Settings

Constraint = Literal[
    "Demand", "Cache", "Backlog", "MinReplicas", "MaxReplicas", "Schedule", "Capacity", "MetricsMissing", "Learning", "Holding",
    "Starting", "Queueing", "Idle", "FromZero",
]  # fmt: skip
"""What decided the number."""

FEWEST_ANSWERS = 5
"""Answers without which nothing is known of the requests."""
QUEUE_SHARE = 0.1
"""Waiting requests, as a share of the running ones, from which nothing is taken away."""


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
    """Seconds until replicas may go, where that is what is waited for."""
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
        memory = replace(memory, wishes=((sample.time, sample.current),))
    traffic = replace(traffic, seconds=max(traffic.seconds, 1e-3))
    memory = observe(memory, traffic)
    memory = learn_speed(memory, sample, traffic, settings.profile)
    memory = _timed(memory, sample, traffic)
    idle = _idle(memory, sample, settings)
    if idle:
        # The time without a request was the hold.
        settings = replace(settings, hold=0.0, hold_lives=0.0)
    elif memory.output.weight < FEWEST_ANSWERS:
        return memory, _stay(sample, settings, "Learning", "too few answers have ended to know what requests need")
    found = demand(sample, memory, settings, learned(memory, settings.profile))
    memory = learn_work(memory, found, traffic)
    memory = learn_price(memory, traffic, settings.share)
    wanted, constraint = _wanted(found, memory, sample, idle=idle)
    # Judged only now: a queue that makes a forecast come true would otherwise make the next one look sure.
    memory = judge(memory, found, sample.time, traffic.seconds)
    memory = _wished(memory, wanted, sample, held=settings.held(found.life))
    replicas, constraint, reason, wait = _allowed(
        wanted, constraint, found, memory=memory, sample=sample, settings=settings
    )
    if replicas > sample.current:
        memory = replace(memory, last_up=sample.time)
    elif replicas < sample.current:
        memory = replace(memory, last_down=sample.time)
    memory = replace(memory, limited=wanted > replicas and constraint != "Holding")
    decision = Decision(
        replicas, wanted, constraint, reason, found.now, found.ahead, max(0.0, wanted - found.ahead), found.arrivals, found.tokens, wait,
        settings.profile.source == "estimate",
    )  # fmt: skip
    return memory, decision


def limits(settings: Settings) -> tuple[int, int]:
    """The least and the most replicas that the service, its schedule and the cluster allow."""
    most = settings.most if settings.room is None else max(0, min(settings.most, settings.room.replicas))
    return min(max(settings.least, settings.floor), most), most


def _at_zero(memory: Memory, sample: LoadSample, settings: Settings) -> tuple[Memory, Decision]:
    least, most = limits(settings)
    memory = replace(memory, last_time=sample.time)
    if sample.queued and most:
        memory = replace(memory, last_busy=sample.time, last_up=sample.time)
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
    return replace(memory, last_time=sample.time, last_busy=since)


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
    return replace(memory, wishes=(*kept, (sample.time, wanted)), short_since=since)


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
    per_price = memory.usual_work.value * sqrt(steady * max(steady, usual))
    return Risk(
        need=found.ahead,
        spread=sqrt((memory.recent_error + memory.usual_error) / 2),
        blocked=HIT * memory.blocking.value,
        worth=memory.price * per_price,
        worth_blocked=min(DEAREST_BLOCKED, memory.price) * per_price,
    )


def _allowed(
    wanted: int, constraint: Constraint, found: Demand, *, memory: Memory, sample: LoadSample, settings: Settings
) -> tuple[int, Constraint, str, float | None]:
    """Replicas within limits and manners, what bound them, the sentence, and the seconds until more may go."""
    current = sample.current
    least, most = limits(settings)
    if wanted > most and most <= max(current, least):
        kept = max(least, min(current, settings.most))
        if settings.room is not None and settings.room.replicas < settings.most:
            return kept, "Capacity", f"wants {wanted}, room for {most} ({settings.room.what})", None
        return kept, "MaxReplicas", f"wants {wanted}, maxReplicas is {settings.most}", None
    if current < least:
        if least > wanted:
            return least, *_floor(settings, least), None
        return min(wanted, most), constraint, _sentence(constraint, found, wanted), None
    if wanted > current:
        wait = _patience(wanted, constraint, found, memory=memory, sample=sample, settings=settings)
        if wait > 0:
            reason = f"wants {wanted}; a wish for one more has to last {wait:.0f} s longer"
            return current, "Holding", reason, wait
        count = min(wanted, most)
        return count, constraint, _sentence(constraint, found, wanted), None
    if current > settings.most:
        return settings.most, "MaxReplicas", f"maxReplicas is {settings.most}", None
    return _down(wanted, constraint, found, memory=memory, sample=sample, settings=settings)


def _patience(
    wanted: int, constraint: Constraint, found: Demand, *, memory: Memory, sample: LoadSample, settings: Settings
) -> float:
    """Seconds for which a wish for more still has to last."""
    if constraint != "Demand" or wanted > sample.current + 1 or memory.short_since is None:
        return 0.0
    return settings.patience(found.life, news=news(memory)) - (sample.time - memory.short_since)


def _down(
    wanted: int, constraint: Constraint, found: Demand, *, memory: Memory, sample: LoadSample, settings: Settings
) -> tuple[int, Constraint, str, float | None]:
    current, now = sample.current, sample.time
    least, _ = limits(settings)
    if wanted == current:
        return current, constraint, _sentence(constraint, found, wanted), None
    if current <= least:
        return current, *_floor(settings, least), None
    if sample.missing:
        return current, "MetricsMissing", f"{sample.missing} replicas could not be read, so none is taken away", None
    if sample.starting:
        return current, "Starting", f"needs {wanted}; none is taken away while {sample.starting} start", None
    running = sum(replica.running for replica in sample.present)
    waiting = sum(replica.waiting for replica in sample.present) + sample.queued
    if waiting > QUEUE_SHARE * max(10, running):
        return current, "Queueing", f"needs {wanted}; none is taken away while {waiting} requests wait", None
    since, held = memory.wishes[0]
    if held >= current:
        wait = max(0.0, since + settings.held(found.life) - now)
        return current, "Holding", f"needs {wanted}; {held} were needed {now - since:.0f} s ago", wait
    pause = memory.last_down + settings.down_pause - now
    if pause > 0:
        return current, "Holding", f"needs {wanted}; the last scale-down is {now - memory.last_down:.0f} s ago", pause
    target = max(held, current - settings.down_step, least)
    if target == least > held:
        return target, *_floor(settings, least), None
    return target, constraint, _sentence(constraint, found, wanted), None


def _floor(settings: Settings, least: int) -> tuple[Constraint, str]:
    if settings.floor > settings.least:
        return "Schedule", settings.floor_reason or f"the schedule asks for {settings.floor}"
    return "MinReplicas", f"minReplicas is {least}"


def _sentence(constraint: Constraint, found: Demand, wanted: int) -> str:
    match constraint:
        case "Idle":
            return "no request for a while"
        case "Cache":
            return f"the key-value caches of {wanted} replicas hold what is in flight"
        case "Backlog":
            return f"queued work would outlast the start of a replica; {wanted} work it off in that time"
    return (
        f"{found.tokens:,.0f} tokens/s at {found.arrivals:.1f} requests/s need {found.now:.1f}, {found.ahead:.1f} when a new "
        f"replica would serve, {wanted} with headroom"
    )


__all__ = ["LOOP", "Constraint", "Decision", "decide", "limits"]
