"""What is known of a model: one frozen value, read from its config.json.

The layers are stored as the distinct ones (`kinds`) and the order they come in (`pattern`); everything else about the
language model is a view of those. Views answer for the widest layer of a kind, which is what decides how the model may
be split; 0 means the model has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from npuserve.models.layers import (
    CompressedAttention,
    DeltaAttention,
    Dense,
    GroupedAttention,
    LatentAttention,
    Layer,
    Mixer,
    Mixture,
    StateSpace,
)

Task = Literal["generate", "embed", "rerank", "other"]
Family = Literal["dense", "moe"]


@dataclass(frozen=True, slots=True)
class QuantizationFacts:
    """What the weights say about their own number format; a model without it is silent, which is not the same as
    unquantized."""

    method: str
    """As written: "fp8", "compressed-tensors", "modelopt", "awq", "gptq", "mxfp4", "msmodelslim", ..."""
    scheme: str
    """A name of `models.quantization`; the method in capitals where that table has none."""
    bits_weights: int
    bits_activations: int
    bits_cache: int = 16
    group_size: int = 0
    """Weights in a row that share a scale; 0: one scale per output channel or tensor."""
    tensor: int = 0
    """The tensor-parallel size that compressed weights were cut for; 0 where they are not cut, or nothing says so."""
    parts: tuple[tuple[str, str], ...] = ()
    """(part, scheme) where the weights state the scheme of a `models.weights.Part`: "none" stays in floating point."""


@dataclass(frozen=True, slots=True)
class Tower:
    """An encoder for pictures or sound with its projector; `heads` decides whether it splits over tensor-parallel
    ranks."""

    modality: Literal["vision", "audio"]
    parameters: int
    heads: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """How the context can be made longer than the model's own: `models.stretch`."""

    original: int
    """Tokens from which the factor counts."""
    rope: str
    """The model's own rope settings, as JSON."""
    nested: str
    """The part of config.json that holds them; "" for the file itself."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model as `npuserve.models.config.read_config` finds it in its config.json."""

    name: str
    architecture: str
    model_type: str
    hidden_size: int
    vocab_size: int
    tied_embeddings: bool
    dtype: str
    """"bfloat16", "float16" or "float32", as the weights are stored before quantization."""
    max_context: int
    """Tokens, with the rope scaling that vLLM multiplies in (v@0.23.0:vllm/config/model.py, `_get_and_verify_max_len`).
    """
    kinds: tuple[Layer, ...]
    pattern: tuple[int, ...]
    task: Task = "generate"
    multimodal: bool = False
    towers: tuple[Tower, ...] = ()
    mtp_layers: tuple[Layer, ...] = ()
    """Layers of the multi-token prediction head, loaded only for speculative decoding."""
    embedded_per_layer: int = 0
    """Extra embedding elements per vocabulary entry (Gemma 4 E models)."""
    quantization: QuantizationFacts | None = None
    stretch: Stretch | None = None
    """None where the publisher documents no longer context."""

    def __hash__(self) -> int:
        """A few telling fields: facts are keys of many memos, and hashing all of them costs more than what is
        remembered."""
        return hash((self.name, self.architecture, self.hidden_size, self.vocab_size, len(self.pattern)))

    @property
    def layers(self) -> int:
        return len(self.pattern)

    @property
    def family(self) -> Family:
        return "moe" if self.experts else "dense"

    @property
    def mixers(self) -> tuple[Mixer, ...]:
        """The distinct mixers of the model."""
        return tuple(kind.mixer for kind in self.kinds if kind.mixer is not None)

    @property
    def attention(self) -> tuple[GroupedAttention | LatentAttention | CompressedAttention, ...]:
        """The distinct mixers that look at earlier tokens through a cache that grows."""
        return tuple(mixer for mixer in self.mixers if not isinstance(mixer, DeltaAttention | StateSpace))

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        return tuple(kind.feed_forward for kind in self.kinds if isinstance(kind.feed_forward, Mixture))

    @property
    def heads(self) -> int:
        return max((mixer.heads for mixer in self.attention), default=0)

    @property
    def kv_heads(self) -> int:
        """Key-value heads that tensor parallelism can share out; 1 where all heads share one compressed vector."""
        return max((_kv_heads(mixer) for mixer in self.attention), default=0)

    @property
    def head_dim(self) -> int:
        return max((_head_dim(mixer) for mixer in self.attention), default=0)

    @property
    def intermediate_size(self) -> int:
        """Width of the dense feed-forward layers; of the experts where there is no dense layer."""
        dense = (kind.feed_forward.width for kind in self.kinds if isinstance(kind.feed_forward, Dense))
        return max(dense, default=self.expert_intermediate_size)

    @property
    def experts(self) -> int:
        return max((mixture.experts for mixture in self.mixtures), default=0)

    @property
    def experts_per_token(self) -> int:
        return max((mixture.per_token for mixture in self.mixtures), default=0)

    @property
    def expert_intermediate_size(self) -> int:
        return max((mixture.width for mixture in self.mixtures), default=0)

    @property
    def shared_intermediate_size(self) -> int:
        """Width of what every token uses beside its routed experts."""
        return max((mixture.shared_width for mixture in self.mixtures), default=0)

    @property
    def dense_layers(self) -> int:
        """Layers whose feed-forward part is no mixture."""
        dense = {index for index, kind in enumerate(self.kinds) if isinstance(kind.feed_forward, Dense)}
        return sum(1 for index in self.pattern if index in dense)

    @property
    def kv_lora_rank(self) -> int:
        return max((mixer.kv_lora_rank for mixer in self.mixers if isinstance(mixer, LatentAttention)), default=0)

    @property
    def q_lora_rank(self) -> int:
        ranked = (mixer for mixer in self.mixers if isinstance(mixer, LatentAttention | CompressedAttention))
        return max((mixer.q_lora_rank for mixer in ranked), default=0)

    @property
    def qk_rope_head_dim(self) -> int:
        return max((mixer.rope_dim for mixer in self.mixers if isinstance(mixer, LatentAttention)), default=0)

    @property
    def index_head_dim(self) -> int:
        """Size of the index key of sparse attention."""
        return max((mixer.index_dim for mixer in self.attention), default=0)

    @property
    def sliding_window(self) -> int:
        """Tokens the windowed layers keep."""
        windows = (mixer.window for mixer in self.attention if not isinstance(mixer, LatentAttention))
        return max(windows, default=0)

    @property
    def windowed_layers(self) -> int:
        return self._count(lambda mixer: isinstance(mixer, GroupedAttention | CompressedAttention) and mixer.window > 0)

    @property
    def linear_layers(self) -> int:
        """Layers with a constant state per sequence instead of a growing cache."""
        return self._count(lambda mixer: isinstance(mixer, DeltaAttention | StateSpace))

    @property
    def vision(self) -> Tower | None:
        return next((tower for tower in self.towers if tower.modality == "vision"), None)

    @property
    def audio(self) -> Tower | None:
        return next((tower for tower in self.towers if tower.modality == "audio"), None)

    def _count(self, wanted: Callable[[Mixer], bool]) -> int:
        chosen = {index for index, kind in enumerate(self.kinds) if kind.mixer is not None and wanted(kind.mixer)}
        return sum(1 for index in self.pattern if index in chosen)


def _kv_heads(mixer: GroupedAttention | LatentAttention | CompressedAttention) -> int:
    match mixer:
        case GroupedAttention(kv_heads=kv_heads):
            return kv_heads
        case LatentAttention(caches_latent=False, heads=heads):
            return heads
        case _:
            return 1


def _head_dim(mixer: GroupedAttention | LatentAttention | CompressedAttention) -> int:
    match mixer:
        case LatentAttention(nope_dim=nope, rope_dim=rope):
            return nope + rope
        case _:
            return mixer.head_dim
