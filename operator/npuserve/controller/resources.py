"""Which resources the operator talks to and how their paths are built: one row per resource.

Rule: a name becomes a path segment only after it was checked; anything else raises `BadName`, so that no name can lead
to another path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from npuserve.api.resource import GROUP, KIND, PLURAL, VERSION

_SEGMENT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 253


class BadName(ValueError):
    """A name or namespace that Kubernetes could not have given out."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object of the API server."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path of the group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


SERVICE = Resource(GROUP, VERSION, PLURAL, KIND)
"""The custom resource."""
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
ENDPOINTS = Resource("", "v1", "services", "Service")
"""Kubernetes' own Service: the address of the replicas."""
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
"""Where connections to a Service go; ours leads to the activator."""
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
SCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
PRIORITIES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

CHILDREN = (DEPLOYMENTS, ENDPOINTS, CONFIG_MAPS, DISRUPTION_BUDGETS, ENDPOINT_SLICES)
"""What a service consists of, as the operator writes it."""


_BY_KIND = {row.kind: row for row in CHILDREN}
_BY_PLURAL = {row.plural: row for row in CHILDREN}


def of_kind(kind: str) -> Resource:
    """The row of a child's kind; raises KeyError for kinds the operator does not write."""
    return _BY_KIND[kind]


def of_plural(plural: str) -> Resource:
    """The row of a child's plural; raises KeyError for resources the operator does not write."""
    return _BY_PLURAL[plural]


def path(resource: Resource, namespace: str = "", *, name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object or its subresource; raises BadName."""
    parts = [resource.root]
    if namespace and resource.namespaced:
        parts += ["namespaces", _checked(namespace)]
    parts.append(resource.plural)
    if name:
        parts.append(_checked(name))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


def _checked(segment: str) -> str:
    if len(segment) > _LONGEST or not _SEGMENT.fullmatch(segment):
        raise BadName(f"{segment[:_LONGEST]!r} is no name of a Kubernetes object")
    return segment
