"""Which kind of mixer each layer has: full, sliding, chunked, linear or lightning.

The first of these decides: a list with one entry per layer; an interval or pattern length; the model type's own rule;
one `sliding_window` for all. Rules of model types: transformers `configuration_<model_type>.py`.
"""

from __future__ import annotations

from typing import TypeVar

from npuserve.models.fields import Fields, UnreadableError

_Item = TypeVar("_Item", str, int)

_LAYER_TYPES = {
    "full_attention": "full",
    "attention": "full",
    "global": "full",
    "deepseek_sparse_attention": "full",
    "sliding_attention": "sliding",
    "sliding_window_attention": "sliding",
    "chunked_attention": "chunked",
    "linear_attention": "linear",
}


def layer_kinds(text: Fields, layers: int) -> tuple[str, ...]:
    """The kind of each layer, in order."""
    return _listed(text, layers) or _regular(text, layers) or _uniform(text, layers)


def per_layer(items: tuple[_Item, ...], layers: int, name: str) -> tuple[_Item, ...]:
    """One item of the list for each layer; lists may go on for prediction heads."""
    if len(items) < layers:
        raise UnreadableError(f'"{name}" has {len(items)} entries for {layers} layers')
    return items[:layers]


def _listed(text: Fields, layers: int) -> tuple[str, ...] | None:
    named = text.texts("layer_types")
    if named is not None:
        return tuple(_known(name) for name in per_layer(named, layers, "layer_types"))
    # MiMo-V2 marks windows with 1, MiniMax-Text-01 softmax attention.
    for field, zero, one in (("hybrid_layer_pattern", "full", "sliding"), ("attn_type_list", "lightning", "full")):
        flags = text.counts(field)
        if flags is not None:
            return tuple(one if flag else zero for flag in per_layer(flags, layers, field))
    return None


def _regular(text: Fields, layers: int) -> tuple[str, ...] | None:
    """Every n-th layer is full, the others are of another kind."""
    model_type = text.text("model_type")
    if text.count("full_attention_interval"):
        return _every(layers, text.count("full_attention_interval"), "linear")
    if text.count("sliding_window_pattern") and text.count("sliding_window"):
        return _every(layers, text.count("sliding_window_pattern"), "sliding")
    if model_type == "gemma2":
        return _every(layers, 2, "sliding")
    if text.count("attention_chunk_size") and model_type.startswith("llama4"):
        # transformers Llama4TextConfig: every fourth layer has no positions and sees everything.
        return _every(layers, text.count("no_rope_layer_interval") or 4, "chunked")
    return None


def _uniform(text: Fields, layers: int) -> tuple[str, ...]:
    """One sliding window for all layers, or, in the Qwen classes, for those from `max_window_layers` on and only when
    switched on."""
    qwen = text.text("model_type").startswith("qwen")
    if (
        not text.count("sliding_window")
        or text.values.get("use_sliding_window") is False
        or (qwen and not text.flag("use_sliding_window"))
    ):
        return ("full",) * layers
    full = min(layers, text.count("max_window_layers")) if qwen else 0
    return ("full",) * full + ("sliding",) * (layers - full)


def _every(layers: int, interval: int, others: str) -> tuple[str, ...]:
    return tuple("full" if (index + 1) % interval == 0 else others for index in range(layers))


def _known(name: str) -> str:
    kind = _LAYER_TYPES.get(name)
    if kind is None:
        raise UnreadableError(f'layer type "{name[:40]}" is not known here')
    return kind
