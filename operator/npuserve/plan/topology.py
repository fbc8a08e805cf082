"""CPUs, memory, NUMA alignment and huge pages of one replica.

Defaults: 5 CPUs per device, because vllm-ascend's own binding needs them
(VA:docs/source/user_guide/feature_guide/cpu_binding.md) and MindIE's worker and tokenizer processes use as many; fewer
only where the nodes have fewer per device. Host memory: 8 GiB and 4 GiB per device beside /dev/shm. No pinning and no
NUMA wish unless asked: device plugins give no NUMA hints in any release (MC:docs/zh/scheduling/04_usage), so pinning
may even land on the far node. Huge pages only when asked: basic serving does not use them.
"""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.api.hardware import Topology as Wish
from npuserve.api.template import Resources
from npuserve.cluster.facts import NodeFacts
from npuserve.configuration import Profile
from npuserve.plan.hardware import Pool
from npuserve.plan.plan import HugePages, Refusal, Topology
from npuserve.quantity import format_bytes, parse_quantity, whole

CPUS_PER_DEVICE = 5
_GIB = 1 << 30
_BASE_MEMORY = 8 * _GIB
_MEMORY_PER_DEVICE = 4 * _GIB
_ALIGNING = ("restricted", "single-numa-node")


def decide_topology(
    wish: Wish, resources: Resources, *, pool: Pool, profile: Profile, devices: int, shared_memory: int, scratch: int
) -> Topology | Refusal:
    """What a replica asks of its host, or which part of the wish no node can give."""
    numa = wish.numa or "none"
    refused = _numa_refusal(numa, pool, profile, devices) or _huge_page_refusal(wish, pool)
    if refused is not None:
        return refused
    pinned = bool(wish.cpu_pinning) or numa == "required"
    cpus = resources.cpu or str(_cpus(pool, devices))
    if pinned and (amount := parse_quantity(cpus)) is not None and amount.denominator != 1:
        return Refusal(
            Reason.UNSUPPORTED_TOPOLOGY,
            "spec.template.resources.cpu",
            f"{cpus} is not a whole number of CPUs, which pinning needs; use {int(amount) + 1}",
        )
    return Topology(
        numa=numa,
        cpu_pinning=pinned,
        cpus=cpus,
        memory=resources.memory or format_bytes(_memory(pool, devices, shared_memory)),
        shared_memory=shared_memory,
        scratch=scratch,
        hugepages=HugePages(wish.hugepages.size, whole(wish.hugepages.amount)) if wish.hugepages else None,
    )


def reason(found: Topology) -> str:
    """One line on the host's share."""
    pinning = "pinned" if found.cpu_pinning else "not pinned"
    pages = f", {format_bytes(found.hugepages.amount)} of {found.hugepages.size} pages" if found.hugepages else ""
    return f"topology: {found.cpus} CPUs {pinning}, {found.memory} memory with {format_bytes(found.shared_memory)} /dev/shm, NUMA {found.numa}{pages}"


def _share(nodes: tuple[NodeFacts, ...], devices: int, amounts: tuple[int, ...]) -> int | None:
    shares = [amount * devices // node.devices for node, amount in zip(nodes, amounts, strict=True) if amount]
    return min(shares, default=None)


def _cpus(pool: Pool, devices: int) -> int:
    share = _share(pool.nodes, devices, tuple(node.cpus for node in pool.nodes))
    wanted = CPUS_PER_DEVICE * devices
    return wanted if share is None else max(1, min(wanted, share * 9 // 10))


def _memory(pool: Pool, devices: int, shared_memory: int) -> int:
    wanted = _BASE_MEMORY + _MEMORY_PER_DEVICE * devices + shared_memory
    share = _share(pool.nodes, devices, tuple(node.memory for node in pool.nodes))
    fitting = wanted if share is None else max(_GIB, min(wanted, share * 9 // 10))
    return fitting // _GIB * _GIB


def _numa_refusal(numa: str, pool: Pool, profile: Profile, devices: int) -> Refusal | None:
    if numa != "required":
        return None
    policy = profile.topology_policy
    if policy not in _ALIGNING:
        known = f"is {policy!r}" if policy else "is not known: the configuration's profile sets no topologyPolicy"
        return Refusal(
            Reason.UNSUPPORTED_TOPOLOGY,
            "spec.hardware.topology.numa",
            f"NUMA alignment cannot be promised, the kubelets' Topology Manager policy {known}; use preferred, or have the platform team set "
            "restricted on the nodes and in the profile",
        )
    carried = pool.product.devices_per_numa_node
    if policy == "single-numa-node" and carried is not None and devices > carried:
        return Refusal(
            Reason.UNSUPPORTED_TOPOLOGY,
            "spec.hardware.topology.numa",
            f"single-numa-node never admits {devices} devices, a NUMA node of {pool.product.id} carries {carried}; "
            "use restricted on the nodes, or preferred here",
        )
    return None


def _huge_page_refusal(wish: Wish, pool: Pool) -> Refusal | None:
    pages = wish.hugepages
    if pages is None:
        return None
    amount, size = whole(pages.amount), whole(pages.size)
    if amount <= 0 or not size or amount % size:
        return Refusal(
            Reason.UNSUPPORTED_TOPOLOGY,
            "spec.hardware.topology.hugepages.amount",
            f"{pages.amount} is not a whole number of {pages.size} pages",
        )
    if not any(node.memory for node in pool.nodes):
        return None  # nothing is known of these hosts
    offers = {
        name: max(dict(node.hugepages).get(name, 0) for node in pool.nodes)
        for node in pool.nodes
        for name, _ in node.hugepages
    }
    offered = {name: most for name, most in offers.items() if most}
    if offered.get(pages.size, 0) >= amount:
        return None
    there = ", ".join(f"{format_bytes(most)} of {name}" for name, most in sorted(offered.items())) or "none"
    return Refusal(
        Reason.UNSUPPORTED_TOPOLOGY,
        "spec.hardware.topology.hugepages",
        f"no {pool.product.id} node has {pages.amount} of {pages.size} pages; the nodes offer {there}",
    )
