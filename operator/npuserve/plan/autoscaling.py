"""Which autoscaling a service may ask for.

Rule: what the operator does not act on is refused, so that nobody believes a service to be scaled that is not.
"""

from __future__ import annotations

from npuserve.api.autoscaling import Autoscaling
from npuserve.api.conditions import Reason
from npuserve.api.spec import InferenceServiceSpec
from npuserve.autoscale.schedule import schedule_fault
from npuserve.configuration import Activator
from npuserve.plan.plan import Refusal

ACTIVE = False
"""Whether the operator scales. The one place to open when it does."""


def autoscaling_refusal(spec: InferenceServiceSpec, activator: Activator) -> Refusal | None:
    """Why the autoscaling that a service asks for cannot be had; None when it can, or when none is asked for."""
    wish = spec.autoscaling
    if wish is None:
        return None
    return limits_refusal(wish) or _zero_refusal(wish, activator) or (None if ACTIVE else _inactive())


def limits_refusal(wish: Autoscaling) -> Refusal | None:
    """The first limits that contradict each other."""
    least = 1 if wish.min_replicas is None else wish.min_replicas
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


def _inactive() -> Refusal:
    return Refusal(
        Reason.INVALID_SPEC,
        "spec.autoscaling",
        "autoscaling is not active in this version; remove spec.autoscaling and set spec.replicas, or see with "
        "`npuserve simulate` what it would do",
    )
