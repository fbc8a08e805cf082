"""The legal ways to split one replica over the devices of a server.

Rule: sizes that the service names are checked, never overridden. Where it names none, the powers of two that the server
allows are device counts (groups of other sizes leave parts of the interconnect idle,
MC:docs/en/scheduling/usage/basic_scheduling/01_affinity_scheduling). Experts are spread over all devices of the replica
where they divide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.api.serving import Parallelism as Wish
from npuserve.engines.contract import Choice, Engine, Parallelism
from npuserve.models.legality import tensor_parallel_errors
from npuserve.plan.hardware import Pool
from npuserve.plan.plan import Refusal


@dataclass(frozen=True, slots=True)
class Question:
    """One engine version on one pool, with the sizes that the service or an earlier plan fixes."""

    engine: Engine
    choice: Choice
    pool: Pool
    wish: Wish
    devices: int | None
    utilization: float
    arguments: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)


def legal_splits(question: Question) -> tuple[Parallelism, ...] | Refusal:
    """Every legal split, those of fewer devices first; or why there is none."""
    if question.wish.expert and not question.choice.model.experts:
        message = f"{question.choice.model.name or 'the model'} has no experts to spread; leave parallelism.expert out"
        return Refusal(Reason.ILLEGAL_PARALLELISM, "spec.parallelism.expert", message)
    counts = _counts(question)
    if isinstance(counts, Refusal):
        return counts
    return tuple(_legal(question, counts)) or _no_legal_split(question, counts)


def _counts(question: Question) -> tuple[int, ...] | Refusal:
    """Device counts to try, upwards."""
    product, largest = question.pool.product, question.pool.largest
    allowed = question.pool.request_sizes
    if not allowed:
        return Refusal(
            Reason.ILLEGAL_DEVICE_COUNT,
            "spec.hardware",
            f"{product.id} nodes here have {largest} device, which {question.pool.flavour.name} does not hand out; use another product",
        )
    wish = question.wish
    named = question.devices or _product_of(wish)
    if named is None:
        return tuple(size for size in allowed if size.bit_count() == 1)
    field = "spec.hardware.devices" if question.devices else "spec.parallelism"
    if question.devices and (sized := _product_of(wish)) is not None and sized != question.devices:
        return Refusal(
            Reason.ILLEGAL_PARALLELISM,
            "spec.parallelism",
            f"tensor * pipeline * data = {sized}, but hardware.devices is {question.devices}; make them equal or leave one out",
        )
    if named > largest:
        return Refusal(
            Reason.ILLEGAL_DEVICE_COUNT,
            field,
            f"{named} devices are asked for, {product.id} nodes have {largest}; a replica runs on one node, use {largest} or fewer",
        )
    if named not in allowed:
        return Refusal(
            Reason.ILLEGAL_DEVICE_COUNT,
            field,
            f"{product.id} gives {_listed(allowed)} devices to a replica, not {named}",
        )
    return (named,)


def _product_of(wish: Wish) -> int | None:
    if wish.tensor is None:
        return None
    return wish.tensor * (wish.pipeline or 1) * (wish.data or 1)


def _legal(question: Question, counts: tuple[int, ...]) -> Iterator[Parallelism]:
    for count in counts:
        for split in _splits(question, count):
            if not _obstacles(question, split):
                yield split


def _splits(question: Question, count: int) -> Iterator[Parallelism]:
    wish, spreads = question.wish, question.engine.spreads_data(question.choice)
    pipeline = wish.pipeline or 1
    for tensor in range(1, count + 1):
        if count % (tensor * pipeline) or (wish.tensor or tensor) != tensor:
            continue
        data = count // (tensor * pipeline)
        if data != (wish.data or (data if spreads else 1)):
            continue
        yield Parallelism(tensor, pipeline, data, _expert(question, tensor * data))


def _expert(question: Question, group: int) -> int:
    experts = question.choice.model.experts
    wanted = question.wish.expert
    if wanted is False or not experts or group == 1:
        return 1
    return group if wanted or experts % group == 0 else 1


def _obstacles(question: Question, split: Parallelism) -> tuple[str, ...]:
    named = question.wish.tensor is not None or question.devices is not None
    found = tensor_parallel_errors(
        question.choice.model,
        split.tensor,
        data=split.data,
        expert=split.expert,
        pads_heads=named and question.engine.pads_heads,
    )
    engines_own = question.engine.tensor_obstacle(question.choice, split, named=named)
    return (*found, engines_own) if engines_own else found


def _no_legal_split(question: Question, counts: tuple[int, ...]) -> Refusal:
    wish = question.wish
    field = (
        "spec.parallelism.tensor"
        if wish.tensor
        else "spec.parallelism"
        if any((wish.pipeline, wish.data))
        else "spec.hardware.devices"
    )
    if wish.tensor is None and not question.devices:
        field = "spec.model"
    tensor = wish.tensor or counts[-1]
    split = Parallelism(tensor, wish.pipeline or 1, wish.data or 1, _expert(question, tensor * (wish.data or 1)))
    reasons = _obstacles(question, split) or (f"no layout of {_listed(counts)} devices uses them all",)
    possible = [size for size in question.pool.request_sizes if _splittable(question, size)]
    fix = (
        f"tensor sizes that work on {question.pool.product.id}: {_listed(tuple(possible))}"
        if possible
        else "name another product or engine"
    )
    return Refusal(Reason.ILLEGAL_PARALLELISM, field, f"{'; '.join(reason.rstrip('.') for reason in reasons)}; {fix}")


def _splittable(question: Question, size: int) -> bool:
    return not _obstacles(question, Parallelism(size, 1, 1, _expert(question, size)))


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(str(size) for size in sizes)
