"""The Kubernetes API as its administrator asks it in tests: single requests, with nothing added and nothing hidden."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import yaml
from urllib3 import PoolManager

from npuserve.controller.resources import Resource, path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
RUNTIME_CLASSES = Resource("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", namespaced=False)
DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class Refused(Exception):
    """An answer of 4xx or 5xx."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class Api:
    """One method per verb; every one of them raises Refused."""

    def __init__(self, cluster: ControlPlane) -> None:
        user = yaml.safe_load(cluster.admin_kubeconfig.read_text())["users"][0]["user"]
        self._url = cluster.url
        self._pool = PoolManager(
            ca_certs=str(cluster.ca),
            headers={"Authorization": f"Bearer {user['token']}"},
            retries=False,
            timeout=30,
            maxsize=16,
        )

    def hang_up(self) -> None:
        """Close every connection; the next request opens a new one."""
        self._pool.clear()

    def get(self, resource: Resource, namespace: str, name: str, *, subresource: str = "") -> Object:
        return self.ask("GET", path(resource, namespace, name=name, subresource=subresource))

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object; None where there is none of that name."""
        try:
            return self.get(resource, namespace, name)
        except Refused as answer:
            if answer.code == 404:
                return None
            raise

    def list(self, resource: Resource, namespace: str = "", *, labels: str = "") -> list[Object]:
        """Objects with their kind, which the API server leaves out of lists."""
        answer = self.ask("GET", path(resource, namespace), query={"labelSelector": labels})
        return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in answer["items"]]

    def create(self, resource: Resource, body: Object, *, query: Mapping[str, str] | None = None) -> Object:
        return self.ask("POST", path(resource, body["metadata"].get("namespace", "")), body, query=query)

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        metadata = body["metadata"]
        where = path(resource, metadata["namespace"], name=metadata["name"], subresource=subresource)
        return self.ask("PUT", where, body)

    def merge(self, resource: Resource, namespace: str, name: str, changes: Object, *, subresource: str = "") -> Object:
        """A merge patch: keys with null are removed."""
        where = path(resource, namespace, name=name, subresource=subresource)
        return self.ask("PATCH", where, changes, content=_MERGE)

    def apply(self, resource: Resource, body: Object, *, manager: str = "test") -> Object:
        """Server-side apply; fields that others own are taken."""
        metadata = body["metadata"]
        where = path(resource, metadata.get("namespace", ""), name=metadata["name"])
        return self.ask("PATCH", where, body, content=_APPLY, query={"fieldManager": manager, "force": "true"})

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        self.ask("DELETE", path(resource, namespace, name=name))

    def ask(
        self,
        method: str,
        where: str,
        body: Object | Sequence[Object] | None = None,
        *,
        content: str = _JSON,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """Any request; `where` is a path of the API."""
        answer = self._pool.request(
            method,
            f"{self._url}{where}?{urlencode(query or {})}",
            body=None if body is None else json.dumps(body).encode(),
            headers={**self._pool.headers, "Content-Type": content, "Accept": _JSON},
        )
        said: dict[str, Any] = json.loads(answer.data) if answer.data else {}
        if answer.status >= 400:
            raise Refused(answer.status, str(said.get("message", "")))
        return said
