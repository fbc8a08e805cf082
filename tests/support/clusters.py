"""Clusters as the planner sees them, made from Node objects through the reader that the operator uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.nodes import read_node
from tests.cluster import nodes as machines

CHIP = "node.kubernetes.io/npu.chip.name"
MEMORY = "mind-cluster/npu-chip-memory"

A2_64G = machines.A2_64G.node("a2-64g")
A2_32G = machines.A2_32G.node("a2-32g")
A3 = machines.A3.node("a3")
DUO = machines.DUO_96G.node("duo")
HAMI = machines.HAMI_A2.node("hami")
HAMI_A3 = machines.HAMI_A3.node("hami-a3")
SHARED = machines.A2_SHARED.node("shared")
CCE = machines.CCE_A2.node("cce")
BY_HAND = machines.A2_LABELS_BY_HAND.node("by-hand")


def a_node(
    resource: str = "huawei.com/Ascend910",
    devices: int = 8,
    *,
    name: str = "node",
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A Node object that offers devices; `spec` holds taints and the like."""
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": spec,
        "status": {"allocatable": {resource: str(devices), "cpu": "192", "memory": "1536Gi", "hugepages-2Mi": "64Gi"}},
    }


def named(node: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same node under another name."""
    return {**node, "metadata": {**node["metadata"], "name": name}}


def cluster(*nodes: Mapping[str, Any], used: Mapping[str, int] | None = None, flavour: str = "auto") -> ClusterFacts:
    """The facts of these nodes; `used` are devices in use by node name."""
    return ClusterFacts(tuple(facts for node in nodes for facts in read_node(node)), dict(used or {}), flavour=flavour)


def unreadable(facts: ClusterFacts | None = None, flavour: str = "auto") -> ClusterFacts:
    """A cluster whose nodes cannot be read, with the nodes that a configuration declares."""
    return ClusterFacts((), {}, known=False, flavour=flavour) if facts is None else replace(facts, known=False)


def products_of(node: Mapping[str, Any]) -> Iterable[str]:
    """Product ids that the node's one resource can be, the assumed one first."""
    (facts,) = read_node(node)
    return facts.products
