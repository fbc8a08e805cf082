"""The cluster behind the current kubeconfig, read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from npuserve.api.resource import GROUP, PLURAL, VERSION
from npuserve.cli.inputs import cluster_facts
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration

_PAGE = 500
_ADVICE = "give the nodes as a file: kubectl get nodes -o yaml > nodes.yaml, then --cluster nodes.yaml"


def live_cluster(configuration: Configuration) -> ClusterFacts:
    """Nodes and the devices in use on them. Every way of logging in that kubectl knows works."""
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        config.load_config()
        core = client.CoreV1Api()
        nodes = _all(core, core.list_node)
        pods = _all(core, core.list_pod_for_all_namespaces, field_selector="spec.nodeName!=")
    except config.ConfigException as error:
        raise click.ClickException(f"no cluster is configured ({error}); {_ADVICE}") from error
    except ApiException as error:
        raise click.ClickException(f"the cluster refuses to list nodes or pods ({error.reason}); {_ADVICE}") from error
    except HTTPError as error:
        raise click.ClickException(f"the cluster cannot be reached ({type(error).__name__}); {_ADVICE}") from error
    return cluster_facts(nodes, pods, configuration)


def live_service(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The service of that name and namespace as the cluster has it; None where it has none, or cannot be asked."""
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        config.load_config()
        found = client.CustomObjectsApi().get_namespaced_custom_object(
            GROUP, VERSION, metadata["namespace"], PLURAL, metadata.get("name", "")
        )
    except (config.ConfigException, ApiException, HTTPError):
        return None
    return dict(found) if isinstance(found, Mapping) else None


def _all(core: Any, listing: Any, **selection: str) -> list[Any]:
    """Every object of a list, page by page, as plain values."""
    found: list[Any] = []
    following: str | None = ""
    while following is not None:
        page = listing(limit=_PAGE, _continue=following or None, **selection)
        found += core.api_client.sanitize_for_serialization(page)["items"]
        following = page.metadata._continue or None  # noqa: SLF001  the client's name for metadata.continue
    return found
