"""Which autoscaling a service may ask for.

Rule: limits that contradict each other, and schedules that cannot be read, are refused by their field.
"""

from __future__ import annotations

from npuserve.api.autoscaling import Autoscaling
from npuserve.api.conditions import Reason
from npuserve.api.spec import InferenceServiceSpec
from npuserve.autoscale.schedule import schedule_fault
from npuserve.configuration import Activator
from npuserve.plan.plan import Refusal


def autoscaling_refusal(spec: InferenceServiceSpec, activator: Activator) -> Refusal | None:
    """Why the autoscaling that a service asks for cannot be had; None when it can, or when none is asked for."""
    wish = spec.autoscaling
    return None if wish is None else limits_refusal(wish) or _zero_refusal(wish, activator)


def limits_refusal(wish: Autoscaling) -> Refusal | None:
    """The first limits that contradict each other."""
    least = least_of(wish)
    if least > wish.max_replicas:
        return Refusal(
            Reason.INVALID_SPEC,
            "spec.autoscaling.minReplicas",
            f"minReplicas {least} is above maxReplicas {wish.max_replicas}; set {wish.max_replicas} or less",
        )
    for index, floor in enumerate(wish.schedule):
        if floor.min_replicas > wish.max_replicas:
            return Refusal(
                Reason.INVALID_SPEC,
                f"spec.autoscaling.schedule[{index}].minReplicas",
                f"{floor.name} asks for {floor.min_replicas} replicas, and maxReplicas is {wish.max_replicas}; set that or less",
            )
        fault = schedule_fault(floor)
        if fault is not None:
            field, message = fault
            return Refusal(Reason.INVALID_SPEC, f"spec.autoscaling.schedule[{index}].{field}", message)
    return None


def least_of(wish: Autoscaling) -> int:
    """Replicas that the service keeps at least."""
    return 1 if wish.min_replicas is None else wish.min_replicas


def first_replicas(spec: InferenceServiceSpec) -> int:
    """Replicas that a new service begins with: those of the spec, within the limits of active autoscaling."""
    wish = spec.autoscaling
    if wish is None or wish.mode != "active":
        return spec.replicas
    return min(wish.max_replicas, max(least_of(wish), spec.replicas))


def may_have_two(spec: InferenceServiceSpec) -> bool:
    """Whether the service may have two replicas at one time, now or later."""
    return spec.replicas >= 2 or (spec.autoscaling is not None and spec.autoscaling.max_replicas >= 2)


def _zero_refusal(wish: Autoscaling, activator: Activator) -> Refusal | None:
    """Without replicas nothing answers, unless the activator does."""
    if wish.min_replicas != 0 or activator.enabled:
        return None
    return Refusal(
        Reason.INVALID_SPEC,
        "spec.autoscaling.minReplicas",
        "minReplicas 0 needs the activator, which holds requests while the first replica starts, and it is not enabled; "
        "set minReplicas 1 or more, or have the platform team set activator.enabled (a value of the chart, and a key of "
        "the operator's configuration file)",
    )
