"""What the operator says about a service: conditions, the resolved plan, and what the `scale` subresource reads.

Rule: everything is bounded, and texts of the operator's own are cut rather than refused. The plan is what runs, with
the generation it was made from; live numbers are metrics and have no place here.
"""

from typing import Annotated, Literal

from pydantic import Field

from npuserve.api.autoscaling import AutoscalingStatus
from npuserve.api.hardware import HugePages, NumaAlignment
from npuserve.api.shape import Shape
from npuserve.api.values import (
    LARGEST_EXACT_INTEGER,
    Argument,
    Bytes,
    Count,
    Generation,
    Message,
    Quantity,
    Sentence,
    list_map,
)

ShortText = Annotated[str, Field(max_length=253)]


class StatusCondition(Shape):
    """One statement about the service, as Kubernetes' own metav1.Condition."""

    type: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$", max_length=316)
    """What is stated, for example `Ready`."""

    status: Literal["True", "False", "Unknown"]
    """Whether it holds: `True`, `False` or `Unknown`."""

    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=128)
    """Why, as one word from the operator's vocabulary, for example `RollingOut`."""

    message: Message
    """Why, as a sentence that names the field and the fix. Empty where the reason says it all."""

    observed_generation: Generation
    """Generation of the spec that the statement is about."""

    last_transition_time: Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
    """When `status` last changed, in RFC 3339."""


class Address(Shape):
    """Where clients send requests."""

    url: str = Field(max_length=512)
    """Base URL inside the cluster, for example `http://qwen3-32b.team-a.svc:8000`."""

    model: str = Field(max_length=1024)
    """Value of the `model` field of requests."""


class PlannedParallelism(Shape):
    """The parallel sizes of one replica."""

    tensor: Count
    """Tensor parallel size."""

    pipeline: Count
    """Pipeline parallel size."""

    data: Count
    """Data parallel size."""

    expert: Count
    """Expert parallel size: the devices over which experts are spread, 1 where they are not."""


class PlannedMemory(Shape):
    """The memory budget of one device, in bytes.

    Weights, runtime and key-value cache together are at most what is usable.
    """

    usable: Bytes
    """Bytes of a device that the engine may use."""

    weights: Bytes
    """Bytes of weights on a device."""

    runtime: Bytes
    """Bytes kept for activations, communication buffers and the engine itself."""

    activations: Bytes | None = None
    """Bytes of the runtime that one step needs at most."""

    communication: Bytes | None = None
    """Bytes of the runtime for the buffers of communication groups."""

    reserve: Bytes | None = None
    """Bytes that a device shows beyond what is usable; captured graphs and late buffers live there."""

    kv_cache: Bytes
    """Bytes left for the key-value cache."""

    kv_cache_tokens: Bytes
    """Tokens that the key-value cache of one data-parallel rank holds."""

    full_length_requests: Bytes | None = None
    """Requests of full length that a replica holds at once."""

    utilization: str | None = Field(default=None, pattern=r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$", max_length=6)
    """Share of a device's memory that the engine is told to use, for example `0.92`."""


class PlannedContext(Shape):
    """The limits that the engine was started with."""

    max_model_len: Count
    """Longest sequence in tokens, prompt and answer together."""

    max_sequences: Count
    """Sequences that one data-parallel rank works on at the same time."""


class PlannedTopology(Shape):
    """How a replica's processors and memory are placed around its NPUs."""

    numa: NumaAlignment
    """Alignment to NUMA nodes: `none`, `preferred` or `required`."""

    cpu_pinning: bool
    """Whether the pods get processors of their own."""

    cpus: Quantity
    """Processors per pod, for example `40`."""

    memory: Quantity | None = None
    """Memory request per pod, the shared memory included, for example `256Gi`."""

    hugepages: HugePages | None = None
    """Huge pages per pod. Absent: none."""


class PlannedVariable(Shape):
    """An environment variable of the engine."""

    name: ShortText
    """Name of the variable."""

    value: Argument | None = None
    """Value of the variable. Absent where it comes from a Secret or from the pod itself."""


class StatusPlan(Shape):
    """The resolved plan: everything the spec left open, decided, with the reasons."""

    observed_generation: Generation
    """Generation of the spec that this plan was made from. It stays behind `status.observedGeneration` while an edit is
    refused and the earlier plan keeps running."""

    backend: str = Field(max_length=63)
    """Engine that serves the model."""

    backend_version: str = Field(max_length=32)
    """Version of the engine."""

    image: str = Field(max_length=512)
    """Container image of the engine."""

    product: str = Field(max_length=64)
    """Product that the replicas run on."""

    chip: str = Field(max_length=32)
    """Chip that the replicas run on."""

    resource_name: ShortText
    """Extended resource that the pods request."""

    flavour: str = Field(max_length=63)
    """Device plugin and scheduler that the cluster uses for NPUs, as the operator knows them."""

    scheduler_name: ShortText
    """Scheduler of the pods."""

    devices: Count
    """NPU devices per replica, over all of its nodes."""

    device_memory: Quantity | None = None
    """Memory of the part of one device that a replica gets, for example `16Gi`. Absent: whole devices."""

    nodes: Count
    """Nodes per replica."""

    parallelism: PlannedParallelism
    """Parallel sizes of one replica."""

    dtype: str = Field(max_length=32)
    """Type in which the engine computes, for example `bfloat16`."""

    quantization: str = Field(max_length=64)
    """Quantization of the weights, `none` for full precision."""

    memory: PlannedMemory
    """Memory budget of one device, in bytes."""

    context: PlannedContext
    """Limits that the engine was started with."""

    topology: PlannedTopology
    """How processors and memory are placed around the NPUs."""

    args: Annotated[tuple[Argument, ...], Field(strict=False, max_length=256)] = ()
    """Launch arguments of the engine as started, in order."""

    env: Annotated[
        tuple[PlannedVariable, ...],
        Field(strict=False, max_length=128, json_schema_extra=list_map("name")),
    ] = ()
    """Environment variables of the engine."""

    reasons: Annotated[tuple[Sentence, ...], Field(strict=False, max_length=64)] = ()
    """Why the plan is as it is, one sentence per decision."""


NOT_YET = -1
"""The observed generation of a service that nobody has looked at. The CRD gives it to new services: kstatus takes an
object without any status for a finished one, and `helm --wait` and Flux would not wait."""


class InferenceServiceStatus(Shape):
    """What the operator says about the service."""

    observed_generation: Annotated[int, Field(ge=NOT_YET, le=LARGEST_EXACT_INTEGER)] | None = None
    """Generation of the spec that this status is about; -1 before anything was said."""

    conditions: Annotated[
        tuple[StatusCondition, ...],
        Field(strict=False, max_length=16, json_schema_extra=list_map("type")),
    ] = ()
    """Statements about the service: `Ready` always, `Reconciling` and `Stalled` only while they are true,
    `Accepted`, `ModelReady`, `Available`, `Scaling` and `Degraded`, and `Advisory` while something is worth knowing."""

    replicas: Count | None = None
    """Replicas that exist."""

    ready_replicas: Count | None = None
    """Replicas that answer requests."""

    selector: str | None = Field(default=None, max_length=2048)
    """Label selector of the pods, as text. Autoscalers read it through the `scale` subresource."""

    address: Address | None = None
    """Where clients send requests."""

    plan: StatusPlan | None = None
    """The plan that runs."""

    autoscaling: AutoscalingStatus | None = None
    """The last decision of the autoscaler. Absent where `spec.autoscaling` is."""
