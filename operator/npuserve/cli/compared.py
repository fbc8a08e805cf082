"""How alternatives and capacity look: as tables to people, as plain values to programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from npuserve.engines.contract import Parallelism
from npuserve.plan.alternatives import Alternative
from npuserve.plan.capacity import Capacity, Placement, Remainder
from npuserve.plan.plan import Plan, Refusal

_STYLES = {"chosen": "bold green", "possible": "green", "too small": "yellow", "refused": "red"}


def alternative_data(item: Alternative) -> dict[str, Any]:
    """An alternative as plain values."""
    split = item.parallelism
    sizes = {} if split is None else {"devices": split.devices, "parallelism": _sizes(split)}
    return {
        "verdict": item.verdict,
        "backend": item.engine,
        "backendVersion": item.version,
        "product": item.product,
        "resourceName": item.resource,
        **sizes,
        "kvCacheTokens": item.tokens,
        "fullLengthRequests": item.full_length_requests,
        **({} if item.room is None else {"room": item.room}),
        "why": item.why,
    }


def alternatives_table(items: Sequence[Alternative]) -> Table:
    """One line per alternative, the chosen one first."""
    table = Table(title="alternatives", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for title in ("", "engine", "product", "NPUs", "tensor x data", "KV tokens", "full-length", "room"):
        table.add_column(title, no_wrap=True, justify="left" if title in ("", "engine", "product") else "right")
    table.add_column("why", overflow="fold")
    for item in items:
        split = item.parallelism
        table.add_row(
            Text(item.verdict, _STYLES[item.verdict]),
            f"{item.engine} {item.version}",
            item.product,
            "" if split is None else str(split.devices),
            "" if split is None else f"{split.tensor} x {split.data}",
            "" if split is None else f"{item.tokens:,}",
            "" if split is None else f"{item.full_length_requests:,}",
            "" if item.room is None else str(item.room),
            Text(item.why),
        )
    return table


def capacity_data(found: Capacity) -> dict[str, Any]:
    """What fits and what is left, as plain values."""
    return {
        "fits": found.fits,
        "services": [_placement_data(item) for item in found.placements],
        "left": [_remainder_data(item) for item in found.left],
    }


def capacity_tables(found: Capacity) -> tuple[Table, Table]:
    """The services, and what is left per product."""
    services = Table(title="services, in order", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for title in ("service", "replicas", "NPUs each", "product"):
        services.add_column(title, no_wrap=True)
    services.add_column("what is missing", overflow="fold")
    for item in found.placements:
        plan = item.outcome if isinstance(item.outcome, Plan) else None
        services.add_row(
            f"{item.namespace}/{item.name}",
            Text(f"{item.placed} of {item.replicas}", "green" if item.fits else "bold red"),
            "" if plan is None else str(plan.devices),
            "" if plan is None else plan.product,
            Text(_missing(item)),
        )
    left = Table(title="left", title_justify="left", box=None, padding=(0, 2, 0, 0))
    left.add_column("product", no_wrap=True)
    for title in ("nodes", "NPUs", "used before", "taken", "free", "largest block"):
        left.add_column(title, justify="right")
    for row in found.left:
        counts = (row.nodes, row.devices, row.used, row.taken, row.free, row.largest)
        left.add_row(" or ".join(row.products), *map(str, counts))
    return services, left


def _sizes(split: Parallelism) -> dict[str, int]:
    return {"tensor": split.tensor, "pipeline": split.pipeline, "data": split.data, "expert": split.expert}


def _missing(item: Placement) -> str:
    if isinstance(item.outcome, Refusal):
        return f"{item.outcome.reason}: {item.outcome.message}"
    if item.fits:
        return ""
    short = item.replicas - item.placed
    each = item.outcome.devices
    block = f" in blocks of {each} on a node" if each > 1 else ""
    return f"{short * each} more free devices of {item.outcome.product}{block}"


def _placement_data(item: Placement) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": item.name, "namespace": item.namespace, "fits": item.fits, "replicas": item.replicas, "placed": item.placed,
    }  # fmt: skip
    match item.outcome:
        case Refusal(reason=reason, field=field, message=message):
            return told | {"reason": str(reason), "field": field, "message": message}
        case plan:
            told |= {"product": plan.product, "resourceName": plan.resource_name, "devices": plan.devices}
            return told if item.fits else told | {"message": _missing(item)}


def _remainder_data(item: Remainder) -> dict[str, Any]:
    return {
        "products": list(item.products),
        "resourceName": item.resource,
        "nodes": item.nodes,
        "devices": item.devices,
        "used": item.used,
        "taken": item.taken,
        "free": item.free,
        "largestFreeBlock": item.largest,
    }
