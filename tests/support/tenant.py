"""A namespace of a tenant: services that are asked for, what became of them, and what they are waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from npuserve.controller.resources import CHILDREN, DEPLOYMENTS, EVENTS, PODS, SERVICE
from npuserve.render.names import child_name
from tests.cluster.kubectl import Object
from tests.support.api import NAMESPACES, REPLICA_SETS, Api
from tests.support.manifests import a_service, ready, said
from tests.support.waiting import WITHIN_SECONDS, NotYet, until
from tests.support.weights import weights_claim


class Tenant:
    """One namespace, as its tenant and the tests see it."""

    def __init__(self, api: Api, namespace: str, *, make: bool = True) -> None:
        self.api = api
        self.namespace = namespace
        if make:
            api.create(NAMESPACES, {"metadata": {"name": namespace}})

    # What is asked for

    def ask(self, name: str, **spec: Any) -> Object:
        """Create a service; keywords are parts of its spec."""
        return self.api.create(SERVICE, a_service(name, self.namespace, **spec))

    def ask_file(self, file: Path) -> Object:
        """Create the service of a sample."""
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
        return self.api.create(SERVICE, {**body, "metadata": {**body["metadata"], "namespace": self.namespace}})

    def edit(self, name: str, **spec: Any) -> Object:
        """Change parts of a spec; None removes one."""
        return self.api.merge(SERVICE, self.namespace, name, {"spec": spec})

    def annotate(self, name: str, key: str, value: str) -> None:
        self.api.merge(SERVICE, self.namespace, name, {"metadata": {"annotations": {key: value}}})

    def withdraw(self, name: str) -> None:
        """Delete a service."""
        self.api.delete(SERVICE, self.namespace, name)

    def has_weights(self) -> None:
        """Put a bound claim `weights` into the namespace."""
        volume, claim = weights_claim(self.namespace)
        self.api.ask("POST", "/api/v1/persistentvolumes", volume)
        self.api.ask("POST", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims", claim)

    # What there is

    def service(self, name: str) -> Object:
        return self.api.get(SERVICE, self.namespace, name)

    def deployment(self, name: str) -> Object:
        return self.api.get(DEPLOYMENTS, self.namespace, child_name(name))

    def children(self, name: str = "") -> list[Object]:
        """Every object that a service controls, or that all services of the namespace control."""
        found = [item for resource in CHILDREN for item in self.api.list(resource, self.namespace)]
        return [item for item in found if _controller(item) and name in ("", _controller(item))]

    def pods(self, name: str) -> list[Object]:
        """The pods of a service that are not being removed."""
        return [pod for pod in self.all_pods(name) if not pod["metadata"].get("deletionTimestamp")]

    def all_pods(self, name: str) -> list[Object]:
        """The pods of a service, those included that are being removed."""
        uid = self.service(name)["metadata"]["uid"]
        return self.api.list(PODS, self.namespace, labels=f"npuserve.io/service-uid={uid}")

    def pod_uids(self, name: str) -> set[str]:
        return {pod["metadata"]["uid"] for pod in self.pods(name)}

    def news(self, name: str) -> list[tuple[str, str]]:
        """Reason and message of the operator's events about a service."""
        found = self.api.list(EVENTS, self.namespace)
        about = [
            item
            for item in found
            if (item["involvedObject"]["kind"], item["involvedObject"]["name"]) == (SERVICE.kind, name)
        ]
        return [(item["reason"], item["message"]) for item in about]

    def left_over(self) -> list[str]:
        """What is still there of objects that services bring about, directly or not."""
        found = [
            item for resource in (*CHILDREN, REPLICA_SETS, PODS) for item in self.api.list(resource, self.namespace)
        ]
        return [
            f"{item['kind']} {item['metadata']['name']}"
            for item in found
            if item["metadata"]["name"] != "kube-root-ca.crt"
        ]

    # What is waited for

    def wait(self, name: str, ask: Callable[[Object], Object | NotYet], *, within: float = WITHIN_SECONDS) -> Object:
        """The service once `ask` is satisfied with it."""
        return until(lambda: ask(self.service(name)), within=within)

    def wait_until_ready(self, *names: str, within: float = WITHIN_SECONDS) -> None:
        for name in names:
            self.wait(name, ready, within=within)

    def wait_until_said(self, name: str, kind: str, status: str, reason: str = "") -> Object:
        """The service once a condition of its present generation says so."""
        return self.wait(name, lambda service: said(service, kind, status, reason))

    def wait_until_empty(self) -> None:
        """Return when nothing is left of services."""
        until(lambda: NotYet(", ".join(left)) if (left := self.left_over()) else True)


def _controller(item: Object) -> str:
    references = item["metadata"].get("ownerReferences", [])
    return next(
        (owner["name"] for owner in references if owner["kind"] == SERVICE.kind and owner.get("controller")), ""
    )
