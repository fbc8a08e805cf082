"""How one replica is split over devices: the fewest that serve several requests at once.

Rule: legal splits are tried in the order of their devices until the replica is roomy: its KV cache holds useful tokens,
and a single device is not mostly full of weights. Of the layouts with one count the one with the most KV tokens per
replica wins, which is tensor parallelism where KV heads divide and data parallelism where the KV cache is the same on
every rank.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from npuserve.api.conditions import Reason
from npuserve.engines.contract import ContextWindow, Parallelism
from npuserve.models.quantization import SCHEMES
from npuserve.plan.memory import budget, gib, holds_one_request, shortfall, useful_tokens
from npuserve.plan.plan import MemoryBudget, Refusal
from npuserve.plan.siblings import offered, smaller
from npuserve.plan.splits import Question, legal_splits

MOST_WEIGHTS_ALONE = Fraction(1, 2)
"""Share of a single device's usable memory that weights may take; above it a second device at least triples the KV
cache. Our own choice, held against the vendors' published deployments (tests/published)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A legal layout, and its budget."""

    parallelism: Parallelism
    context: ContextWindow
    memory: MemoryBudget
    reason: str = ""
    """Why this one was picked; "" until it is."""

    @property
    def replica_tokens(self) -> int:
        return self.memory.kv_cache_tokens * self.parallelism.data


def choose_layout(question: Question, context: ContextWindow) -> Layout | Refusal:
    """The layout for that context, or the refusal with the numbers that fail."""
    weighed = weigh(question, context)
    if isinstance(weighed, Refusal):
        return weighed
    picked = pick(weighed)
    if picked is None:
        closest = max(weighed, key=lambda layout: (layout.memory.kv_cache, layout.parallelism.devices))
        return _too_large(question, closest, context)
    return replace(picked, reason=_why(question, picked, weighed))


def weigh(question: Question, context: ContextWindow) -> list[Layout] | Refusal:
    """Every legal layout with its budget, whether it fits or not; or why there is none."""
    splits = legal_splits(question)
    return splits if isinstance(splits, Refusal) else [_weighed(question, split, context) for split in splits]


def pick(weighed: list[Layout]) -> Layout | None:
    """The layout of the fewest devices that is roomy, else the one with the most room; None when none holds a request.

    More memory never makes another layout of fewer devices lose its room, so it never asks for more devices.
    """
    fitting = [layout for layout in weighed if holds_one_request(layout.memory, layout.context)]
    best = [
        max(alike, key=lambda layout: (layout.replica_tokens, layout.parallelism.tensor))
        for count in sorted({layout.parallelism.devices for layout in fitting})
        if (alike := [layout for layout in fitting if layout.parallelism.devices == count])
    ]
    roomy = (layout for layout in best if lacking(layout) is None)
    return next(roomy, None) or max(best, key=lambda layout: layout.replica_tokens, default=None)


def lacking(layout: Layout) -> str | None:
    """What a layout lacks to be roomy; None when it serves several requests at once, and a single device of it is not
    mostly full of weights."""
    if not holds_one_request(layout.memory, layout.context):
        return "no room for a request of full length"
    if layout.replica_tokens < (useful := useful_tokens(layout.context)):
        return f"room for {layout.replica_tokens:,} tokens where {useful:,} are useful"
    if layout.parallelism.devices == 1 and layout.memory.weights > MOST_WEIGHTS_ALONE * layout.memory.usable:
        return "a device mostly full of weights"
    return None


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
    return Layout(split, context, memory)


def _why(question: Question, picked: Layout, weighed: list[Layout]) -> str:
    split, wish, declared = picked.parallelism, question.wish, question.choice.model.quantization
    sizes = f"tensor {split.tensor}, pipeline {split.pipeline}, data {split.data}" + (
        f", expert {split.expert}" if split.expert > 1 else ""
    )
    if SCHEMES[question.choice.scheme].cut and wish.tensor is None and (declared is None or not declared.tensor):
        return (
            f"parallelism: {sizes}; {question.choice.scheme} weights fit only the tensor parallel size they were cut for, taken to be "
            f"{split.tensor}: set spec.parallelism.tensor if it is another"
        )
    if any(size is not None for size in (wish.tensor, wish.pipeline, wish.data)) or question.devices:
        return f"parallelism: {sizes}, with the sizes that are given"
    return f"parallelism: {sizes}, {_why_so_many(picked, weighed)}"


def _why_so_many(picked: Layout, weighed: list[Layout]) -> str:
    if missing := lacking(picked):
        return f"the roomiest layout of the server: {missing}"
    fewer = [layout for layout in weighed if layout.parallelism.devices < picked.parallelism.devices]
    if not fewer:
        return "the fewest devices that the server gives"
    next_best = max(fewer, key=lambda layout: (layout.parallelism.devices, layout.replica_tokens))
    return f"the fewest devices with useful room; {next_best.parallelism.devices} would leave {lacking(next_best)}"


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
