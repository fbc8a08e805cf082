"""What the operator may do in a cluster: one row per resource, with the reason.

Rule: least privilege. No wildcards, no Secrets, no write to services themselves beyond their status, no finalizers,
nothing that escalates. Server-side apply of a new object needs `create` beside `patch`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from npuserve.controller.leader import NAME as LEASE
from npuserve.controller.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    ENDPOINTS,
    EVENTS,
    LEASES,
    NODES,
    PODS,
    SERVICE,
    Resource,
)

NAME = "npuserve"
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
    Rule(CONFIG_MAPS, _CHILD, "files of their engines; descriptions of models that services name"),
    Rule(DISRUPTION_BUDGETS, _CHILD, "drains of nodes, one replica at a time"),
    Rule(PODS, _WATCH, "devices in use, and why replicas do not start"),
    Rule(EVENTS, ("create",), "what happened, for kubectl describe"),
)
"""What the operator needs wherever services are: in all namespaces, or in the one it serves."""
CLUSTER = (Rule(NODES, _WATCH, "the NPUs there are"),)
"""What only a whole cluster has. Without it, hardware comes from the configuration file."""
ELECTION = (
    Rule(LEASES, ("create",), "the first Lease; creation cannot be limited to a name"),
    Rule(LEASES, ("get", "update"), "to hold it, renew it and give it up", names=(LEASE,)),
)
"""What replicas of the operator agree by, in its own namespace."""


def cluster_role() -> dict[str, Any]:
    """The ClusterRole of an operator that serves all namespaces."""
    return _role("ClusterRole", NAME, (*WORK, *CLUSTER))


def namespace_role(namespace: str) -> dict[str, Any]:
    """The Role of an operator that serves one namespace."""
    return _role("Role", NAME, WORK, namespace=namespace)


def access_manifests(namespace: str) -> tuple[dict[str, Any], ...]:
    """Namespace, ServiceAccount, roles and bindings of an operator in `namespace` that serves all namespaces, in the
    order to apply them."""
    lease = f"{NAME}-leader-election"
    return (
        _namespace(namespace),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(NAME, namespace=namespace)},
        cluster_role(),
        _binding("ClusterRole", NAME, subject_namespace=namespace),
        _role("Role", lease, ELECTION, namespace=namespace),
        _binding("Role", lease, subject_namespace=namespace, namespace=namespace),
    )


def _namespace(name: str) -> dict[str, Any]:
    """The operator's own namespace, in which every pod has to be restricted."""
    metadata = _metadata(name)
    labels = {**metadata["labels"], "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {**metadata, "labels": labels}}


def _role(kind: str, name: str, rules: Iterable[Rule], *, namespace: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": _metadata(name, namespace=namespace),
        "rules": [rule.manifest() for rule in rules],
    }


def _binding(role: str, name: str, *, subject_namespace: str, namespace: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{role}Binding",
        "metadata": _metadata(name, namespace=namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": subject_namespace}],
    }


def _metadata(name: str, *, namespace: str = "") -> dict[str, Any]:
    return {"name": name, **({"namespace": namespace} if namespace else {}), "labels": {"app.kubernetes.io/name": NAME}}
