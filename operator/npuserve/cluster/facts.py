"""What the planner knows of a cluster: nodes reduced to a few values each, and what is free on them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NOTHING_RENAMED: Mapping[str, str] = MappingProxyType({})
"""Published names of resources by the names they bear, where they bear their own."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A mark that keeps workloads off a node unless they tolerate it."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One node that offers NPUs of one resource. Memory and huge pages in bytes, CPUs whole."""

    name: str
    arch: str
    resource: str
    family: str
    devices: int
    products: tuple[str, ...]
    """Ids of the product rows that the node can be, the one to assume first."""
    certain: bool
    """The labels settle chip and memory; otherwise the smallest memory is assumed."""
    chip: str
    cpus: int
    memory: int
    hugepages: tuple[tuple[str, int], ...]
    labels: Mapping[str, str] = field(hash=False)
    taints: tuple[Taint, ...] = ()
    schedulable: bool = True
    shares_devices: bool = False
    """One unit of the resource is a percentage of a device; never a target of whole-device requests."""

    def carries(self, selector: Mapping[str, str]) -> bool:
        return all(self.labels.get(key) == value for key, value in selector.items())

    def carries_any(self, labels: Iterable[tuple[str, str]]) -> bool:
        return any(self.labels.get(key) == value for key, value in labels)


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """Nodes with NPUs and the devices in use on each; `known` is False where nodes cannot be read and capacity is
    unknown."""

    nodes: tuple[NodeFacts, ...]
    used: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Devices in use by node name."""
    known: bool = True
    flavour: str = "auto"
    """The configured flavour; auto detects it from the resource's family."""
    memo: dict[Hashable, object] = field(default_factory=dict, init=False, compare=False, hash=False, repr=False)
    """Answers about `nodes` that pure functions remember while these facts last; facts made from these by `replace`
    begin anew."""

    def free(self, node: NodeFacts) -> int:
        return max(0, node.devices - self.used.get(node.name, 0)) if node.schedulable else 0

    def room(self, nodes: tuple[NodeFacts, ...], *, devices: int) -> int:
        """How many replicas of `devices` devices fit into what is free on `nodes`."""
        return sum(self.free(node) // devices for node in nodes)
