"""What the planner makes of a published deployment: given its sizes, and left to choose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from npuserve.cluster.facts import ClusterFacts
from npuserve.models.catalogue import lookup
from npuserve.models.facts import ModelFacts
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.resolve import resolve
from tests.published.rows import Row
from tests.support.services import DEFAULTS, a_service

_UNSEEN = ClusterFacts((), known=False)
"""Whole servers of the product that the service names."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One published size, and the plan that keeps to it or why there is none."""

    row: Row
    size: int
    miss: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The devices that the planner takes by itself, or why it has no plan."""

    row: Row
    devices: int | None
    miss: str | None


def trials(row: Row) -> Iterator[Trial]:
    """One per published size; it holds when a plan of one of the row's formats keeps to the size."""
    for size in row.sizes:
        parallelism = row.explicit or {"tensor": size}
        outcomes = [
            _plan(row, quantization, parallelism=parallelism, hardware={} if row.explicit else {"devices": size})
            for quantization in row.quantizations
        ]
        accepted = any(isinstance(outcome, Plan) for outcome in outcomes)
        yield Trial(row, size, None if accepted else _why(outcomes))


def choice(row: Row) -> Choice:
    """The plan without sizes, of the first of the row's formats that has one."""
    outcomes = [_plan(row, quantization) for quantization in row.quantizations]
    plan = next((outcome for outcome in outcomes if isinstance(outcome, Plan)), None)
    return Choice(row, plan.devices, None) if plan is not None else Choice(row, None, _why(outcomes))


def _plan(row: Row, quantization: str, **sizes: Any) -> Plan | Refusal:
    hardware = {"product": row.product, **sizes.pop("hardware", {})}
    name = re.sub(r"[^A-Za-z0-9._/-]", "", row.model)
    service = a_service(
        f"pvc://weights/{name}", facts=_facts(row, quantization), quantization=quantization, hardware=hardware, **row.spec, **sizes
    )  # fmt: skip
    found = resolve(service, _UNSEEN, DEFAULTS, previous=None)
    return found.plan if isinstance(found, Record) else found


def _facts(row: Row, quantization: str) -> ModelFacts:
    """The base model under the row's own name; weights that are published as floating point say nothing of a format."""
    facts = lookup(row.base or "")
    assert facts is not None, row.model
    named = replace(facts, name=row.model)
    return replace(named, quantization=None) if quantization == "none" else named


def _why(outcomes: list[Plan | Refusal]) -> str:
    return "; ".join(dict.fromkeys(outcome.message for outcome in outcomes if isinstance(outcome, Refusal)))
