"""What one device's memory holds: the budget of a layout, line by line.

    usable   = memory that torch_npu shows * utilization
    KV cache = usable - weights per device - runtime (activations, communication buffers, the engine itself)

Graph capture and late communication buffers are not in the engines' own accounting (vllm-ascend 0.23 and 0.30 allocate
them after the KV cache is sized); the share that utilization leaves free is their room.
"""

from __future__ import annotations

from npuserve.engines.contract import Choice, ContextWindow, Footprint, Overhead, Parallelism
from npuserve.models.cache import kv_cost
from npuserve.models.facts import ModelFacts
from npuserve.models.memory import weight_bytes, weight_bytes_per_device
from npuserve.models.quantization import SCHEMES, Scheme, declared_scheme
from npuserve.plan.plan import MemoryBudget

GIB = 1 << 30

USEFUL_SHARE = 8
"""One in so many of the requests that a replica takes at once should fit at full length; most requests are shorter.
"""
USEFUL_TOKENS = 180_000
"""KV tokens per replica that are enough at any length: five to six requests of 32,768. Both are our own choice, held
against the vendors' published deployments (tests/published)."""


def budget(
    choice: Choice,
    parallelism: Parallelism,
    *,
    context: ContextWindow,
    utilization: float,
    overhead: Overhead,
    footprint: Footprint,
) -> MemoryBudget:
    """The budget of one device; `kv_cache` is negative by what is missing when weights and runtime exceed `usable`."""
    visible = choice.product.usable_bytes or 0
    usable = int(visible * utilization)
    weights = weight_bytes_per_device(
        choice.model,
        scheme=scheme_row(choice.model, footprint.scheme),
        tensor=parallelism.tensor,
        pipeline=parallelism.pipeline,
        data=parallelism.data,
        expert=parallelism.expert,
        draft=footprint.draft,
        whole_attention=footprint.whole_attention,
    )
    left = usable - weights - overhead.total
    tokens = _tokens(choice, parallelism, left, context=context, footprint=footprint)
    return MemoryBudget(
        usable=usable,
        weights=weights,
        runtime=overhead.total,
        kv_cache=left,
        kv_cache_tokens=tokens,
        utilization=utilization,
        activations=overhead.activations,
        communication=overhead.communication,
        reserve=visible - usable,
        full_length_requests=parallelism.data * (tokens // context.max_model_len),
    )


def scheme_row(model: ModelFacts, scheme: str) -> Scheme:
    """The bits behind a scheme's name: those that the weights declare under it, else the table's."""
    if model.quantization is not None and model.quantization.scheme == scheme:
        return declared_scheme(model.quantization)
    return SCHEMES[scheme]


def stored_bytes(model: ModelFacts, scheme: str) -> int:
    """Bytes of all weight files, the multi-token prediction head included."""
    return weight_bytes(model, scheme_row(model, scheme)).stored


def _tokens(
    choice: Choice, parallelism: Parallelism, available: int, *, context: ContextWindow, footprint: Footprint
) -> int:
    """Tokens of full-length requests that fit; windows and constant states are paid once per request."""
    cost = kv_cost(
        choice.model,
        tensor=parallelism.tensor,
        pipeline=parallelism.pipeline,
        kv_dtype_bytes=footprint.cache_bits // 8,
        index_dtype_bytes=footprint.index_bits // 8,
        draft=footprint.draft,
        spread_layers=footprint.spread_layers,
    )
    request = cost.sequence(context.max_model_len)
    if available <= 0:
        return 0
    return available * context.max_model_len // request if request else context.max_model_len * context.max_sequences


def holds_one_request(found: MemoryBudget, context: ContextWindow) -> bool:
    """The engine starts: one request of full length fits."""
    return found.kv_cache > 0 and found.kv_cache_tokens >= context.max_model_len


def useful_tokens(context: ContextWindow) -> int:
    """KV tokens from which a replica serves several requests at once; never below one full-length request."""
    wanted = context.max_sequences * context.max_model_len // USEFUL_SHARE
    return max(context.max_model_len, min(USEFUL_TOKENS, wanted))


def shortfall(found: MemoryBudget, context: ContextWindow) -> str:
    """Why a budget does not fit, in numbers."""
    spent = f"weights {gib(found.weights)} and runtime {gib(found.runtime)} of {gib(found.usable)} usable per device"
    if found.kv_cache <= 0:
        return f"{spent} leave no room for a KV cache"
    return (
        f"{spent} leave a KV cache of {found.kv_cache_tokens:,} tokens, below one request of {context.max_model_len:,}"
    )


def gib(amount: int) -> str:
    """Bytes as GiB with one decimal: `gib(3 << 29) == "1.5 GiB"`."""
    return f"{amount / GIB:.1f} GiB"
