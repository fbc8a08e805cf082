"""How one replica is split over devices: the smallest legal layout that serves several requests at once.

Rule: sizes that the service names are checked, never overridden. Among the rest, device counts are tried upwards
through the powers of two that the server allows (groups of other sizes leave parts of the interconnect idle,
MC:docs/en/scheduling/usage/basic_scheduling/01_affinity_scheduling) until the replica is roomy: its KV cache holds
useful tokens, and a single device is not mostly full of weights. Of the layouts with one count the one with the most KV
tokens per replica wins, which is tensor parallelism where KV heads divide and data parallelism where the KV cache is
the same on every rank. Experts are spread over all devices of the replica where they divide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.api.serving import Parallelism as Wish
from npuserve.engines.contract import Choice, ContextWindow, Engine, Parallelism
from npuserve.models.legality import tensor_parallel_errors
from npuserve.models.quantization import SCHEMES
from npuserve.plan.hardware import Pool
from npuserve.plan.memory import budget, gib, holds_one_request, shortfall, useful_tokens
from npuserve.plan.plan import MemoryBudget, Refusal
from npuserve.plan.siblings import offered, smaller

MOST_WEIGHTS_ALONE = Fraction(1, 2)
"""Share of a single device's usable memory that weights may take; above it a second device at least triples the KV
cache. Our own choice, held against the vendors' published deployments (tests/published)."""


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


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that fits, and its budget."""

    parallelism: Parallelism
    context: ContextWindow
    memory: MemoryBudget
    reason: str

    @property
    def replica_tokens(self) -> int:
        return self.memory.kv_cache_tokens * self.parallelism.data


def choose_layout(question: Question, context: ContextWindow) -> Layout | Refusal:
    """The layout for that context, or the refusal with the numbers that fail."""
    if question.wish.expert and not question.choice.model.experts:
        message = f"{question.choice.model.name or 'the model'} has no experts to spread; leave parallelism.expert out"
        return Refusal(Reason.ILLEGAL_PARALLELISM, "spec.parallelism.expert", message)
    counts = _counts(question)
    if isinstance(counts, Refusal):
        return counts
    legal = tuple(_legal(question, counts))
    if not legal:
        return _no_legal_split(question, counts)
    weighed = [_weighed(question, split, context) for split in legal]
    return pick(weighed, context) or _too_large(
        question, max(weighed, key=lambda layout: (layout.memory.kv_cache, layout.parallelism.devices)), context
    )


def pick(weighed: list[Layout], context: ContextWindow) -> Layout | None:
    """The layout of the fewest devices that is roomy, else the one with the most room; None when none holds a request.

    More memory never makes another layout of fewer devices lose its room, so it never asks for more devices.
    """
    fitting = [layout for layout in weighed if holds_one_request(layout.memory, context)]
    best = [
        max(alike, key=lambda layout: (layout.replica_tokens, layout.parallelism.tensor))
        for count in sorted({layout.parallelism.devices for layout in fitting})
        if (alike := [layout for layout in fitting if layout.parallelism.devices == count])
    ]
    roomy = (layout for layout in best if _is_roomy(layout, context))
    return next(roomy, None) or max(best, key=lambda layout: layout.replica_tokens, default=None)


def _is_roomy(layout: Layout, context: ContextWindow) -> bool:
    """Whether a replica of that layout serves several requests at once, and a single device is not full of weights."""
    alone = layout.parallelism.devices == 1
    full = layout.memory.weights > MOST_WEIGHTS_ALONE * layout.memory.usable
    return layout.replica_tokens >= useful_tokens(context) and not (alone and full)


def _weighed(question: Question, split: Parallelism, context: ContextWindow) -> Layout:
    overhead = question.engine.overhead(
        question.choice, split, context=context, arguments=question.arguments, variables=question.variables
    )
    footprint = question.engine.footprint(question.choice, question.arguments)
    memory = budget(
        question.choice,
        split,
        context=context,
        utilization=question.utilization,
        overhead=overhead,
        footprint=footprint,
    )
    return Layout(split, context, memory, _why(question, split))


def _why(question: Question, split: Parallelism) -> str:
    sizes = f"tensor {split.tensor}, pipeline {split.pipeline}, data {split.data}" + (
        f", expert {split.expert}" if split.expert > 1 else ""
    )
    wish, declared = question.wish, question.choice.model.quantization
    if SCHEMES[question.choice.scheme].cut and wish.tensor is None and (declared is None or not declared.tensor):
        return (
            f"parallelism: {sizes}; {question.choice.scheme} weights fit only the tensor parallel size they were cut for, taken to be "
            f"{split.tensor}: set spec.parallelism.tensor if it is another"
        )
    if any(size is not None for size in (wish.tensor, wish.pipeline, wish.data)) or question.devices:
        return f"parallelism: {sizes}, with the sizes that are given"
    return f"parallelism: {sizes}, the smallest legal layout that fits"


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


def _too_large(question: Question, closest: Layout, context: ContextWindow) -> Refusal:
    model, pool = question.choice.model, question.pool
    devices = closest.parallelism.devices
    fixes = []
    if context.max_model_len > 4096 and closest.memory.kv_cache_tokens >= 1024:
        fixes.append(f"set context.maxModelLen to {closest.memory.kv_cache_tokens // 1024 * 1024} or less")
    if (question.devices or question.wish.tensor) and devices < pool.largest:
        fixes.append(f"use more than {devices} devices")
    if published := offered(smaller(question.engine, question.choice)):
        fixes.append(f"use {published}")
    elif question.choice.scheme == "none":
        fixes.append("use quantized weights")
    fixes.append("raise hardware.memory" if pool.part else "use a product with more memory per device")
    field = "spec.context.maxModelLen" if closest.memory.kv_cache > 0 and fixes[0].startswith("set") else "spec.model"
    reason = Reason.CONTEXT_TOO_LONG if field.startswith("spec.context") else Reason.MODEL_TOO_LARGE
    return Refusal(
        reason,
        field,
        f"{model.name or 'the model'} on {devices} x {pool.product.id} ({gib(pool.product.usable_bytes or 0)} each): "
        f"{shortfall(closest.memory, context)}; {', or '.join(fixes)}",
    )


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(str(size) for size in sizes)
