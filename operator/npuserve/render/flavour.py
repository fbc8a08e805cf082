"""What the cluster's way of handing out NPUs adds to a pod: labels, annotations, one variable, a runtime class.

Labels and the schedule policy are read by Volcano's NPU plugin from the first pod of a job, so they stand on the pods
(MC:component/ascend-for-volcano/plugin/job.go). The variable takes the devices that this scheduler writes into an
annotation; under any other scheduler the annotation is absent and the variable would hide every device
(MC:component/ascend-docker-runtime/runtime/process/process.go).
"""

from __future__ import annotations

from typing import Any

from npuserve import chips
from npuserve.cluster import flavours
from npuserve.cluster.flavours import Flavour
from npuserve.configuration import Profile
from npuserve.plan.plan import Plan

SCHEDULE_POLICY = "huawei.com/schedule_policy"
VISIBLE_DEVICES = "ASCEND_VISIBLE_DEVICES"


def flavour_labels(plan: Plan) -> dict[str, str]:
    """Pod labels that tell the scheduler what card the product is."""
    product = chips.by_id(plan.product)
    return dict(product.pod_labels) if product is not None and _row(plan).shape else {}


def flavour_annotations(plan: Plan) -> dict[str, str]:
    """Pod annotations that tell the scheduler the shape of the server."""
    product = chips.by_id(plan.product)
    if product is None or not product.policy or _row(plan).shape != "policy":
        return {}
    return {SCHEDULE_POLICY: product.policy}


def flavour_environment(plan: Plan) -> dict[str, dict[str, Any]]:
    """Variables by name. The path names exactly the resource that is requested; the device plugin looks for it."""
    if not _row(plan).devices_from_annotation:
        return {}
    path = f"metadata.annotations['{plan.resource_name}']"
    return {VISIBLE_DEVICES: {"name": VISIBLE_DEVICES, "valueFrom": {"fieldRef": {"fieldPath": path}}}}


def runtime_class(plan: Plan, profile: Profile) -> str:
    """The class of the container runtime that brings devices and driver in; empty for the node's default."""
    return profile.runtime_class_name or _row(plan).runtime_class


def _row(plan: Plan) -> Flavour:
    found = flavours.named(plan.flavour)
    if found is None:
        raise ValueError(f"the plan names the flavour {plan.flavour!r}, which is not in the table")
    return found
