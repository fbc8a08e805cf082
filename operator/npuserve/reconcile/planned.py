"""The plan as the status shows it; bounds and key names are those of the resource."""

from __future__ import annotations

from typing import Any

from npuserve.api.status import StatusPlan
from npuserve.chips import MIB
from npuserve.engines.launch import Literally, Variable
from npuserve.plan.notices import notices
from npuserve.plan.plan import Plan
from npuserve.render.canonical import byte_quantity

DEFAULT_SCHEDULER = "default-scheduler"
_MOST_ARGUMENTS, _MOST_VARIABLES, _MOST_REASONS = (
    next(item.max_length for item in StatusPlan.model_fields[name].metadata if hasattr(item, "max_length"))
    for name in ("args", "env", "reasons")
)


def status_plan(plan: Plan, generation: int) -> dict[str, Any]:
    """`status.plan` of the generation it was made from. Values that come from a Secret are never shown."""
    topology, memory = plan.topology, plan.memory
    return StatusPlan.model_validate(
        {
            "observed_generation": generation,
            "backend": plan.backend,
            "backend_version": plan.backend_version,
            "image": plan.image,
            "product": plan.product,
            "chip": plan.chip,
            "resource_name": plan.resource_name,
            "flavour": plan.flavour,
            "scheduler_name": plan.scheduler_name or DEFAULT_SCHEDULER,
            "devices": plan.devices,
            "device_memory": byte_quantity(plan.slice_mib * MIB) if plan.slice_mib else None,
            "nodes": plan.nodes,
            "parallelism": _fields(plan.parallelism, "tensor", "pipeline", "data", "expert"),
            "dtype": plan.dtype,
            "quantization": plan.quantization,
            "memory": {
                **_fields(memory, "usable", "weights", "runtime", "activations", "communication", "reserve"),
                **_fields(memory, "kv_cache", "kv_cache_tokens", "full_length_requests"),
                "utilization": f"{memory.utilization:.4f}".rstrip("0").rstrip("."),
            },
            "context": _fields(plan.context, "max_model_len", "max_sequences"),
            "topology": {**_fields(topology, "numa", "cpu_pinning", "cpus", "memory"), "hugepages": _hugepages(plan)},
            "args": (*plan.launch.command, *plan.launch.args)[:_MOST_ARGUMENTS],
            "env": tuple(_variable(item) for item in plan.launch.environment[:_MOST_VARIABLES]),
            "reasons": (*plan.reasons, *notices(plan))[:_MOST_REASONS],
        }
    ).to_wire()


def _fields(value: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _hugepages(plan: Plan) -> dict[str, str] | None:
    pages = plan.topology.hugepages
    return None if pages is None else {"size": pages.size, "amount": byte_quantity(pages.amount)}


def _variable(item: Variable) -> dict[str, str]:
    return {"name": item.name, "value": item.value.value} if isinstance(item.value, Literally) else {"name": item.name}
