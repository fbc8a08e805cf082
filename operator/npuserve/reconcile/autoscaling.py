"""What is said of the autoscaler's decisions, and when.

Rule: a new number of replicas is said at once. Another constraint under the same number is said when it has stood for a
while: briefly where it is a trouble or the end of one, longer where it is an everyday one, for a load at the edge of two
numbers would change it every few seconds. Live numbers are metrics, so a steady service costs no write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
TROUBLE_SECONDS = 15.0
EVERYDAY_SECONDS = 120.0

Mode = Literal["active", "observe", "external"]


@dataclass(frozen=True, slots=True)
class Told:
    """What the status says of the last decision, and the constraint that stands in place of that one since a time."""

    status: Mapping[str, Any]
    other: str = ""
    since: float = 0.0


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


def tell(earlier: Told | None, decision: Decision, *, mode: Mode, now: float) -> Told:
    """What to say after a decision at `now`, seconds since the epoch; the earlier value itself where nothing is new."""
    if earlier is None or earlier.status.get("replicas") != decision.replicas:
        return Told(_status(decision, mode, now))
    constraint = earlier.status.get("constraint")
    if constraint == decision.constraint:
        return earlier if not earlier.other else Told(earlier.status)
    if earlier.other != decision.constraint:
        return Told(earlier.status, decision.constraint, now)
    troubled = constraint in TROUBLES or decision.constraint in TROUBLES
    settled = now - earlier.since >= (TROUBLE_SECONDS if troubled else EVERYDAY_SECONDS)
    return Told(_status(decision, mode, now)) if settled else earlier


def _status(decision: Decision, mode: Mode, now: float) -> dict[str, Any]:
    would = "" if mode == "active" else f"would have {decision.replicas}: "
    then = ""
    if decision.next_change is not None:
        moment = datetime.fromtimestamp(now + decision.next_change, tz=UTC)
        then = f"; none goes before {moment:%H:%M:%S} UTC"
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
