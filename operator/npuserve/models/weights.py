"""Which weights a model has: one row per group of matrices, with how tensor and expert parallelism cut it.

Parameters, bytes on disk and bytes per device are sums over these rows, so an architecture is described once. Biases,
gates of single elements and hyper-connections are left out: below 0.1 % of any model. Shapes:
v@0.23.0:vllm/model_executor/models/ and va@0.23.0.post1:vllm_ascend/models/deepseek_v4.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache

from npuserve.models.facts import ModelFacts
from npuserve.models.layers import (
    CompressedAttention,
    DeltaAttention,
    Dense,
    FeedForward,
    GroupedAttention,
    LatentAttention,
    Layer,
    Mixer,
    Mixture,
    StateSpace,
)


class Part(StrEnum):
    """What a weight is for; quantization tools decide by it."""

    ATTENTION = "attention"
    LINEAR_ATTENTION = "linear_attention"
    LATENT = "latent"
    """MLA's kv_b projection: absorbed into attention, in floating point under every scheme."""
    INDEXER = "indexer"
    MLP = "mlp"
    EXPERTS = "experts"
    SHARED_EXPERTS = "shared_experts"
    ROUTER = "router"
    NORM = "norm"
    EMBEDDINGS = "embeddings"
    LM_HEAD = "lm_head"
    VISION = "vision"
    AUDIO = "audio"
    MTP = "mtp"


class Split(Enum):
    """How a weight is spread over the devices of one pipeline stage."""

    WHOLE = "every device holds all of it"
    TENSOR = "cut by tensor parallelism"
    KEY_VALUE = "cut by tensor parallelism into at most `pieces`, repeated beyond"
    TOWER = "cut by tensor parallelism when `pieces` divides, else whole"
    EXPERT = "whole experts over expert-parallel ranks, else cut over all devices of the stage"


@dataclass(frozen=True, slots=True)
class Weight:
    """Matrices of one part of a layer: number of elements, of output channels (one scale each), and how they are cut."""

    part: Part
    parameters: int
    channels: int
    split: Split
    pieces: int = 1
    copies: int = 1
    """Times it lies in device memory."""


@lru_cache(maxsize=4096)
def layer_weights(layer: Layer, hidden: int) -> tuple[Weight, ...]:
    """The weights of one layer of a model `hidden` elements wide."""
    norm = Weight(Part.NORM, 2 * hidden, 0, Split.WHOLE)
    return (*_mixer_weights(layer.mixer, hidden), *_feed_forward_weights(layer.feed_forward, hidden), norm)


def embedding_weights(facts: ModelFacts) -> tuple[Weight, ...]:
    """The input side, on the first pipeline stage."""
    rows = (Weight(Part.EMBEDDINGS, facts.vocab_size * facts.hidden_size, 0, Split.TENSOR),)
    if not facts.embedded_per_layer:
        return rows
    return (*rows, Weight(Part.EMBEDDINGS, facts.vocab_size * facts.embedded_per_layer, 0, Split.TENSOR))


def head_weights(facts: ModelFacts) -> tuple[Weight, ...]:
    """The output side, on the last pipeline stage, tied or not; encoders and embedding models have none."""
    if facts.task == "embed" and facts.architecture.endswith("Model"):
        return ()
    return (Weight(Part.LM_HEAD, facts.vocab_size * facts.hidden_size, 0, Split.TENSOR),)


def tower_weights(facts: ModelFacts) -> tuple[Weight, ...]:
    """Encoders of pictures and sound, on the first pipeline stage."""
    return tuple(
        Weight(Part(tower.modality), tower.parameters, 0, Split.TOWER, pieces=tower.heads) for tower in facts.towers
    )


def mtp_weights(facts: ModelFacts) -> tuple[Weight, ...]:
    """The multi-token prediction head: its layers and one projection of two hidden vectors into one, on the last
    pipeline stage.

    Embeddings and output head are the main model's (v@0.23.0:vllm/model_executor/models/deepseek_mtp.py).
    """
    if not facts.mtp_layers:
        return ()
    hidden = facts.hidden_size
    join = Weight(Part.NORM, 2 * hidden * hidden, 0, Split.WHOLE)
    return (join, *(weight for layer in facts.mtp_layers for weight in layer_weights(layer, hidden)))


def _mixer_weights(mixer: Mixer | None, hidden: int) -> tuple[Weight, ...]:
    match mixer:
        case None:
            return ()
        case GroupedAttention():
            return _grouped(mixer, hidden)
        case LatentAttention():
            return _latent(mixer, hidden)
        case CompressedAttention():
            return _compressed(mixer, hidden)
        case DeltaAttention():
            return _delta(mixer, hidden)
        case StateSpace():
            return _state_space(mixer, hidden)


def _linear(rows: int, columns: int, *, split: Split = Split.TENSOR, part: Part = Part.ATTENTION) -> Weight:
    return Weight(part, rows * columns, columns, split)


def _grouped(mixer: GroupedAttention, hidden: int) -> tuple[Weight, ...]:
    query = mixer.heads * mixer.head_dim * (2 if mixer.gated else 1)
    key = mixer.kv_heads * mixer.head_dim
    value = 0 if mixer.keys_are_values else mixer.kv_heads * mixer.value_dim
    return (
        _linear(hidden, query),
        Weight(Part.ATTENTION, hidden * (key + value), key + value, Split.KEY_VALUE, pieces=mixer.kv_heads),
        _linear(mixer.heads * mixer.value_dim, hidden),
        *_indexer(hidden, hidden, heads=mixer.index_heads, dim=mixer.index_dim),
    )


def _latent(mixer: LatentAttention, hidden: int) -> tuple[Weight, ...]:
    query = mixer.heads * (mixer.nope_dim + mixer.rope_dim)
    down = mixer.kv_lora_rank + mixer.rope_dim + mixer.q_lora_rank
    expanded = mixer.heads * (mixer.nope_dim + mixer.value_dim)
    # The projection stays beside its two absorbed halves, except in sparse attention
    # (va@0.23.0.post1:vllm_ascend/attention/mla_v1.py, sfa_v1.py).
    copies = 2 if mixer.caches_latent and not mixer.index_dim else 1
    return (
        _linear(hidden, down, split=Split.WHOLE),
        _linear(mixer.q_lora_rank or hidden, query),
        Weight(Part.LATENT, mixer.kv_lora_rank * expanded, expanded, Split.TENSOR, copies=copies),
        _linear(mixer.heads * mixer.value_dim * (2 if mixer.gated else 1), hidden),
        *_indexer(hidden, mixer.q_lora_rank or hidden, heads=mixer.index_heads, dim=mixer.index_dim),
    )


def _compressed(mixer: CompressedAttention, hidden: int) -> tuple[Weight, ...]:
    overlap = 2 if mixer.ratio == 4 else 1
    compressor = 2 * hidden * overlap * mixer.head_dim if mixer.ratio else 0
    index_compressor = 2 * hidden * overlap * mixer.index_dim
    return (
        _linear(hidden, mixer.q_lora_rank + mixer.head_dim, split=Split.WHOLE),
        _linear(mixer.q_lora_rank, mixer.heads * mixer.head_dim),
        Weight(
            Part.ATTENTION,
            mixer.heads * mixer.head_dim * mixer.o_lora_rank,
            mixer.o_groups * mixer.o_lora_rank,
            Split.TENSOR,
        ),
        _linear(mixer.o_groups * mixer.o_lora_rank, hidden),
        Weight(Part.INDEXER, compressor + index_compressor, 0, Split.WHOLE),
        *_indexer(hidden, mixer.q_lora_rank, heads=mixer.index_heads, dim=mixer.index_dim),
    )


def _indexer(hidden: int, query: int, *, heads: int, dim: int) -> tuple[Weight, ...]:
    if not dim:
        return ()
    return (Weight(Part.INDEXER, query * heads * dim + hidden * (dim + heads), heads * dim, Split.WHOLE),)


def _delta(mixer: DeltaAttention, hidden: int) -> tuple[Weight, ...]:
    key, value = mixer.key_heads * mixer.key_dim, mixer.value_heads * mixer.value_dim
    mixed = 2 * key + value
    convolution = Weight(Part.LINEAR_ATTENTION, mixed * mixer.kernel, 0, Split.TENSOR)
    output = _linear(value, hidden, part=Part.LINEAR_ATTENTION)
    if not mixer.gate_rank:
        return (_linear(hidden, mixed + value + 2 * mixer.value_heads, part=Part.LINEAR_ATTENTION), convolution, output)
    # Two gates, each down to gate_rank and up again; a full gate is one projection.
    gates = mixer.gate_rank * value * (1 if mixer.full_gate else 2) + (hidden * value if mixer.full_gate else 0)
    down = hidden * mixer.gate_rank * (1 if mixer.full_gate else 2)
    return (
        _linear(hidden, mixed + mixer.value_heads, part=Part.LINEAR_ATTENTION),
        Weight(Part.LINEAR_ATTENTION, gates, 0, Split.TENSOR),
        Weight(Part.LINEAR_ATTENTION, down, 0, Split.WHOLE),
        convolution,
        output,
    )


def _state_space(mixer: StateSpace, hidden: int) -> tuple[Weight, ...]:
    inner, states = mixer.heads * mixer.head_dim, 2 * mixer.groups * mixer.state
    return (
        _linear(hidden, 2 * inner + states + mixer.heads, part=Part.LINEAR_ATTENTION),
        Weight(Part.LINEAR_ATTENTION, (inner + states) * mixer.kernel, 0, Split.TENSOR),
        _linear(inner, hidden, part=Part.LINEAR_ATTENTION),
    )


def _feed_forward_weights(feed_forward: FeedForward | None, hidden: int) -> tuple[Weight, ...]:
    match feed_forward:
        case None:
            return ()
        case Dense(width=width, matrices=matrices):
            return (Weight(Part.MLP, matrices * hidden * width, (matrices - 1) * width + hidden, Split.TENSOR),)
        case Mixture():
            return _mixture(feed_forward, hidden)


def _mixture(mixture: Mixture, hidden: int) -> tuple[Weight, ...]:
    inner, matrices = mixture.latent or hidden, mixture.matrices
    shared = matrices * hidden * mixture.shared_width
    channels = mixture.experts * ((matrices - 1) * mixture.width + inner)
    return (
        Weight(Part.ROUTER, hidden * mixture.experts, 0, Split.WHOLE),
        Weight(
            Part.EXPERTS,
            mixture.experts * matrices * inner * mixture.width,
            channels,
            Split.EXPERT,
            pieces=mixture.experts,
        ),
        Weight(Part.SHARED_EXPERTS, shared, (matrices - 1) * mixture.shared_width + hidden, Split.TENSOR),
        Weight(Part.MLP, 2 * hidden * mixture.latent, hidden + mixture.latent, Split.WHOLE),
    )
