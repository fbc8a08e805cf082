"""What a plan is: every resolved value of a service, with the reason for each, or the refusal with the field and the
fix."""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.api.conditions import Reason
from npuserve.engines.contract import ContextWindow, Parallelism
from npuserve.engines.launch import Launch
from npuserve.engines.weights import Weights


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """Bytes of one device: `usable` is what the engine may use, the rest is how it is spent; `kv_cache_tokens` is per
    data-parallel rank."""

    usable: int
    weights: int
    runtime: int
    """Activations, communication buffers, and the engine itself."""
    kv_cache: int
    kv_cache_tokens: int
    utilization: float
    activations: int = 0
    """What one step needs at most, of the runtime's share."""
    communication: int = 0
    """Buffers of the communication groups, of the runtime's share."""
    reserve: int = 0
    """What the device shows beyond `usable`: room for captured graphs and buffers that are allocated late."""
    full_length_requests: int = 0
    """Requests of full length that the caches of all data-parallel ranks hold at once."""


@dataclass(frozen=True, slots=True)
class HugePages:
    """Pages of `size` bytes name (2Mi) and the amount in bytes."""

    size: str
    amount: int


@dataclass(frozen=True, slots=True)
class Topology:
    """CPUs and memory of one replica and how they are bound to its devices; bytes."""

    numa: str
    cpu_pinning: bool
    cpus: str
    """A whole number of CPUs, or the quantity the service asked for."""
    memory: str
    shared_memory: int
    scratch: int
    """Scratch space for weights the engine downloads without a cache; 0 when none."""
    hugepages: HugePages | None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: until a replica must have started, for requests to end before it is told to stop, for the engine's own
    shutdown."""

    startup: int
    drain: int
    shutdown: int

    @property
    def grace(self) -> int:
        """From the order to stop until a replica is killed; 30 s above what the two steps may take."""
        return self.drain + self.shutdown + 30


@dataclass(frozen=True, slots=True)
class Plan:
    """All that shall run, per replica. Values in; nothing here says how a cluster writes it down."""

    backend: str
    backend_version: str
    image: str
    product: str
    chip: str
    resource_name: str
    flavour: str
    scheduler_name: str
    node_selector: tuple[tuple[str, str], ...]
    devices: int
    nodes: int
    parallelism: Parallelism
    dtype: str
    quantization: str
    memory: MemoryBudget
    context: ContextWindow
    topology: Topology
    timing: Timing
    weights: Weights
    served_name: str
    launch: Launch
    reasons: tuple[str, ...]
    avoided_labels: tuple[tuple[str, str], ...] = ()
    """Labels of nodes on which the resource means something else."""
    slice_mib: int = 0
    """Memory of the part of one device that a replica gets; 0: whole devices."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a service is not run, the field to change (`spec.hardware.devices`) and the fix in the message."""

    reason: Reason
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """How replicas are replaced: `surge` more at once, `unavailable` fewer at once, or all at once (`recreate`)."""

    surge: int
    unavailable: int
    recreate: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """A plan as decided, kept beside what runs so that later passes repeat it: digests of the spec's parts by name, and
    the plan.

    A field added to what is recorded needs a default, because records of earlier versions lack it.
    """

    parts: tuple[tuple[str, str], ...]
    plan: Plan
