"""Which NPUs a service asks for and how its processors and memory are laid out around them."""

from typing import Annotated, Literal

from pydantic import Field

from npuserve.api.shape import Shape
from npuserve.api.values import LabelKey, LabelValue, Quantity

HUGE_PAGE_SIZE = r"^[1-9][0-9]{0,3}(Ki|Mi|Gi)$"

NumaAlignment = Literal["none", "preferred", "required"]

ResourceName = Annotated[
    str,
    Field(
        pattern=r"^(huawei\.com/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        max_length=74,
        examples=["huawei.com/Ascend910", "huawei.com/Ascend310P"],
    ),
]


class HugePages(Shape):
    """Huge pages of the host that each replica asks for on each of its nodes."""

    size: str = Field(pattern=HUGE_PAGE_SIZE, max_length=8, examples=["2Mi", "512Mi", "1Gi"])
    """Size of one page, for example `2Mi`. The host's kernel decides which sizes exist (arm64: `64Ki`, `2Mi`, `32Mi`,
    `512Mi`, `1Gi` or `16Gi`), and a node lists its own under `status.allocatable`. Required with hugepages."""

    amount: Quantity = Field(examples=["8Gi"])
    """Bytes of huge pages per pod, a whole number of pages, for example `8Gi`. Required with hugepages."""


class Topology(Shape):
    """How a replica's processors and memory are placed around its NPUs."""

    numa: NumaAlignment | None = None
    """Alignment of NPUs and processors to NUMA nodes. `none`: not asked for. `preferred`: asked for, and the service
    starts without it where the node cannot give it. `required`: refused where the cluster cannot give it. Empty:
    decided by the plan from what the chip gains by it."""

    cpu_pinning: bool | None = None
    """Whether a replica gets processors of its own: whole cpus with requests equal to limits, which a node with the
    static CPU manager policy then pins. Empty: decided by the plan."""

    hugepages: HugePages | None = None
    """Huge pages for key-value pools that need them. Empty: none, which is enough for basic serving."""


class Hardware(Shape):
    """Which NPUs a service asks for. Every field narrows the choice; what is empty is decided by the plan."""

    product: str = Field(default="", max_length=64, examples=["Atlas 800I A2 64G"])
    """Product that the service runs on, a name or the start of a name from the product table, for example
    `Atlas 800I A2 64G` or `Atlas 800I A2`. Empty: any product of the cluster that can run the model."""

    chip: str = Field(default="", max_length=32, examples=["910B3"])
    """Chip that the service runs on, for example `910B3`. Empty: any chip of the product."""

    devices: int | None = Field(default=None, ge=1, le=1024)
    """NPU devices per replica, over all of its nodes, as the cluster counts them: on A3 a device is one die of a chip.
    For example 4. Empty: the smallest number that holds the model and its key-value cache."""

    memory: Quantity | None = Field(default=None, examples=["16Gi"])
    """Memory of the part of one device that is enough for a replica, for example `16Gi`: a small model then shares a
    device with others. Only where the cluster hands out parts of a device, as HAMi does; the plan takes the smallest
    part that has it. Empty: whole devices."""

    resource_name: ResourceName = ""
    """Extended resource under which nodes offer these NPUs, for example `huawei.com/Ascend910`. Empty: looked up from
    the nodes and the operator's configuration."""

    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=16)
    """Labels that a node must carry besides those that the plan asks for, for example `topology.kubernetes.io/zone:
    az-1`. Empty: no further condition."""

    topology: Topology = Field(default_factory=Topology)
    """How processors and memory are placed around the NPUs. Empty: decided by the plan."""
