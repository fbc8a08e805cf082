"""What the operator and the activator may do in a cluster: one row per resource, with the reason.

Rule: least privilege. No wildcards, no Secrets, no write to services themselves beyond their status, no finalizers,
nothing that escalates. Server-side apply of a new object needs `create` beside `patch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.controller.leader import NAME as LEASE
from npuserve.controller.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    LEASES,
    NODES,
    PODS,
    PRIORITIES,
    QUOTAS,
    SCALERS,
    SERVICE,
    Resource,
)

_WATCH = ("list", "watch")
_CHILD = (*_WATCH, "get", "create", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on one resource or subresource, and why; `names` limits them to objects of those names."""

    resource: Resource
    verbs: tuple[str, ...]
    reason: str
    subresource: str = ""
    names: tuple[str, ...] = ()

    def manifest(self) -> dict[str, Any]:
        plural = f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural
        names = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.resource.group], "resources": [plural], **names, "verbs": sorted(self.verbs)}


WORK = (
    Rule(SERVICE, (*_WATCH, "get"), "the services to run"),
    Rule(SERVICE, ("patch",), "what is said about them", subresource="status"),
    Rule(DEPLOYMENTS, _CHILD, "their replicas"),
    Rule(ENDPOINTS, _CHILD, "their address"),
    Rule(CONFIG_MAPS, _CHILD, "files of their engines; descriptions of models; what was learned of their load"),
    Rule(DISRUPTION_BUDGETS, _CHILD, "drains of nodes, one replica at a time"),
    Rule(ENDPOINT_SLICES, _CHILD, "which replicas answer, and the activator's place beside them"),
    Rule(PODS, _WATCH, "devices in use, and why replicas do not start"),
    Rule(PODS, ("patch",), "which replicas leave the Service and are removed first, so that none goes with requests"),
    Rule(QUOTAS, _WATCH, "how many replicas a namespace has room for"),
    Rule(SCALERS, _WATCH, "autoscalers of others on the same replicas, which are reported and not fought"),
    Rule(EVENTS, ("create",), "what happened, for kubectl describe"),
)
"""What the operator needs wherever services are: in all namespaces, or in the one it serves."""
CLUSTER = (
    Rule(NODES, _WATCH, "the NPUs there are"),
    Rule(PRIORITIES, _WATCH, "which of two services goes first where NPUs are short"),
)
"""What only a whole cluster has. Without it, hardware comes from the configuration file."""
ELECTION = (
    Rule(LEASES, ("create",), "the first Lease; creation cannot be limited to a name"),
    Rule(LEASES, ("get", "update"), "to hold it, renew it and give it up", names=(LEASE,)),
)
"""What replicas of the operator agree by, in its own namespace."""
NEIGHBOUR = (Rule(ENDPOINT_SLICES, _WATCH, "where the activator is"),)
"""What the operator of one namespace needs in its own, where the activator runs beside it."""
ACTIVATOR = (Rule(ENDPOINT_SLICES, _WATCH, "services that may have no replica, and which replicas answer"),)
"""All that the activator needs wherever services are."""


_READ = (*_WATCH, "get")
_EDIT = (
    Rule(SERVICE, (*_READ, "create", "update", "patch", "delete", "deletecollection"), "services of the namespace"),
    Rule(SERVICE, ("get", "update", "patch"), "kubectl scale and autoscalers", subresource="scale"),
)
TENANTS: Mapping[str, tuple[Rule, ...]] = {
    "admin": _EDIT,
    "edit": _EDIT,
    "view": (
        Rule(SERVICE, _READ, "services of the namespace"),
        Rule(SERVICE, ("get",), "how many replicas there are", subresource="scale"),
    ),
}
"""What the cluster's own roles get on services, by role. None may write a status: what it says is the operator's."""
