"""What a service adds to its pods.

Fields that could widen a tenant's rights open only through the operator's allow-lists.
"""

from typing import Annotated, Literal

from pydantic import Field

from npuserve.api.shape import Shape
from npuserve.api.values import (
    AnnotationValue,
    LabelKey,
    LabelValue,
    ObjectName,
    OptionalObjectName,
    Quantity,
    list_map,
    no_two_share,
)

OptionalLabelKey = Annotated[str, Field(max_length=317)]


class PullSecret(Shape):
    """A Secret with registry credentials, in the namespace of the service."""

    name: ObjectName
    """Name of the Secret, for example `registry-credentials`. Required."""


class Resources(Shape):
    """Processors and memory of the engine container. Its NPUs are `hardware.devices`."""

    cpu: Quantity | None = Field(default=None, examples=["40", "500m"])
    """Processors per pod, for example `40`. Empty: at least 5 per device, decided by the plan."""

    memory: Quantity | None = Field(default=None, examples=["256Gi"])
    """Memory request per pod, the shared memory included, for example `256Gi`. Empty: decided by the plan from the size
    of the weights."""


class EnvironmentVariable(Shape):
    """An environment variable of the engine container."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128, examples=["VLLM_LOGGING_LEVEL"])
    """Name of the variable, for example `VLLM_LOGGING_LEVEL`. Required."""

    value: str = Field(default="", max_length=4096)
    """Value of the variable, a string: numbers and booleans need quotes. Empty: the variable is set to nothing."""


class Toleration(Shape):
    """A taint that the pods tolerate, as in a pod."""

    key: OptionalLabelKey = ""
    """Key of the taint, for example `npu`. Empty: every key, with `operator: Exists`."""

    operator: Literal["Exists", "Equal"] = "Equal"
    """`Equal` compares the value of the taint, `Exists` takes any. Empty: `Equal`."""

    value: LabelValue = ""
    """Value of the taint, with `operator: Equal`. Empty: the empty value."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint. Empty: every effect."""

    toleration_seconds: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Seconds that a pod stays after a `NoExecute` taint appeared, for example 300. Empty: for ever."""


class NodeRequirement(Shape):
    """A condition on the labels of a node, as in a pod's required node affinity."""

    key: LabelKey
    """Key of the label, for example `topology.kubernetes.io/zone`. Required."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the label is compared with `values`. Required."""

    values: Annotated[tuple[LabelValue, ...], Field(strict=False, max_length=64)] = ()
    """Values to compare with: one or more with `In` and `NotIn`, one whole number with `Gt` and `Lt`, none with
    `Exists` and `DoesNotExist`. Empty: none."""


class Template(Shape):
    """What a service adds to its pods."""

    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=32)
    """Labels added to the pods, for example `team: search`. Keys under `npuserve.io/` and those that the plan sets are
    refused. Empty: none are added."""

    annotations: dict[LabelKey, AnnotationValue] = Field(default_factory=dict, max_length=32)
    """Annotations added to the pods.

    Those that schedulers and device plugins act on are refused. Empty: none are added.
    """

    image_pull_secrets: Annotated[
        tuple[PullSecret, ...],
        Field(strict=False, max_length=8, json_schema_extra=list_map("name")),
        no_two_share("name"),
    ] = ()
    """Secrets with credentials for the registry of the engine's image. Empty: those of the namespace's default service
    account."""

    resources: Resources = Field(default_factory=Resources)
    """Processors and memory of the engine container. Empty: decided by the plan."""

    env: Annotated[
        tuple[EnvironmentVariable, ...],
        Field(strict=False, max_length=64, json_schema_extra=list_map("name")),
        no_two_share("name"),
    ] = ()
    """Environment variables of the engine container. Variables that the plan sets and those that load code are refused.
    Empty: none are added."""

    tolerations: Annotated[
        tuple[Toleration, ...],
        Field(strict=False, max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = ()
    """Taints that the pods tolerate. Each must be on the allow-list of the operator's configuration, which is empty
    unless the platform team fills it. Empty: none."""

    priority_class_name: OptionalObjectName = Field(default="", examples=["batch-low"])
    """PriorityClass of the pods, for example `batch-low`. It must be on the allow-list of the operator's configuration.
    Empty: the cluster's default."""

    node_affinity: Annotated[
        tuple[NodeRequirement, ...],
        Field(strict=False, max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = ()
    """Conditions on node labels that must all hold. Their keys must be on the allow-list of the operator's
    configuration. Empty: none."""
