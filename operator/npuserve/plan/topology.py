"""CPUs, memory, NUMA alignment and huge pages of one replica.

Defaults: 5 CPUs per device, because vllm-ascend's own binding needs them
(VA:docs/source/user_guide/feature_guide/cpu_binding.md) and MindIE's worker and tokenizer processes use as many; fewer
only where the nodes have fewer per device, and then nothing binds. Host memory: 8 GiB and 4 GiB per device beside
/dev/shm. No pinning and no NUMA wish unless asked: device plugins give no NUMA hints in any release
(MC:docs/zh/scheduling/04_usage), so pinning may even land on the far node. Huge pages only when asked: basic serving
does not use them. What no host gives is refused in `hosts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.api.hardware import Topology as Wish
from npuserve.api.template import Resources
from npuserve.cluster.facts import NodeFacts
from npuserve.configuration import Profile
from npuserve.plan.hardware import Pool
from npuserve.plan.hosts import Hosts
from npuserve.plan.plan import HugePages, Refusal, Topology
from npuserve.quantity import format_bytes, whole

CPUS_PER_DEVICE = 5
_GIB = 1 << 30
_BASE_MEMORY = 8 * _GIB
_MEMORY_PER_DEVICE = 4 * _GIB


def decide_topology(
    wish: Wish, resources: Resources, *, pool: Pool, profile: Profile, devices: int, shared_memory: int, scratch: int
) -> Topology | Refusal:
    """What a replica asks of its host, or which part of the wish no node can give."""
    numa = wish.numa or "none"
    pinned = bool(wish.cpu_pinning) or numa == "required"
    cpus = resources.cpu or str(_cpus(pool, devices))
    refused = Hosts(pool, profile, devices).refusal(wish, resources, numa=numa, pinned_cpus=cpus if pinned else "")
    if refused is not None:
        return refused
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
    if Hosts(pool, profile, devices).spread():
        yield (
            f"topology: kubelets with single-numa-node refuse {devices} devices of {pool.product.id} as soon as the device plugin tells "
            "their NUMA nodes; use restricted there"
        )
    if found.hugepages and profile.hugetlb_group is None:
        yield "topology: shared memory of huge pages needs the nodes' hugetlb group in the profile's hugetlbGroup"


def _scarce(found: Topology, devices: int) -> bool:
    return whole(found.cpus) < CPUS_PER_DEVICE * devices


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
