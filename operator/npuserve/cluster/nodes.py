"""Which products a Node is, read from what it advertises.

Rule: the resource name gives the family and the products that can be meant; labels strike out the rows they contradict;
a row that exists only under a label of its own needs that label. Where several memory sizes remain, the smallest is
assumed, because a plan for too much memory fails at start. A node that shares devices offers a hundred units of each
(MC:component/ascend-device-plugin, -shareDevCount=100). Labels: MC:docs/en/scheduling/api/k8s.md (26.0 and older)
and MC:docs/zh/scheduling/06_api/12_k8s.md (26.1), HAMi: `ascend=on`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from npuserve.chips import PRODUCTS, Product, chip_name
from npuserve.cluster.facts import NOTHING_RENAMED, NodeFacts, Taint
from npuserve.cluster.flavours import FAMILIES, SHARED
from npuserve.quantity import whole

CHIP_LABEL = "node.kubernetes.io/npu.chip.name"
MEMORY_LABEL = "mind-cluster/npu-chip-memory"
TYPE_LABEL = "accelerator-type"
CARD_LABEL = "infer-card-type"
USAGE_LABEL = "server-usage"
TELLING_LABELS = (CHIP_LABEL, MEMORY_LABEL, TYPE_LABEL, CARD_LABEL, USAGE_LABEL)
"""The labels that say which product a node is."""
ARCH_LABEL = "kubernetes.io/arch"
_UNITS_OF_A_SHARED_DEVICE = 100

_RESOURCE_PREFIX = "huawei.com/"
_PART_OF_A_DEVICE = re.compile(r"(-memory|-core|npu-core|-\d+c(\.\S+)?|-V|-VPro|-IPro)$")


def read_node(node: Mapping[str, Any], renamed: Mapping[str, str] = NOTHING_RENAMED) -> tuple[NodeFacts, ...]:
    """One entry per whole-device NPU resource of a Node object; () for a node without NPUs. `renamed`: published names
    of resources that bear another.

    Total: odd objects give ().
    """
    metadata, spec, status = (_object(node, key) for key in ("metadata", "spec", "status"))
    labels = {str(key): str(value) for key, value in _object(metadata, "labels").items()}
    offered = {
        str(key): value for key, value in (_object(status, "allocatable") or _object(status, "capacity")).items()
    }
    return tuple(
        facts
        for resource in sorted(offered)
        if (resource in renamed or (resource.startswith(_RESOURCE_PREFIX) and not _PART_OF_A_DEVICE.search(resource)))
        and whole(offered[resource]) > 0
        if (facts := _facts(metadata, labels, spec, offered, resource, published=renamed.get(resource, resource)))
        is not None
    )


def _facts(
    metadata: Mapping[str, Any],
    labels: Mapping[str, str],
    spec: Mapping[str, Any],
    offered: Mapping[str, Any],
    resource: str,
    *,
    published: str,
) -> NodeFacts | None:
    family = _family(published, labels, frozenset(offered))
    shares = labels.get(SHARED[0]) == SHARED[1]
    units = whole(offered[resource])
    devices = max(1, units // _UNITS_OF_A_SHARED_DEVICE) if shares else _devices(metadata, resource, units)
    rows = _rows(published, family, tuple(labels.get(key, "") for key in TELLING_LABELS), devices)
    if not rows:
        return None
    return NodeFacts(
        name=str(metadata.get("name", "")),
        arch=labels.get(ARCH_LABEL, "arm64"),
        resource=resource,
        family=family,
        devices=devices,
        products=tuple(row.id for row in rows),
        certain=len({(row.generation, row.memory_gib) for row in rows}) == 1,
        chip=_chip(labels, resource, rows),
        cpus=whole(offered.get("cpu")),
        memory=whole(offered.get("memory")),
        hugepages=tuple(
            (key.removeprefix("hugepages-"), whole(offered[key]))
            for key in sorted(offered)
            if key.startswith("hugepages-")
        ),
        labels=labels,
        taints=_taints(spec),
        schedulable=not spec.get("unschedulable", False),
        shares_devices=shares,
    )


def _devices(metadata: Mapping[str, Any], resource: str, offered: int) -> int:
    """Whole devices: HAMi offers each several times, once per slice, and lists the real ones in an annotation
    (HDP:internal/manager/manager.go)."""
    listed = _object(metadata, "annotations").get(f"hami.io/node-register-{resource.removeprefix(_RESOURCE_PREFIX)}")
    if not isinstance(listed, str):
        return offered
    try:
        entries = json.loads(listed)
    except ValueError:
        return offered
    healthy = (
        [entry for entry in entries if not isinstance(entry, Mapping) or entry.get("health", True)]
        if isinstance(entries, list)
        else []
    )
    return len(healthy) or offered


def _family(resource: str, labels: Mapping[str, str], offered: frozenset[str]) -> str:
    for family in FAMILIES:
        if any(resource in row.resource_for(family) for row in PRODUCTS):
            slices = f"{resource}-memory" in offered or labels.get("ascend") == "on"
            also_hami = any(resource in row.hami_resources for row in PRODUCTS)
            return "hami" if slices and also_hami else family
    return FAMILIES[0]


@lru_cache(maxsize=1024)
def _rows(resource: str, family: str, telling: tuple[str, ...], devices: int) -> tuple[Product, ...]:
    chip, memory, kind, card, usage = telling
    offered = tuple(row for row in PRODUCTS if resource in row.resource_for(family))
    if not offered and not (chip or kind or card):
        return ()
    rows = [
        row
        for row in (offered or PRODUCTS)
        if _is_chip(row, chip, kind)
        and _has_memory(row, memory)
        and _is_kind(row, kind)
        and _is_card(row, card)
        and (kind in row.accelerator_types or chip_name(chip) in row.chips or not row.labelled)
        and devices <= row.largest_node()
    ]
    plain = [row for row in rows if not row.labelled or kind in row.accelerator_types] or rows
    size = min((row.largest_node() for row in plain), default=0)
    likely = [row for row in plain if chip or kind or row.largest_node() == size]
    return tuple(
        sorted(likely, key=lambda row: (row.memory_gib or _UNSTATED, bool(usage) and row.usage_label != usage))
    )


_UNSTATED = 1 << 20
"""Sorts rows whose memory no source states behind all others."""


def _is_chip(row: Product, label: str, kind: str) -> bool:
    """Whether the chip's name allows the row; an accelerator-type of the row's own allows any chip of its family."""
    name = chip_name(label)
    own = [other.id for other in PRODUCTS if kind in other.accelerator_types] == [row.id]
    return not label or name in row.chips or (own and any(name.startswith(chip) for chip in row.chips))


def told_memory(labels: Mapping[str, str]) -> int | None:
    """GiB per device that the labels state."""
    shown = re.match(r"^(\d+)", labels.get(MEMORY_LABEL, ""))
    return int(shown[1]) if shown and int(shown[1]) else None


def _has_memory(row: Product, label: str) -> bool:
    """Whether a row's memory is what the label shows; drivers show up to a seventh less than the nominal size (VA#4148:
    43 of 48)."""
    shown = re.match(r"^(\d+)", label)
    return shown is None or row.memory_gib is None or row.memory_gib * 6 / 7 <= int(shown[1]) <= row.memory_gib


def _is_kind(row: Product, label: str) -> bool:
    """Whether accelerator-type allows the row; values that no row has say nothing."""
    told = any(label in other.accelerator_types for other in PRODUCTS)
    return not told or label in row.accelerator_types or not row.accelerator_types


def _is_card(row: Product, label: str) -> bool:
    return row.card_label == label if label else True


def _chip(labels: Mapping[str, str], resource: str, rows: tuple[Product, ...]) -> str:
    if CHIP_LABEL in labels:
        return chip_name(labels[CHIP_LABEL])
    named = [chip for row in rows for chip in row.chips if resource.endswith(f"Ascend{chip}")]
    if named:
        return named[0]
    possible = {chip for row in rows for chip in row.chips}
    return possible.pop() if len(possible) == 1 else ""


def _taints(spec: Mapping[str, Any]) -> tuple[Taint, ...]:
    found = spec.get("taints")
    return tuple(
        Taint(str(item.get("key", "")), str(item.get("value", "") or ""), str(item.get("effect", "")))
        for item in (found if isinstance(found, list) else ())
        if isinstance(item, Mapping) and item.get("effect") != "PreferNoSchedule"
    )


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key) if isinstance(parent, Mapping) else None
    return value if isinstance(value, Mapping) else {}
