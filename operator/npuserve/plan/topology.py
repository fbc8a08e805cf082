"""CPUs, memory, NUMA alignment and huge pages of one replica.

Defaults: 5 CPUs per device, because vllm-ascend's own binding needs them
(VA:docs/source/user_guide/feature_guide/cpu_binding.md) and MindIE's worker and tokenizer processes use as many; fewer
only where the nodes have fewer per device, and then nothing binds. Host memory: 8 GiB and 4 GiB per device beside
/dev/shm. No pinning and no NUMA wish unless asked: device plugins give no NUMA hints in any release
(MC:docs/zh/scheduling/04_usage), so pinning may even land on the far node. Huge pages only when asked: basic serving
does not use them. What kubelets with a policy refuse is refused here (kubernetes/website:topology-manager).
"""

from __future__ import annotations

from collections.abc import Iterator

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
_ONE_NODE = "single-numa-node"
_ALIGNING = ("restricted", _ONE_NODE)


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
    if pinned and (unpinnable := _pinning_refusal(cpus, pool, profile)) is not None:
        return unpinnable
    return Topology(
        numa=numa,
        cpu_pinning=pinned,
        cpus=cpus,
        memory=resources.memory or format_bytes(_memory(pool, devices, shared_memory)),
        shared_memory=shared_memory,
        scratch=scratch,
        hugepages=HugePages(wish.hugepages.size, whole(wish.hugepages.amount)) if wish.hugepages else None,
    )


def binds(found: Topology, devices: int) -> bool:
    """Whether the engine binds its threads: to CPUs that are asked for beside its devices, when they are enough."""
    wanted = found.cpu_pinning or found.numa != "none"
    return wanted and not _scarce(found, devices)


def reasons(found: Topology, *, pool: Pool, profile: Profile, devices: int) -> Iterator[str]:
    """The host's share in one line, and what an engineer should know of it."""
    pinning = "pinned" if found.cpu_pinning else "not pinned"
    pages = f", {format_bytes(found.hugepages.amount)} of {found.hugepages.size} pages" if found.hugepages else ""
    yield (
        f"topology: {found.cpus} CPUs {pinning}, {found.memory} memory with {format_bytes(found.shared_memory)} /dev/shm, NUMA {found.numa}{pages}"
    )
    if _scarce(found, devices):
        yield (
            f"topology: fewer than the {CPUS_PER_DEVICE} CPUs per device that an engine needs to bind its threads, so it runs unbound"
        )
    if found.cpu_pinning and not pool.flavour.tells_numa:
        yield (
            f"topology: {pool.flavour.name} tells kubelets no NUMA nodes, so pinned CPUs may lie far from the devices"
        )
    if _too_wide(pool, profile, devices):
        yield (
            f"topology: kubelets with single-numa-node refuse {devices} devices of {pool.product.id} as soon as the device plugin tells "
            "their NUMA nodes; use restricted there"
        )
    if found.hugepages and profile.hugetlb_group is None:
        yield "topology: shared memory of huge pages needs the nodes' hugetlb group in the profile's hugetlbGroup"


def _scarce(found: Topology, devices: int) -> bool:
    return whole(found.cpus) < CPUS_PER_DEVICE * devices


def _too_wide(pool: Pool, profile: Profile, devices: int) -> bool:
    """Whether kubelets with single-numa-node refuse that many devices, once they know where the devices are."""
    carried = pool.product.devices_per_numa_node
    told = profile.topology_policy == _ONE_NODE and pool.flavour.tells_numa
    return told and carried is not None and devices > carried


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
    if numa == "required" and (missing := _no_promise(pool, profile)):
        return _refused("numa", f"NUMA alignment cannot be promised: {missing}")
    if numa != "none" and _too_wide(pool, profile, devices):
        carried = pool.product.devices_per_numa_node
        return _refused(
            "numa",
            f"{_ONE_NODE} never admits {devices} devices, a NUMA node of {pool.product.id} carries {carried}; "
            f"use {carried} devices or fewer, or have the platform team set restricted on the nodes",
        )
    return None


def _no_promise(pool: Pool, profile: Profile) -> str:
    """What is missing for a promise of alignment, and what to do; empty when nothing is."""
    if not pool.flavour.tells_numa:
        return f"{pool.flavour.name} tells kubelets no NUMA nodes; use preferred"
    policy = profile.topology_policy
    if policy in _ALIGNING:
        return ""
    known = f"is {policy!r}" if policy else "is not known, as the configuration's profile sets no topologyPolicy"
    return (
        f"the kubelets' Topology Manager policy {known}; use preferred, or have the platform team set restricted on the nodes and in the "
        "profile"
    )


def _pinning_refusal(cpus: str, pool: Pool, profile: Profile) -> Refusal | None:
    """Pinned CPUs are whole, and on one NUMA node where kubelets ask that of them."""
    amount = parse_quantity(cpus)
    if amount is not None and amount.denominator != 1:
        message = f"{cpus} is not a whole number of CPUs, which pinning needs; use {int(amount) + 1}"
        return Refusal(Reason.UNSUPPORTED_TOPOLOGY, "spec.template.resources.cpu", message)
    most = max((node.cpus for node in pool.nodes), default=0) // (pool.product.numa_nodes or 1)
    if profile.topology_policy == _ONE_NODE and pool.product.numa_nodes and 0 < most < whole(cpus):
        message = (
            f"{_ONE_NODE} never admits {cpus} pinned CPUs, a NUMA node of {pool.product.id} has {most}; ask for {most} or fewer in "
            "spec.template.resources.cpu, or have the platform team set restricted on the nodes"
        )
        return _refused("cpuPinning", message)
    return None


def _refused(field: str, message: str) -> Refusal:
    return Refusal(Reason.UNSUPPORTED_TOPOLOGY, f"spec.hardware.topology.{field}", message)


def _huge_page_refusal(wish: Wish, pool: Pool) -> Refusal | None:
    pages = wish.hugepages
    if pages is None:
        return None
    amount, size = whole(pages.amount), whole(pages.size)
    if amount <= 0 or not size or amount % size:
        return _refused("hugepages.amount", f"{pages.amount} is not a whole number of {pages.size} pages")
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
    return _refused(
        "hugepages", f"no {pool.product.id} node has {pages.amount} of {pages.size} pages; the nodes offer {there}"
    )
