"""What is true of a service: its conditions, decided from the outcome of the plan and the state of its Deployment.

    Accepted     always    the spec of this generation could be planned
    Available    always    at least one replica answers, whichever generation it was started from
    Ready        always    the plan of this generation is rolled out and a replica answers; or none is asked for, or the
                           first one starts from zero, and requests are held where they are welcome
    Reconciling  if true   not Ready, and it goes on by itself
    Stalled      if true   not Ready until someone changes something
    Scaling      if asked  the number of replicas is what autoscaling asks for; present where something scales the service
    Degraded     if true   the rollout is over and some replicas answer, but fewer than are asked for
    Advisory     if true   something is worth knowing of the plan's engine; no other condition depends on it

Ready becomes true when every replica answers for the first time after a template changed, or as many as an autoscaled
service keeps at least, and stays true while one does: neither a step in the number of replicas nor a lost replica clears
it; Degraded says so. Replicas beyond the floor of an autoscaled service are on their way and make nothing Degraded
unless something is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from npuserve.api.conditions import ConditionType, Reason
from npuserve.plan.notices import caution
from npuserve.plan.plan import Plan, Refusal
from npuserve.reconcile.autoscaling import UNSCALED, Scaling, scaling_statement
from npuserve.reconcile.ownership import Conflict
from npuserve.reconcile.state import Rolled
from npuserve.reconcile.statement import Statement


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps replicas from working or objects from being written, as one sentence with the fix."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the statements are decided from. `deployment` is None where none exists."""

    outcome: Plan | Refusal
    deployment: Rolled | None
    conflicts: tuple[Conflict, ...]
    trouble: Trouble | None
    scaling: Scaling = UNSCALED


_BLOCKING = (Reason.WRITE_REFUSED, Reason.NAME_CONFLICT)
"""Troubles in which nothing of the present plan has been written."""


def statements(seen: Seen) -> tuple[Statement, ...]:
    """The conditions of a service, in the order in which they are written."""
    ready = _ready(seen)
    return (
        ready,
        *_direction(seen, ready),
        _accepted(seen.outcome),
        _available(seen.deployment),
        *scaling_statement(seen.scaling),
        *_degraded(seen),
        *_advisory(seen.outcome),
    )


def is_blocked(seen: Seen) -> bool:
    """Whether the present plan cannot be written, so that what runs is still the earlier one."""
    return bool(seen.conflicts) or (seen.trouble is not None and seen.trouble.reason in _BLOCKING)


def planned_sentence(plan: Plan) -> str:
    """The plan in one sentence."""
    count = (
        f"{plan.slice_mib} MiB of a device" if plan.slice_mib else f"{plan.devices} device{'s' * (plan.devices != 1)}"
    )
    return f"{plan.backend} {plan.backend_version} on {count} of {plan.product} per replica"


def _accepted(outcome: Plan | Refusal) -> Statement:
    match outcome:
        case Plan():
            return Statement(ConditionType.ACCEPTED, "True", Reason.PLANNED, planned_sentence(outcome))
        case Refusal():
            return Statement(ConditionType.ACCEPTED, "False", outcome.reason, _refused(outcome))


def _refused(refusal: Refusal) -> str:
    return f"{refusal.field}: {refusal.message}"


def _available(rolled: Rolled | None) -> Statement:
    if rolled is not None and rolled.available:
        return Statement(ConditionType.AVAILABLE, "True", Reason.REPLICAS_AVAILABLE, Reason.REPLICAS_AVAILABLE.meaning)
    reason = Reason.SCALED_TO_ZERO if rolled is not None and not rolled.desired else Reason.NO_REPLICA_AVAILABLE
    return Statement(ConditionType.AVAILABLE, "False", reason, reason.meaning)


def _ready(seen: Seen) -> Statement:
    standing = _obstacle(seen) or _unfinished(seen)
    if standing is not None:
        return Statement(ConditionType.READY, "False", standing.reason, standing.message)
    rolled = seen.deployment
    if rolled is not None and rolled.desired and not rolled.available:
        return Statement(ConditionType.READY, "True", Reason.SCALING_UP, _FIRST_STARTS)
    reason = Reason.SCALED_TO_ZERO if rolled is not None and not rolled.desired else Reason.READY
    return Statement(ConditionType.READY, "True", reason, reason.meaning)


_FIRST_STARTS = "the first replica starts, and requests wait for it"


def _obstacle(seen: Seen) -> Trouble | None:
    """What keeps the present plan from being written at all."""
    if isinstance(seen.outcome, Refusal):
        return Trouble(seen.outcome.reason, _refused(seen.outcome))
    if seen.conflicts:
        standing = next((item for item in seen.conflicts if not item.passing), seen.conflicts[0])
        return Trouble(Reason.PROGRESSING if standing.passing else Reason.NAME_CONFLICT, standing.message)
    return seen.trouble if is_blocked(seen) else None


def _unfinished(seen: Seen) -> Trouble | None:
    """What is missing between the written plan and a service that answers; None when nothing is."""
    rolled = seen.deployment
    if rolled is None:
        return Trouble(Reason.PROGRESSING, "the objects of the plan are being created")
    if rolled.observed and not rolled.desired:
        return seen.trouble if seen.trouble is not None and seen.trouble.reason is Reason.ACTIVATOR_MISSING else None
    if rolled.observed and ((rolled.settled and rolled.available) or _at_floor(seen, rolled)):
        return None
    if rolled.deadline_exceeded:
        cause = f": {rolled.replica_failure or _told(seen.trouble)}".removesuffix(": ")
        late = Reason.PROGRESS_DEADLINE_EXCEEDED
        return Trouble(late, f"the rollout took longer than loading the weights explains{cause}; {late.fix}")
    return _pod_failure(rolled) or seen.trouble or _in_progress(rolled)


def _at_floor(seen: Seen, rolled: Rolled) -> bool:
    """Whether an autoscaled service has all the replicas of the present template that it keeps at least; those that the
    load asks for besides may still start. Where it keeps none, nothing may be in the way of the first one."""
    hindered = seen.trouble is not None or bool(rolled.replica_failure) or rolled.deadline_exceeded
    complete = rolled.available >= seen.scaling.floor and not (hindered and not rolled.available)
    return seen.scaling.mode == "active" and rolled.updated == rolled.total and complete


def _told(trouble: Trouble | None) -> str:
    return "" if trouble is None else trouble.message


def _pod_failure(rolled: Rolled) -> Trouble | None:
    """The cluster's own words on why it creates no pod; quota is what its admission calls `exceeded quota`."""
    if not rolled.replica_failure:
        return None
    reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in rolled.replica_failure else Reason.REPLICA_FAILURE
    return Trouble(reason, f"{rolled.replica_failure}; {reason.fix}")


def _in_progress(rolled: Rolled) -> Trouble:
    replacing = rolled.observed and rolled.total > rolled.updated
    reason = Reason.ROLLING_OUT if replacing else Reason.WAITING_FOR_PODS
    return Trouble(reason, reason.meaning)


_STALLING = (*_BLOCKING, Reason.PROGRESS_DEADLINE_EXCEEDED)


def _direction(seen: Seen, ready: Statement) -> Iterator[Statement]:
    """Whether a service that is not Ready gets there by itself."""
    if ready.status == "True":
        return
    stalled = isinstance(seen.outcome, Refusal) or ready.reason in _STALLING
    kind = ConditionType.STALLED if stalled else ConditionType.RECONCILING
    yield Statement(kind, "True", ready.reason, ready.message)


def _degraded(seen: Seen) -> Iterator[Statement]:
    rolled = seen.deployment
    if rolled is None or not (rolled.settled or _at_floor(seen, rolled)) or not 0 < rolled.available < rolled.desired:
        return
    if seen.scaling.mode == "active" and rolled.available >= seen.scaling.floor and _comes(seen, rolled):
        return
    starting = Trouble(Reason.WAITING_FOR_PODS, "fewer replicas answer than are asked for, and the others are starting")
    trouble = _pod_failure(rolled) or seen.trouble or starting
    yield Statement(ConditionType.DEGRADED, "True", trouble.reason, trouble.message)


_COMING = (Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED)
"""Troubles of replicas beyond the floor that the condition Scaling tells of once they last."""


def _comes(seen: Seen, rolled: Rolled) -> bool:
    """Whether replicas that are missing beyond the floor are merely on their way."""
    trouble = _pod_failure(rolled) or seen.trouble
    return trouble is None or trouble.reason in _COMING


_ADVICE: Mapping[str, Reason] = {
    "maintenance": Reason.BACKEND_MAINTENANCE_ONLY,
    "experimental": Reason.BACKEND_EXPERIMENTAL,
    "pre-release": Reason.BACKEND_PRERELEASE,
}


def _advisory(outcome: Plan | Refusal) -> Iterator[Statement]:
    """Read from today's engines, so that plans made before a vendor's word show it too."""
    found = caution(outcome) if isinstance(outcome, Plan) else None
    if found is not None and isinstance(outcome, Plan):
        reason = _ADVICE[found.kind]
        told = f"{outcome.backend} {outcome.backend_version}: {found.message}; {reason.fix}"
        yield Statement(ConditionType.ADVISORY, "True", reason, told)
