"""How a cluster hands out NPUs: one row per device-plugin flavour.

`volcano` shows on no node and comes from the configuration only; the others are detected from the names of the
resources that nodes advertise. Sources: MC:docs/en/scheduling/api/k8s.md,
MC:component/ascend-for-volcano/internal/npu/factory.go (policy annotation and scheduler), Project-HAMi/HAMi charts/hami
(scheduler, runtime class), VA:docs/source/user_guide/deployment_guide/using_volcano_kthena.md (CCE names).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flavour:
    """One row of what the device plugin and scheduler of a cluster expect."""

    name: str
    family: str
    """The resource-name family: mindcluster, hami or cce."""
    scheduler: str
    """Empty: the cluster's default scheduler."""
    wants_policy: bool
    """The scheduler reads the server shape from an annotation; without it the rules of the oldest server apply
    silently."""
    devices_from_annotation: bool
    """The visible devices reach the container through an annotation that the scheduler writes."""
    enforces_request_sizes: bool
    runtime_class: str
    node_labels: tuple[tuple[str, str], ...] = ()


NATIVE = Flavour(
    name="mindcluster-native", family="mindcluster", scheduler="", wants_policy=False, devices_from_annotation=False,
    enforces_request_sizes=False, runtime_class="",
)  # fmt: skip
VOLCANO = Flavour(
    name="mindcluster-volcano", family="mindcluster", scheduler="volcano", wants_policy=True, devices_from_annotation=True,
    enforces_request_sizes=True, runtime_class="",
)  # fmt: skip
HAMI = Flavour(
    name="hami", family="hami", scheduler="hami-scheduler", wants_policy=False, devices_from_annotation=False,
    enforces_request_sizes=False, runtime_class="ascend", node_labels=(("ascend", "on"),),
)  # fmt: skip
CCE = Flavour(
    name="huawei-cce", family="cce", scheduler="", wants_policy=False, devices_from_annotation=False,
    enforces_request_sizes=False, runtime_class="",
)  # fmt: skip

FLAVOURS: tuple[Flavour, ...] = (NATIVE, VOLCANO, HAMI, CCE)
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
