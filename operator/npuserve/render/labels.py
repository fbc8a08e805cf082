"""Every label and annotation that the project writes or reads, and which object carries which.

Rule: pods and children are found by the UID of their service, which no other service and no user's label can have;
names are for people.
"""

from __future__ import annotations

from npuserve.render.names import label_value
from npuserve.render.owner import Owner

PREFIX = "npuserve.io/"

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "npuserve"
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
SERVICE = f"{PREFIX}service"
SERVICE_UID = f"{PREFIX}service-uid"
SERVE = f"{PREFIX}serve"
"""On pods, outside the Deployment's selector: without it a pod stays in its ReplicaSet and leaves the Service."""

DRAINING = f"{PREFIX}draining"
"""On a pod: since when it is out of the Service, as an RFC 3339 time, because its replica is to go."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
"""On a pod, Kubernetes' own: the ReplicaSet removes the pods of the lowest cost first."""
TEMPLATE_HASH = "pod-template-hash"
"""On a pod, the Deployment controller's own."""

PLAN = f"{PREFIX}plan"
"""On the Deployment, never on its pods: the record of the plan that runs."""
ROLLOUT = f"{PREFIX}rollout"
"""On the Deployment: how its replicas are replaced, with the template that this was decided for."""
APPLIED = f"{PREFIX}applied"
"""On every child: the digest of what was last applied."""
KEEPS = f"{PREFIX}keeps"
"""On a ConfigMap that the autoscaler keeps for a service, in place of the label of children: it is none of the objects
that a plan is rendered to, and its writes are no news."""
REPLAN = f"{PREFIX}replan"
"""On the service, written by its author: a new value asks for a fresh plan."""

OF_SERVICE = "kubernetes.io/service-name"
"""On an EndpointSlice, Kubernetes' own: the Service whose addresses it holds."""
SLICE_MANAGER = "endpointslice.kubernetes.io/managed-by"
"""On an EndpointSlice, Kubernetes' own: who writes it."""
SLICES_OF_PODS = "endpointslice-controller.k8s.io"
"""Who writes the addresses of a Service's pods. It copies the Service's labels to its slices, so that these carry the
UID of our service too (kubernetes/kubernetes: staging/src/k8s.io/endpointslice/utils.go)."""
SLICES_OF_ACTIVATOR = "npuserve.io"
"""Who writes the activator's place in a Service: us."""
HELD_REQUESTS = f"{PREFIX}held-requests"
"""On our EndpointSlice: how many requests may wait."""
HOLD_SECONDS = f"{PREFIX}hold-seconds"
"""On our EndpointSlice: how long a request may wait."""
MODEL = f"{PREFIX}model"
"""On our EndpointSlice: the name under which the model is asked for, where no key is needed to learn it."""


def selector(uid: str) -> dict[str, str]:
    """What the Deployment and the PodDisruptionBudget select: nothing that can change, for the former is immutable."""
    return {SERVICE_UID: uid}


def selector_text(uid: str) -> str:
    """The selector as text, for `status.selector` and the `scale` subresource."""
    return f"{SERVICE_UID}={uid}"


def serving(uid: str) -> dict[str, str]:
    """What the Service selects: the pods that take requests."""
    return {SERVICE_UID: uid, SERVE: "true"}


def of_child(owner: Owner, backend: str) -> dict[str, str]:
    """Labels of every child; `backend` is the application by Kubernetes' recommended labels."""
    name = label_value(owner.name)
    return {MANAGED_BY: MANAGER, NAME: backend, INSTANCE: name, SERVICE: name, SERVICE_UID: owner.uid}


def of_memory(owner: Owner) -> dict[str, str]:
    """Labels of what was learned of a service's load."""
    return {SERVICE: label_value(owner.name), SERVICE_UID: owner.uid, KEEPS: "autoscaling"}


def of_pods(owner: Owner, backend: str) -> dict[str, str]:
    """Labels of the pods besides those of the flavour and of the user."""
    return {**of_child(owner, backend), SERVE: "true"}
