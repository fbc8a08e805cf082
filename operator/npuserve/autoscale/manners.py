"""How soon a fleet gets what is wanted: within its limits, and with patience.

Rule: limits hold always. Up at once, but for a single replica only once the wish has lasted or more requests come than
chance makes; down only to the largest wish of the last `hold` seconds, a few at a time, never while something starts,
drains or waits, and never on missing data.
"""

from __future__ import annotations

from typing import Literal

from npuserve.autoscale.demand import Demand
from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.news import news
from npuserve.autoscale.settings import Settings

Constraint = Literal[
    "Demand", "Cache", "Backlog", "MinReplicas", "MaxReplicas", "Schedule", "Capacity", "MetricsMissing", "Learning", "Holding",
    "Starting", "Queueing", "Idle", "FromZero",
]  # fmt: skip
"""What decided the number."""

QUEUE_SHARE = 0.1
"""Waiting requests, as a share of the running ones, from which nothing is taken away."""


def limits(settings: Settings) -> tuple[int, int]:
    """The least and the most replicas that the service, its schedule and the cluster allow."""
    most = settings.most if settings.room is None else max(0, min(settings.most, settings.room.replicas))
    return min(max(settings.least, settings.floor), most), most


def allowed(
    wanted: int, constraint: Constraint, found: Demand, *, memory: Memory, sample: LoadSample, settings: Settings
) -> tuple[int, Constraint, str, float | None]:
    """Replicas within limits and manners, what bound them, the sentence, and the seconds until more may come or go."""
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
