"""What no host of a pool gives of what a service asks of it: NUMA alignment, pinned CPUs, huge pages, CPUs and memory.

Rule: what a kubelet or a scheduler would refuse for ever is refused with the fix. A pod that a Topology Manager refuses
is not placed elsewhere, and its controller makes it again and again (kubernetes/website:topology-manager,
memory-manager, cpu-management-policies). Hosts of which nothing is known are believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.api.conditions import Reason
from npuserve.api.hardware import Topology as Wish
from npuserve.api.template import Resources
from npuserve.cluster.facts import NodeFacts
from npuserve.configuration import Profile
from npuserve.plan.hardware import Pool
from npuserve.plan.plan import Refusal
from npuserve.quantity import format_bytes, parse_quantity, whole

_ONE_NODE = "single-numa-node"
_ALIGNING = ("restricted", _ONE_NODE)
_TOPOLOGY = "spec.hardware.topology"
_RESOURCES = "spec.template.resources"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a pool for replicas of so many devices."""

    pool: Pool
    profile: Profile
    devices: int

    def refusal(self, wish: Wish, resources: Resources, *, numa: str, pinned_cpus: str) -> Refusal | None:
        """The first thing that is asked and that no host gives; `pinned_cpus` is empty where none are pinned."""
        return self._alignment(numa) or self._huge_pages(wish) or self._pinning(pinned_cpus) or self._size(resources)

    def spread(self) -> bool:
        """Whether kubelets with single-numa-node refuse that many devices, once they know where the devices are."""
        carried = self.pool.product.devices_per_numa_node
        told = self.profile.topology_policy == _ONE_NODE and self.pool.flavour.tells_numa
        return told and carried is not None and self.devices > carried

    def _able(self) -> tuple[NodeFacts, ...]:
        """Nodes with enough devices and known sizes."""
        return tuple(node for node in self.pool.nodes if node.devices >= self.devices and node.memory)

    def _alignment(self, numa: str) -> Refusal | None:
        if numa == "required" and (missing := self._no_promise()):
            return _refused(f"{_TOPOLOGY}.numa", f"NUMA alignment cannot be promised: {missing}")
        if numa == "none" or not self.spread():
            return None
        product, carried = self.pool.product, self.pool.product.devices_per_numa_node
        return _refused(
            f"{_TOPOLOGY}.numa",
            f"{_ONE_NODE} never admits {self.devices} devices, a NUMA node of {product.id} carries {carried}; "
            f"use {carried} devices or fewer, or have the platform team set restricted on the nodes",
        )

    def _no_promise(self) -> str:
        """What is missing for a promise of alignment, and what to do; empty when nothing is."""
        if not self.pool.flavour.tells_numa:
            return f"{self.pool.flavour.name} tells kubelets no NUMA nodes; use preferred"
        policy = self.profile.topology_policy
        if policy in _ALIGNING:
            return ""
        known = f"is {policy!r}" if policy else "is not known, as the configuration's profile sets no topologyPolicy"
        return (
            f"the kubelets' Topology Manager policy {known}; use preferred, or have the platform team set restricted on the nodes and in the "
            "profile"
        )

    def _huge_pages(self, wish: Wish) -> Refusal | None:
        pages = wish.hugepages
        if pages is None:
            return None
        amount, size = whole(pages.amount), whole(pages.size)
        if amount <= 0 or not size or amount % size:
            message = f"{pages.amount} is not a whole number of {pages.size} pages"
            return _refused(f"{_TOPOLOGY}.hugepages.amount", message)
        able = self._able()
        if not able:
            return None
        offered: dict[str, int] = {}
        for name, most in (offer for node in able for offer in node.hugepages if offer[1]):
            offered[name] = max(most, offered.get(name, 0))
        if offered.get(pages.size, 0) >= amount:
            return None
        there = ", ".join(f"{format_bytes(most)} of {name}" for name, most in sorted(offered.items())) or "none"
        return _refused(
            f"{_TOPOLOGY}.hugepages",
            f"no {self.pool.product.id} node has {pages.amount} of {pages.size} pages; the nodes offer {there}",
        )

    def _pinning(self, cpus: str) -> Refusal | None:
        """Pinned CPUs are whole, and on one NUMA node where kubelets ask that of them."""
        amount = parse_quantity(cpus)
        if amount is None:
            return None
        if amount.denominator != 1:
            message = f"{cpus} is not a whole number of CPUs, which pinning needs; use {int(amount) + 1}"
            return _refused(f"{_RESOURCES}.cpu", message)
        product = self.pool.product
        most = max((node.cpus for node in self._able()), default=0) // (product.numa_nodes or 1)
        if self.profile.topology_policy != _ONE_NODE or not product.numa_nodes or not 0 < most < amount:
            return None
        return _refused(
            f"{_TOPOLOGY}.cpuPinning",
            f"{_ONE_NODE} never admits {cpus} pinned CPUs, a NUMA node of {product.id} has {most}; ask for {most} or fewer in "
            f"{_RESOURCES}.cpu, or have the platform team set restricted on the nodes",
        )

    def _size(self, resources: Resources) -> Refusal | None:
        """CPUs and memory that the service names and no host has."""
        able, product = self._able(), self.pool.product.id
        most_cpus = max((node.cpus for node in able), default=0)
        if most_cpus and whole(resources.cpu) > most_cpus:
            message = f"no {product} node has {resources.cpu} CPUs; ask for {most_cpus} or fewer"
            return _refused(f"{_RESOURCES}.cpu", message)
        most_memory = max((node.memory for node in able), default=0)
        if most_memory and whole(resources.memory) > most_memory:
            message = f"no {product} node has {resources.memory} of memory; ask for {format_bytes(most_memory)} or less"
            return _refused(f"{_RESOURCES}.memory", message)
        return None


def _refused(field: str, message: str) -> Refusal:
    return Refusal(Reason.UNSUPPORTED_TOPOLOGY, field, message)
