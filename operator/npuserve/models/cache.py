"""What one sequence costs in cache memory on one device.

Grouped attention: layers * max(1, kv_heads / tensor) * (key + value elements); a latent cache is the same on every
tensor-parallel rank; windowed layers stop growing at their window; linear attention and state-space layers cost the
same at any length. Page padding is the engine's and not counted. Sources: v@0.23.0:vllm/v1/kv_cache_interface.py,
va@0.23.0.post1:vllm_ascend/core/kv_cache_interface.py, v@0.23.0:vllm/model_executor/layers/mamba/mamba_utils.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from npuserve.models.facts import ModelFacts
from npuserve.models.layers import (
    FLOAT_BYTES,
    CompressedAttention,
    DeltaAttention,
    GroupedAttention,
    LatentAttention,
    Mixer,
    StateSpace,
)
from npuserve.models.memory import stage_ranges

_SCALED = 128
"""Elements of a quantized latent vector that share an FP32 scale."""


@dataclass(frozen=True, slots=True)
class Windowed:
    """Layers that keep at most `window` tokens, at so many bytes each."""

    window: int
    per_token: Fraction


@dataclass(frozen=True, slots=True)
class KvCost:
    """Bytes on one device of one sequence: growing with its length, growing up to a window, and constant."""

    growing: Fraction
    windowed: tuple[Windowed, ...] = ()
    constant: int = 0

    @property
    def per_token(self) -> int:
        """Bytes that one more token costs once the windows are full."""
        return -(-self.growing.numerator // self.growing.denominator)

    def sequence(self, tokens: int, *, scheduled: int = 0) -> int:
        """Bytes of a sequence of `tokens`; windowed layers also hold the `scheduled` tokens of a step that is under
        way."""
        held = self.growing * tokens
        held += sum((item.per_token * min(tokens, item.window + scheduled) for item in self.windowed), Fraction(0))
        return -(-held.numerator // held.denominator) + self.constant

    def sequences(self, available: int, *, tokens: int, scheduled: int = 0) -> int:
        """How many sequences of `tokens` fit into `available` bytes at once."""
        cost = self.sequence(tokens, scheduled=scheduled)
        return max(0, available // cost) if cost else 0


@lru_cache(maxsize=4096)
def kv_cost(
    facts: ModelFacts,
    *,
    tensor: int,
    pipeline: int = 1,
    kv_dtype_bytes: int = FLOAT_BYTES,
    index_dtype_bytes: int | None = None,
    draft: bool = False,
    spread_layers: bool = False,
) -> KvCost:
    """The cost of one sequence on the fullest pipeline stage.

    `kv_dtype_bytes`: 2, or 1 for an INT8 or FP8 cache; `index_dtype_bytes`: the same of the index keys of sparse
    attention, by default as the rest; `draft` adds the layers of the multi-token prediction head to the last stage;
    `spread_layers` caches each layer on one rank only, with room for two more.
    """
    index_bytes = kv_dtype_bytes if index_dtype_bytes is None else index_dtype_bytes
    kinds = (*facts.kinds, *facts.mtp_layers) if draft else facts.kinds
    costs = [
        _mixer_cost(kind.mixer, tensor=tensor, kv_dtype_bytes=kv_dtype_bytes, index_bytes=index_bytes) for kind in kinds
    ]
    patterns = [facts.pattern[start:end] for start, end in stage_ranges(facts.layers, pipeline)]
    patterns[-1] += tuple(range(len(facts.kinds), len(kinds)))
    stages = [_total(costs, pattern) for pattern in patterns]
    if spread_layers:
        stages = [_spread(stage, len(pattern), tensor) for stage, pattern in zip(stages, patterns, strict=True)]
    return max(stages, key=lambda cost: cost.sequence(facts.max_context))


def kv_bytes_per_token(facts: ModelFacts, *, tensor: int, pipeline: int = 1, kv_dtype_bytes: int = FLOAT_BYTES) -> int:
    """Bytes on one device that one more token of a long sequence costs."""
    return kv_cost(facts, tensor=tensor, pipeline=pipeline, kv_dtype_bytes=kv_dtype_bytes).per_token


def kv_bytes_per_sequence(
    facts: ModelFacts, tokens: int, *, tensor: int, pipeline: int = 1, kv_dtype_bytes: int = FLOAT_BYTES
) -> int:
    """Bytes on one device of one sequence of `tokens`."""
    return kv_cost(facts, tensor=tensor, pipeline=pipeline, kv_dtype_bytes=kv_dtype_bytes).sequence(tokens)


_NOTHING = KvCost(Fraction(0))


def _spread(stage: KvCost, layers: int, tensor: int) -> KvCost:
    """A stage whose layers lie on one rank each: the fullest rank's, and two that are being read."""
    held = min(layers, -(-layers // tensor) + 2)
    return replace(stage, growing=stage.growing * held / layers) if layers else stage


def _total(costs: list[KvCost], pattern: tuple[int, ...]) -> KvCost:
    repeats = [pattern.count(index) for index in range(len(costs))]
    windows: dict[int, Fraction] = {}
    for cost, count in zip(costs, repeats, strict=True):
        for item in cost.windowed:
            windows[item.window] = windows.get(item.window, Fraction(0)) + item.per_token * count
    growing = sum((cost.growing * count for cost, count in zip(costs, repeats, strict=True)), Fraction(0))
    constant = sum(cost.constant * count for cost, count in zip(costs, repeats, strict=True))
    return KvCost(growing, tuple(Windowed(window, size) for window, size in sorted(windows.items()) if size), constant)


def _mixer_cost(mixer: Mixer | None, *, tensor: int, kv_dtype_bytes: int, index_bytes: int) -> KvCost:
    match mixer:
        case None:
            return _NOTHING
        case GroupedAttention():
            return _grouped(mixer, tensor=tensor, kv_dtype_bytes=kv_dtype_bytes)
        case LatentAttention():
            latent = _latent_bytes(mixer, tensor=tensor, kv_dtype_bytes=kv_dtype_bytes)
            return KvCost(Fraction(latent + _index_bytes(mixer, index_bytes)))
        case CompressedAttention():
            return _compressed(mixer, kv_dtype_bytes)
        case DeltaAttention():
            return KvCost(Fraction(0), constant=_delta_state(mixer, tensor))
        case StateSpace():
            return KvCost(Fraction(0), constant=_state_space_state(mixer, tensor))


def _grouped(mixer: GroupedAttention, *, tensor: int, kv_dtype_bytes: int) -> KvCost:
    if not mixer.cached:
        return _NOTHING
    heads = max(1, -(-mixer.kv_heads // tensor))
    per_token = Fraction((heads * (mixer.head_dim + mixer.value_dim) + mixer.index_dim) * kv_dtype_bytes)
    return KvCost(Fraction(0), (Windowed(mixer.window, per_token),)) if mixer.window else KvCost(per_token)


def _latent_bytes(mixer: LatentAttention, *, tensor: int, kv_dtype_bytes: int) -> int:
    """The latent vector may be quantized, with its scales; positions stay in BF16.

    va@0.23.0.post1:vllm_ascend/attention/utils.py (`get_sfa_qsfa_packed_head_dim`),
    vllm_ascend/core/kv_cache_interface.py.
    """
    if not mixer.caches_latent:
        heads = max(1, -(-mixer.heads // tensor))
        return heads * 2 * (mixer.nope_dim + mixer.rope_dim) * kv_dtype_bytes
    plain = mixer.rope_dim * FLOAT_BYTES + mixer.kv_lora_rank * kv_dtype_bytes
    return plain if kv_dtype_bytes == FLOAT_BYTES else plain + -(-mixer.kv_lora_rank // _SCALED) * 4


def _index_bytes(mixer: LatentAttention, index_bytes: int) -> int:
    """The index key of a token; a quantized one has an FP16 scale."""
    scale = FLOAT_BYTES if mixer.index_dim and index_bytes < FLOAT_BYTES else 0
    return mixer.index_dim * index_bytes + scale


def _compressed(mixer: CompressedAttention, kv_dtype_bytes: int) -> KvCost:
    """One entry in `ratio` tokens, an INT8 index key with an FP16 scale beside it, the window, and the FP32 state of
    the compressor.

    va@0.23.0.post1:vllm_ascend/models/deepseek_v4.py.
    """
    window = Windowed(mixer.window, Fraction(mixer.head_dim * kv_dtype_bytes))
    if not mixer.ratio:
        return KvCost(Fraction(0), (window,))
    index_key = mixer.index_dim + FLOAT_BYTES if mixer.index_dim else 0
    overlap = 2 if mixer.ratio == 4 else 1
    state = overlap * mixer.ratio * 2 * overlap * (mixer.head_dim + mixer.index_dim) * 4
    return KvCost(Fraction(mixer.head_dim * kv_dtype_bytes + index_key, mixer.ratio), (window,), state)


def _delta_state(mixer: DeltaAttention, tensor: int) -> int:
    mixed = 2 * mixer.key_heads * mixer.key_dim + mixer.value_heads * mixer.value_dim
    convolution = mixed * (mixer.kernel - 1) * FLOAT_BYTES
    recurrent = mixer.value_heads * mixer.key_dim * mixer.value_dim * mixer.state_bytes
    return -(-(convolution + recurrent) // tensor)


def _state_space_state(mixer: StateSpace, tensor: int) -> int:
    mixed = mixer.heads * mixer.head_dim + 2 * mixer.groups * mixer.state
    convolution = mixed * (mixer.kernel - 1) * FLOAT_BYTES
    return -(-(convolution + mixer.heads * mixer.head_dim * mixer.state * mixer.state_bytes) // tensor)
