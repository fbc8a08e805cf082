"""How a cluster hands out NPUs: one row per device-plugin flavour.

Volcano shows on no node and comes from the configuration only; the others are detected from the names of the resources
that nodes advertise. Sources: MC:docs/en/scheduling/api/k8s.md,
MC:component/ascend-for-volcano/internal/npu/factory.go (policy annotation and scheduler), Project-HAMi/HAMi charts/hami
(scheduler, runtime class), VA:docs/source/user_guide/deployment_guide/using_volcano_kthena.md (CCE names).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Flavour:
    """One row of what the device plugin and scheduler of a cluster expect."""

    name: str
    family: str
    """The resource-name family: mindcluster, hami or cce."""
    scheduler: str
    """Empty: the cluster's default scheduler."""
    shape: Literal["", "policy", "label"]
    """How the scheduler learns the shape of the server: from the policy that the replica names (MindCluster 7.3 and
    newer) or from the node label accelerator-type that it selects (older). Without it the rules of the oldest server
    apply silently."""
    devices_from_annotation: bool
    """The visible devices reach the container through an annotation that the scheduler writes."""
    runtime_class: str
    node_labels: tuple[tuple[str, str], ...] = ()
    avoids: tuple[tuple[str, str], ...] = ()
    """Labels of nodes that may appear at any time and share devices by percentage."""
    slices: bool = False
    """Parts of a device can be asked for by their memory."""
    tells_numa: bool = False
    """The device plugin tells kubelets which NUMA node a device belongs to (MindCluster's after 26.1, under the native
    scheduler only)."""


SHARED = ("huawei.com/scheduler.chip1softsharedev.enable", "true")
"""The label of nodes on which one unit of the resource is a percentage of a device (MindCluster 26.0 and newer)."""


NATIVE = Flavour(
    name="mindcluster-native", family="mindcluster", scheduler="", shape="", devices_from_annotation=False,
    runtime_class="", tells_numa=True,
)  # fmt: skip
VOLCANO = Flavour(
    name="mindcluster-volcano", family="mindcluster", scheduler="volcano", shape="policy", devices_from_annotation=True,
    runtime_class="", avoids=(SHARED,),
)  # fmt: skip
OLDER_VOLCANO = replace(VOLCANO, name="mindcluster-volcano-before-7.3", shape="label", avoids=())
HAMI = Flavour(
    name="hami", family="hami", scheduler="hami-scheduler", shape="", devices_from_annotation=False,
    runtime_class="ascend", node_labels=(("ascend", "on"),), slices=True,
)  # fmt: skip
CCE = Flavour(
    name="huawei-cce", family="cce", scheduler="", shape="", devices_from_annotation=False,
    runtime_class="",
)  # fmt: skip

FLAVOURS: tuple[Flavour, ...] = (NATIVE, VOLCANO, OLDER_VOLCANO, HAMI, CCE)
FAMILIES: tuple[str, ...] = ("mindcluster", "hami", "cce")


def named(name: str) -> Flavour | None:
    """The row of that name."""
    return next((row for row in FLAVOURS if row.name == name), None)


def of_family(family: str, configured: str) -> Flavour:
    """The flavour of a resource-name family: the configured one where it is of that family, else the family's first
    row."""
    chosen = named(configured)
    if chosen is not None and chosen.family == family:
        return chosen
    return next(row for row in FLAVOURS if row.family == family)
