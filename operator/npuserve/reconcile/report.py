"""What to say about a service: its status and the events of this pass.

Rule: the status is a function of what is seen and of the earlier status, from which it takes the times of unchanged
conditions; saying the same twice is saying nothing. Of live numbers it holds `replicas` and `readyReplicas` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from npuserve.api.conditions import ConditionType
from npuserve.api.status import StatusCondition
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.reconcile.autoscaling import UNSCALED, Scaling, scaling_events
from npuserve.reconcile.conditions import Seen, Trouble, is_blocked, statements
from npuserve.reconcile.events import Event, transitions
from npuserve.reconcile.ownership import Conflict
from npuserve.reconcile.planned import status_plan
from npuserve.reconcile.state import Rolled
from npuserve.reconcile.statement import Statement
from npuserve.render.labels import selector_text
from npuserve.render.service import service_url


@dataclass(frozen=True, slots=True)
class Report:
    """The whole status as it should be, and what happened since the earlier one."""

    status: dict[str, Any]
    events: tuple[Event, ...]


def report(
    service: Mapping[str, Any],
    outcome: Plan | Refusal,
    *,
    running: Record | None,
    deployment: Rolled | None,
    conflicts: tuple[Conflict, ...] = (),
    trouble: Trouble | None = None,
    scaling: Scaling = UNSCALED,
    now: datetime,
) -> Report:
    """The report on a service object as it was read.

    `running` is the record beside its live Deployment and `deployment` the state of that, None where there is none.
    `scaling` is how its number of replicas is decided. With `conflicts`, or a `trouble` that kept the plan from being written, the earlier plan stays in the status.
    """
    seen = Seen(outcome, deployment, conflicts, trouble, scaling)
    earlier = _earlier(service)
    said = statements(seen)
    if _waits(earlier, deployment, said):
        return Report(dict(service["status"]), ())
    conditions = [_dated(item, earlier, service, now=now) for item in said]
    status = {
        "observedGeneration": _generation(service),
        "conditions": conditions,
        **_counts(service, deployment),
        **_shown_plan(service, seen, running),
        **({"autoscaling": dict(scaling.told)} if scaling.told is not None else {}),
    }
    return Report(status, (*transitions(earlier, conditions), *_steps(service, scaling, earlier, conditions)))


def same_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses say the same: conditions and variables are maps by their names, everything else counts."""
    return bool(one == other) or _by_name(one) == _by_name(other)


def _steps(
    service: Mapping[str, Any],
    scaling: Scaling,
    earlier: Mapping[str, Mapping[str, Any]],
    conditions: list[dict[str, Any]],
) -> Iterator[Event]:
    kind = ConditionType.SCALING
    present = next((item for item in conditions if item["type"] == kind), {})
    before = (service.get("status") or {}).get("autoscaling")
    return scaling_events(before, scaling, was=earlier.get(kind, {}), present=present)


def _by_name(status: Mapping[str, Any]) -> dict[str, Any]:
    plan = status.get("plan") or {}
    return {
        **status,
        "conditions": {item.get("type"): item for item in status.get("conditions") or ()},
        "plan": {**plan, "env": {item.get("name"): item for item in plan.get("env") or ()}},
    }


def _earlier(service: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    conditions = (service.get("status") or {}).get("conditions") or ()
    return {item["type"]: item for item in conditions if "type" in item}


def _generation(service: Mapping[str, Any]) -> int:
    return int(service["metadata"].get("generation", 0))


def _waits(earlier: Mapping[str, Mapping[str, Any]], deployment: Rolled | None, said: tuple[Statement, ...]) -> bool:
    """Whether a Ready service waits for the Deployment controller to look at our last write.

    Until it has, nobody knows whether the write replaces replicas, and the status of the earlier generation stands.
    """
    was_ready = earlier.get(ConditionType.READY, {}).get("status") == "True"
    unseen = deployment is not None and not deployment.observed
    return was_ready and unseen and any(item.type == ConditionType.RECONCILING for item in said)


def _dated(
    statement: Statement, earlier: Mapping[str, Mapping[str, Any]], service: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    before = earlier.get(statement.type, {})
    since = before.get("lastTransitionTime") if before.get("status") == statement.status else None
    return StatusCondition(
        type=statement.type.value,
        status=statement.status,
        reason=statement.reason.value,
        message=statement.message,
        observed_generation=_generation(service),
        last_transition_time=since or now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ).to_wire()


def _counts(service: Mapping[str, Any], deployment: Rolled | None) -> dict[str, Any]:
    return {
        "replicas": deployment.total if deployment else 0,
        "readyReplicas": deployment.ready if deployment else 0,
        "selector": selector_text(service["metadata"]["uid"]),
    }


def _shown_plan(service: Mapping[str, Any], seen: Seen, running: Record | None) -> dict[str, Any]:
    """The plan that runs and its address: the present one, unless it could not take the place of an earlier one."""
    present = seen.outcome if isinstance(seen.outcome, Plan) else None
    if present is not None and (running is None or not is_blocked(seen)):
        return {**_address(service, present), "plan": status_plan(present, _generation(service))}
    if running is None:
        return {}
    kept = (service.get("status") or {}).get("plan") or status_plan(running.plan, 0)
    return {**_address(service, running.plan), "plan": kept}


def _address(service: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    metadata = service["metadata"]
    return {"address": {"url": service_url(metadata["name"], metadata["namespace"]), "model": plan.served_name}}
