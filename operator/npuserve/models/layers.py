"""What one layer of a model consists of: a mixer (looks at other tokens) and a feed-forward part (looks at one token).

Every architecture is a sequence of such layers; parameters, weight bytes, KV bytes and legal splits all follow from the
shapes below. Sizes are counts of elements, windows are tokens; 0 means "has none".
"""

from __future__ import annotations

from dataclasses import dataclass

FLOAT_BYTES = 2
"""bfloat16 and float16; float32 checkpoints are served in one of them (v@0.23.0:vllm/config/model.py,
`_get_and_verify_dtype`)."""


@dataclass(frozen=True, slots=True)
class GroupedAttention:
    """Multi-head, grouped-query and multi-query attention: `heads` queries share `kv_heads` keys and values."""

    heads: int
    kv_heads: int
    head_dim: int
    value_dim: int
    window: int = 0
    """Tokens that stay in the cache; 0 keeps the whole context."""
    gated: bool = False
    """The query projection also yields an output gate of the same size (Qwen3-Next, Qwen3.5)."""
    keys_are_values: bool = False
    """Values are the keys again: no value projection, both are cached (Gemma 4, global layers)."""
    cached: bool = True
    """False for encoders and for layers that read another layer's cache."""
    index_heads: int = 0
    index_dim: int = 0
    """Block selection of sparse attention: one extra key of this size per token (MiniMax-M3)."""


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """Multi-head latent attention (DeepSeek V2 and later, Kimi, GLM-5): the cache holds one compressed vector for all
    heads."""

    heads: int
    q_lora_rank: int
    kv_lora_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    index_heads: int = 0
    index_dim: int = 0
    """DeepSeek sparse attention: one index key of this size per token (DeepSeek-V3.2, GLM-5)."""
    caches_latent: bool = True
    """False where engines cache expanded keys and values of every head (MiniCPM3 is not in vLLM's MLA list)."""
    gated: bool = False


@dataclass(frozen=True, slots=True)
class CompressedAttention:
    """DeepSeek-V4: one shared key-value vector, a sliding window of recent tokens, and one compressed entry per `ratio`
    older tokens."""

    heads: int
    head_dim: int
    q_lora_rank: int
    o_lora_rank: int
    o_groups: int
    window: int
    ratio: int
    """0: window only; 4: one entry in 4 tokens, chosen by an indexer; 128: one entry in 128 tokens."""
    index_heads: int = 0
    index_dim: int = 0


@dataclass(frozen=True, slots=True)
class DeltaAttention:
    """Linear attention with a delta rule: gated delta net (Qwen3-Next, Qwen3.5) or Kimi delta attention.

    Constant state per sequence.
    """

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int
    state_bytes: int
    """Bytes of one element of the recurrent state."""
    gate_rank: int = 0
    """Kimi: rank of the decay and gate projections; 0 is the gated delta net with one gate per value."""
    full_gate: bool = False
    """Kimi K3: the output gate is one full projection."""


@dataclass(frozen=True, slots=True)
class StateSpace:
    """Mamba 2 (Nemotron-H). Constant state per sequence."""

    heads: int
    head_dim: int
    groups: int
    state: int
    kernel: int
    state_bytes: int


Mixer = GroupedAttention | LatentAttention | CompressedAttention | DeltaAttention | StateSpace


@dataclass(frozen=True, slots=True)
class Dense:
    """A feed-forward part of `width` intermediate elements, with (gate, up, down) or without a gate (up, down)."""

    width: int
    gated: bool = True

    @property
    def matrices(self) -> int:
        return 3 if self.gated else 2


@dataclass(frozen=True, slots=True)
class Mixture:
    """`experts` feed-forward parts of which each token uses `per_token`, plus `shared_width` that every token uses."""

    experts: int
    per_token: int
    width: int
    shared_width: int = 0
    gated: bool = True
    latent: int = 0
    """Experts work in this smaller width between two projections (Nemotron 3 Super, Kimi K3); 0 is the hidden size."""

    @property
    def matrices(self) -> int:
        return 3 if self.gated else 2


FeedForward = Dense | Mixture


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; Nemotron-H has layers with only one of the two, pruned models (Nemotron Super) too."""

    mixer: Mixer | None
    feed_forward: FeedForward | None
