"""Which part of a device a small model gets, where the cluster hands out parts.

Rule: a service that names the memory it needs gets the smallest template that has it, on one device; the template's
memory then stands in the budget for the device's. Nothing is sliced unasked: a neighbour on the same device takes part
of its time.
"""

from __future__ import annotations

from dataclasses import replace

from npuserve.api.conditions import Reason
from npuserve.api.hardware import Hardware
from npuserve.api.serving import Parallelism
from npuserve.chips import HAMI_SLICES, MIB, Slice
from npuserve.plan.hardware import Pool
from npuserve.plan.plan import Refusal
from npuserve.quantity import format_bytes, whole

_FIELD = "spec.hardware.memory"


def sliced(offered: tuple[Pool, ...], hardware: Hardware, parallelism: Parallelism) -> tuple[Pool, ...] | Refusal:
    """The pools with the part that a replica gets of a device; as they are where no memory is named."""
    if hardware.memory is None:
        return offered
    sizes = (hardware.devices, parallelism.tensor, parallelism.pipeline, parallelism.data)
    if any(size is not None and size > 1 for size in sizes):
        field = "spec.hardware.devices" if (hardware.devices or 1) > 1 else "spec.parallelism"
        message = "a part of a device serves a replica of one device; leave hardware.memory out, or ask for 1 device"
        return Refusal(Reason.ILLEGAL_DEVICE_COUNT, field, message)
    slicing = [(pool, _templates(pool)) for pool in offered if _templates(pool)]
    if not slicing:
        names = ", ".join(dict.fromkeys(f"{pool.product.id} ({pool.flavour.name})" for pool in offered))
        message = f"{names} is handed out in whole devices, parts need HAMi; leave hardware.memory out"
        return Refusal(Reason.NO_MATCHING_NODES, _FIELD, message)
    wanted = whole(hardware.memory)
    found = tuple(
        _with(pool, smallest)
        for pool, templates in slicing
        if (smallest := next((part for part in templates if part.mib * MIB >= wanted), None)) is not None
    )
    return found if found and wanted > 0 else _no_template(hardware.memory, slicing)


def _templates(pool: Pool) -> tuple[Slice, ...]:
    return HAMI_SLICES.get(pool.resource, ()) if pool.flavour.slices else ()


def _with(pool: Pool, part: Slice) -> Pool:
    return replace(pool, part=part, product=replace(pool.product, usable_mib=part.usable_mib))


def _no_template(asked: str, slicing: list[tuple[Pool, tuple[Slice, ...]]]) -> Refusal:
    there = "; ".join(
        f"{pool.product.id} has {', '.join(format_bytes(part.mib * MIB) for part in templates)}"
        for pool, templates in slicing
    )
    message = f"no part of a device has {asked}: {there}; ask for one of these, or leave hardware.memory out for whole devices"
    return Refusal(Reason.ILLEGAL_DEVICE_COUNT, _FIELD, message)
