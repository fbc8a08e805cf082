"""What is said of the autoscaler's decisions, and when.

Rule: a new number that is ordered is said at once. Anything else that is new, another constraint under the same number or
a number that is only thought, is said when it has stood for a while: briefly where it is a trouble, or the end of one or of a
beginning, longer where it is an everyday one. Each time that something was said so within the hour but for the first makes
the while longer, for a load at the edge of two numbers changes its words for ever. Live numbers are metrics, so a steady
service costs no write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from npuserve.api.autoscaling import AutoscalingStatus
from npuserve.api.conditions import ConditionType, Reason
from npuserve.autoscale.decision import Decision
from npuserve.reconcile.events import Event, cut
from npuserve.reconcile.rivals import Rival
from npuserve.reconcile.statement import Statement

TROUBLES: Mapping[str, Reason] = {
    "MetricsMissing": Reason.METRICS_MISSING,
    "Capacity": Reason.CAPACITY_LIMITED,
}
"""Constraints that keep the number from what the load asks for, and what the condition calls them."""
BEGINNINGS = frozenset({"Learning", "Starting", "FromZero"})
"""Constraints that are soon over, and then not true any more."""
BRIEF_SECONDS = 15.0
EVERYDAY_SECONDS = 120.0
LENGTHENED = 8.0
"""How many times longer the while becomes with each time that something was said so within the hour, but for the first."""
LONGEST_SECONDS = 600.0
"""Beyond which no while is lengthened."""
RESTLESS_SECONDS = 3600.0

Mode = Literal["active", "observe", "external"]


@dataclass(frozen=True, slots=True)
class Told:
    """What the status says of the last decision, and what stands in place of that since a time."""

    status: Mapping[str, Any]
    other: tuple[int, str] | None = None
    """Number and constraint; None while the status is true."""
    since: float = 0.0
    waited: tuple[float, ...] = ()
    """When something was said after it had stood for a while; those of the last hour."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How the number of replicas of a service is decided, as far as its status tells."""

    mode: Mode | None = None
    """None without spec.autoscaling."""
    floor: int = 1
    """Replicas at which the service is complete."""
    told: Mapping[str, Any] | None = None
    rival: Rival | None = None


UNSCALED = Scaling()


def tell(earlier: Told | None, decision: Decision, *, mode: Mode, ordered: bool, now: float) -> Told:
    """What to say after a decision at `now`, seconds since the epoch; the earlier value itself where nothing is new.

    `ordered`: the number is the one that the Deployment is to have.
    """
    if earlier is None:
        return Told(_status(decision, mode, now))
    before, after = (earlier.status.get("replicas"), earlier.status.get("constraint")), _said(decision)
    if ordered and before[0] != after[0]:
        return Told(_status(decision, mode, now), waited=earlier.waited)
    if before == after:
        return earlier if earlier.other is None else replace(earlier, other=None)
    if earlier.other != after:
        return replace(earlier, other=after, since=now)
    waited = tuple(at for at in earlier.waited if at > now - RESTLESS_SECONDS)
    if now - earlier.since < _while(str(before[1]), decision, number=before[0] != after[0], times=len(waited)):
        return earlier
    return Told(_status(decision, mode, now), waited=(*waited, now))


def _said(decision: Decision) -> tuple[int, str]:
    return decision.replicas, decision.constraint


def _while(constraint: str, decision: Decision, *, number: bool, times: int) -> float:
    """Seconds for which something new has to stand before it is said."""
    over = constraint in BEGINNINGS or constraint in TROUBLES
    soon = number or over or decision.constraint in TROUBLES
    return min(LONGEST_SECONDS, (BRIEF_SECONDS if soon else EVERYDAY_SECONDS) * LENGTHENED ** max(0, times - 1))


def _status(decision: Decision, mode: Mode, now: float) -> dict[str, Any]:
    would = "" if mode == "active" else f"would have {decision.replicas}: "
    then = ""
    if decision.next_change is not None:
        moment = datetime.fromtimestamp(now + decision.next_change, tz=UTC)
        way = "comes" if decision.wanted > decision.replicas else "goes"
        then = f"; none {way} before {moment:%H:%M:%S} UTC"
    return AutoscalingStatus(
        replicas=decision.replicas,
        wanted=decision.wanted,
        constraint=decision.constraint,
        message=f"{would}{decision.reason}{then}",
        profile="estimate" if decision.estimated else "measured",
    ).to_wire()


def scaling_statement(scaling: Scaling) -> Iterator[Statement]:
    """The condition Scaling; none where nobody scales the service."""
    kind, rival, told = ConditionType.SCALING, scaling.rival, scaling.told or {}
    if rival is not None and (rival.scales == "deployment" or scaling.mode != "external"):
        yield Statement(kind, "False", Reason.FOREIGN_SCALER, _foreign(rival, scaling.mode))
        return
    trouble = TROUBLES.get(str(told.get("constraint")))
    match scaling.mode:
        case None:
            return
        case "external":
            yield Statement(kind, "True", Reason.EXTERNALLY_SCALED, Reason.EXTERNALLY_SCALED.meaning)
        case "observe" if trouble is None:
            yield Statement(kind, "True", Reason.OBSERVING, Reason.OBSERVING.meaning)
        case _ if trouble is not None:
            yield Statement(kind, "False", trouble, f"{told.get('message')}. {trouble.fix}")
        case _:
            yield Statement(kind, "True", Reason.FOLLOWS_LOAD, Reason.FOLLOWS_LOAD.meaning)


def _foreign(rival: Rival, mode: Mode | None) -> str:
    if rival.scales == "deployment":
        done = f"scales the Deployment {rival.target} of the service, whose number of replicas is left to it"
    elif mode == "active":
        done = "writes spec.replicas, which is not followed while spec.autoscaling.mode is active"
    else:
        done = "writes spec.replicas"
    return f"HorizontalPodAutoscaler {rival.name} {done}. {Reason.FOREIGN_SCALER.fix}"


def scaling_events(
    earlier: Mapping[str, Any] | None, scaling: Scaling, *, was: Mapping[str, Any], present: Mapping[str, Any]
) -> Iterator[Event]:
    """A step of the autoscaler since the `earlier` status, and each new thing that keeps it from what the load asks for:
    `was` and `present` are the condition Scaling, empty where there is none."""
    before, now = (earlier or {}).get("replicas"), (scaling.told or {}).get("replicas")
    if scaling.mode == "active" and None not in (before, now) and before != now and scaling.told is not None:
        reason = Reason.SCALING_UP if int(now or 0) > int(before or 0) else Reason.SCALING_DOWN
        yield Event("Normal", reason.value, cut(f"from {before} to {now} replicas: {scaling.told['message']}"))
    new = (present.get("status"), present.get("reason")) != (was.get("status"), was.get("reason"))
    if present.get("status") == "False" and new:
        yield Event("Warning", str(present["reason"]), cut(str(present["message"])))
