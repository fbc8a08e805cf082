"""What the command reads: services from files, folders and streams, a cluster from a file or the current kubeconfig,
models from a folder.

Rule: documents of other kinds are passed over, as folders of a GitOps repository hold them; a file that is no YAML, or
a path that is not there, ends the command with its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from npuserve.api.resource import GROUP, KIND
from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.cluster.nodes import read_node
from npuserve.cluster.pods import npu_use
from npuserve.configuration import Configuration

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Service objects in the order they were named, and the ConfigMaps beside them by (namespace, name)."""

    services: tuple[Mapping[str, Any], ...]
    config_maps: Mapping[tuple[str, str], Mapping[str, str]]


def read_inputs(paths: tuple[str, ...], namespace: str) -> Inputs:
    """All services in files, folders (searched to the bottom) and `-` for standard input; `namespace` is that of
    objects without one."""
    documents = [document for path in paths for document in _documents(path)]
    services = tuple(_placed(document, namespace) for document in documents if _is_service(document))
    if not services:
        raise click.ClickException(f"no {KIND} in {', '.join(paths)}")
    maps = [_placed(document, namespace) for document in documents if document.get("kind") == "ConfigMap"]
    found = {
        (item["metadata"]["namespace"], str(item["metadata"].get("name", ""))): _texts_in(item.get("data"))
        for item in maps
    }
    return Inputs(services, found)


def _is_service(document: Mapping[str, Any]) -> bool:
    """Whether a document is a service of ours: the kind's name is also that of others."""
    return document.get("kind") == KIND and str(document.get("apiVersion", GROUP)).partition("/")[0] == GROUP


def _texts_in(data: Any) -> Mapping[str, str]:
    """The data of a ConfigMap; values that are no texts are none that Kubernetes keeps."""
    return (
        {str(key): value for key, value in data.items() if isinstance(value, str)} if isinstance(data, Mapping) else {}
    )


def read_cluster(path: str, configuration: Configuration) -> ClusterFacts:
    """The cluster in a file of Nodes, and Pods where it lists them: the output of `kubectl get nodes -o yaml` as it is."""
    documents = list(_documents(path))
    nodes = [document for document in documents if document.get("kind") == "Node"]
    if not nodes:
        raise click.ClickException(f"no Node in {path}; write it with: kubectl get nodes -o yaml > {path}")
    return cluster_facts(nodes, [document for document in documents if document.get("kind") == "Pod"], configuration)


def cluster_facts(
    nodes: list[Mapping[str, Any]], pods: list[Mapping[str, Any]], configuration: Configuration
) -> ClusterFacts:
    """Node and Pod objects as the planner sees them."""
    renamed = configuration.resource_names
    facts: tuple[NodeFacts, ...] = tuple(found for node in nodes for found in read_node(node, renamed))
    offered = {(node.name, node.resource) for node in facts}
    used: dict[str, int] = {}
    for use in (use for pod in pods for use in npu_use(pod, renamed)):
        if (use.node, use.resource) in offered:
            used[use.node] = used.get(use.node, 0) + use.devices
    return ClusterFacts(facts, used, known=True, flavour=configuration.flavour)


def read_configuration(path: str | None) -> Configuration:
    """The configuration file; the defaults without one."""
    if path is None:
        return Configuration()
    from npuserve.controller.files import UnusableConfiguration, load_configuration

    try:
        return load_configuration(Path(path))
    except UnusableConfiguration as error:
        raise click.ClickException(str(error)) from error


def model_file(folder: str | None, path: str) -> str | None:
    """The text of `Org--Name.json` for the model `Org/Name`; None when the folder has none."""
    if folder is None:
        return None
    file = Path(folder) / f"{path.replace('/', '--')}.json"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _placed(document: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    metadata = document.get("metadata")
    known = metadata if isinstance(metadata, Mapping) else {}
    return {**document, "metadata": {**known, "namespace": known.get("namespace") or namespace}}


def _documents(path: str) -> Iterator[Mapping[str, Any]]:
    for name, text in _texts(path):
        try:
            parsed = list(yaml.load_all(text, Loader=_LOADER))  # a safe loader, in C where there is one
        except (yaml.YAMLError, ValueError) as error:
            raise click.ClickException(f"{name} is no YAML: {' '.join(str(error).split())}") from error
        for document in parsed:
            yield from _items(document)


def _items(document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, Mapping):
        return
    items = document.get("items")
    kind = str(document.get("kind", ""))
    if kind.endswith("List") and isinstance(items, list):
        single = kind.removesuffix("List")
        yield from ({"kind": single, **item} if single else item for item in items if isinstance(item, Mapping))
    else:
        yield document


def _texts(path: str) -> Iterator[tuple[str, str]]:
    if path == "-":
        yield "standard input", sys.stdin.read()
        return
    place = Path(path)
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    elif place.is_file():
        files = [place]
    else:
        raise click.ClickException(f"{path} is not there; -f takes files, folders and - for standard input")
    for file in files:
        try:
            yield str(file), file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{file} cannot be read: {error}") from error
