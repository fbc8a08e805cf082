"""Whether a service may run on a node: its hardware wishes, its tolerations and its node affinity, read as a scheduler
reads them."""

from __future__ import annotations

from collections.abc import Mapping

from npuserve import chips
from npuserve.api.hardware import Hardware
from npuserve.api.template import NodeRequirement, Template, Toleration
from npuserve.cluster.facts import NodeFacts, Taint

_TRANSIENT_TAINT = "node.kubernetes.io/"
"""Taints that the cluster itself puts on and takes off; they say nothing of what a node is."""


def suits(node: NodeFacts, hardware: Hardware, template: Template) -> bool:
    """Whether a service with these wishes may run on the node."""
    return (
        not node.shares_devices
        and (not hardware.resource_name or node.resource == hardware.resource_name)
        and (not hardware.chip or not node.chip or node.chip == chips.chip_name(hardware.chip))
        and node.carries(hardware.node_selector)
        and all(_tolerated(taint, template.tolerations) for taint in node.taints)
        and all(_meets(node.labels, requirement) for requirement in template.node_affinity)
    )


def _tolerated(taint: Taint, tolerations: tuple[Toleration, ...]) -> bool:
    if taint.key.startswith(_TRANSIENT_TAINT):
        return True
    return any(
        (not item.key or item.key == taint.key)
        and (item.operator == "Exists" or item.value == taint.value)
        and (item.effect is None or item.effect == taint.effect)
        for item in tolerations
    )


def _meets(labels: Mapping[str, str], requirement: NodeRequirement) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(value, requirement)


def _compares(value: str | None, requirement: NodeRequirement) -> bool:
    if value is None or not value.lstrip("-").isdigit() or not requirement.values:
        return False
    limit = requirement.values[0]
    if not limit.lstrip("-").isdigit():
        return False
    return int(value) > int(limit) if requirement.operator == "Gt" else int(value) < int(limit)
