"""Which mixer each layer of a config.json has: grouped, latent, compressed or linear attention, over the whole context
or a window.

Shapes by family: transformers `configuration_<model_type>.py`, and v@0.23.0:vllm/model_executor/models/ for remote
code.
"""

from __future__ import annotations

from dataclasses import replace

from npuserve.models.fields import Fields, UnreadableError
from npuserve.models.kinds import layer_kinds, per_layer
from npuserve.models.layers import CompressedAttention, DeltaAttention, GroupedAttention, LatentAttention, Mixer

_HEADS = ("num_attention_heads", "n_head", "num_heads", "n_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "num_attention_groups")
_HEAD_DIM = ("head_dim", "attention_head_dim", "kv_channels", "hidden_size_per_head")
_ENCODERS = frozenset(
    {"bert", "roberta", "xlm-roberta", "distilbert", "modernbert", "mpnet", "camembert", "nomic_bert", "new", "gte"}
)
# Not in vLLM's MLA list (v@0.23.0:vllm/transformers_utils/model_arch_config_convertor.py, `is_deepseek_mla`): heads are
# cached expanded.
_EXPANDED_LATENT = frozenset({"minicpm3"})
# Fields of hybrids whose layers are none of the above; reading past them would give a plausible wrong answer.
_NOT_UNDERSTOOD = (
    "zero_expert_num",
    "layer_group_size",
    "mamba_d_state",
    "ssm_cfg",
    "attn_layer_period",
    "attn_layer_indices",
    "mamba_config",
    "rglru_block",
    "block_types",
)


def read_mixers(text: Fields, hidden: int, layers: int, *, context: int) -> tuple[Mixer, ...]:
    """The mixer of each layer, in order. Windows as long as the `context` are none."""
    for name in _NOT_UNDERSTOOD:
        if text.has(name):
            raise UnreadableError(f'"{name}" describes a hybrid of layers that is not known here')
    ratios = text.counts("compress_ratios")
    if ratios is not None:
        return tuple(_compressed(text, ratio) for ratio in per_layer(ratios, layers, "compress_ratios"))
    kimi = text.table("linear_attn_config")
    if kimi is not None:
        return _kimi(text, kimi, layers)
    kinds = layer_kinds(text, layers)
    return tuple(
        _mixer(text, hidden, kind, layer=index, layers=layers, context=context) for index, kind in enumerate(kinds)
    )


def _mixer(text: Fields, hidden: int, kind: str, *, layer: int, layers: int, context: int) -> Mixer:
    match kind:
        case "linear":
            return _delta(text)
        case "lightning":
            return _lightning(text, hidden)
        case "sliding" | "chunked":
            window = (
                text.size("sliding_window", "sliding_window_size")
                if kind == "sliding"
                else text.size("attention_chunk_size")
            )
            return replace(_windowed(text, hidden, layer, layers=layers), window=window if window < context else 0)
        case _:
            latent = text.count("kv_lora_rank") and text.values.get("use_mla") is not False
            return _latent(text, hidden, layer) if latent else _full(text, hidden, layer, layers=layers)


def _grouped(text: Fields, hidden: int) -> GroupedAttention:
    heads = text.size(*_HEADS)
    head_dim = text.count(*_HEAD_DIM) or hidden // heads
    if not head_dim:
        raise UnreadableError(f"{heads} attention heads are more than the {hidden} elements they would share")
    return GroupedAttention(
        heads=heads,
        kv_heads=_kv_heads(text, heads),
        head_dim=head_dim,
        value_dim=text.count("v_head_dim") or head_dim,
        gated=text.flag("attn_output_gate") or text.text("model_type") == "qwen3_next",
        cached=text.text("model_type") not in _ENCODERS and text.values.get("is_causal") is not False,
    )


def _kv_heads(text: Fields, heads: int) -> int:
    if text.flag("multi_query_attention") and text.has("multi_query_group_num"):
        return text.size("multi_query_group_num")
    if text.flag("multi_query") and not text.has(*_KV_HEADS):
        return 1
    return text.count(*_KV_HEADS) or heads


def _windowed(text: Fields, hidden: int, layer: int, *, layers: int) -> GroupedAttention:
    base = _grouped(text, hidden)
    if not text.has("swa_num_attention_heads"):
        return replace(base, cached=base.cached and not _reads_other_cache(text, layer, layers))
    # MiMo-V2: windowed layers have their own head counts and sizes.
    head_dim = text.size("swa_head_dim")
    return GroupedAttention(
        heads=text.size("swa_num_attention_heads"),
        kv_heads=text.size("swa_num_key_value_heads"),
        head_dim=head_dim,
        value_dim=text.count("swa_v_head_dim") or head_dim,
    )


def _full(text: Fields, hidden: int, layer: int, *, layers: int) -> GroupedAttention:
    base = _grouped(text, hidden)
    if text.has("global_head_dim"):
        # Gemma 4: global layers have larger and fewer key-value heads.
        head_dim = text.size("global_head_dim")
        equal = text.flag("attention_k_eq_v")
        kv_heads = text.count("num_global_key_value_heads") or base.kv_heads
        base = replace(
            base,
            head_dim=head_dim,
            value_dim=head_dim,
            keys_are_values=equal,
            kv_heads=kv_heads if equal else base.kv_heads,
        )
    index_heads, index_dim = _block_selector(text, layer)
    return replace(
        base,
        cached=base.cached and not _reads_other_cache(text, layer, layers),
        index_heads=index_heads,
        index_dim=index_dim,
    )


def _reads_other_cache(text: Fields, layer: int, layers: int) -> bool:
    """Gemma 3n and 4 E: the last layers read the cache of earlier ones."""
    shared = text.count("num_kv_shared_layers")
    return 0 < shared < layers and layer >= layers - shared


def _block_selector(text: Fields, layer: int) -> tuple[int, int]:
    """MiniMax-M3: heads and key size of the block selector; (0, 0) in layers without one."""
    sparse = text.table("sparse_attention_config")
    if sparse is None or not sparse.flag("use_sparse_attention"):
        return 0, 0
    flags = sparse.counts("sparse_attention_freq")
    if flags is not None and (layer >= len(flags) or not flags[layer]):
        return 0, 0
    return sparse.size("sparse_num_index_heads"), sparse.size("sparse_index_dim")


def _latent(text: Fields, hidden: int, layer: int) -> LatentAttention:
    heads = text.size(*_HEADS)
    owners = text.texts("indexer_types")
    # GLM-5.2: only "full" layers select tokens, the others share the selection.
    indexed = text.has("index_head_dim") and (owners is None or layer >= len(owners) or owners[layer] == "full")
    return LatentAttention(
        heads=heads,
        q_lora_rank=text.count("q_lora_rank"),
        kv_lora_rank=text.size("kv_lora_rank"),
        nope_dim=text.count("qk_nope_head_dim"),
        rope_dim=text.size("qk_rope_head_dim"),
        # MiniCPM3 leaves it out: hidden_size / heads (its modeling_minicpm.py).
        value_dim=text.count("v_head_dim") or max(1, hidden // heads),
        index_heads=text.size("index_n_heads") if indexed else 0,
        index_dim=text.size("index_head_dim") if indexed else 0,
        caches_latent=text.text("model_type") not in _EXPANDED_LATENT,
        gated=text.flag("mla_use_output_gate"),
    )


def _compressed(text: Fields, ratio: int) -> CompressedAttention:
    indexed = ratio == 4
    return CompressedAttention(
        heads=text.size(*_HEADS),
        head_dim=text.size("head_dim"),
        q_lora_rank=text.size("q_lora_rank"),
        o_lora_rank=text.size("o_lora_rank"),
        o_groups=text.size("o_groups"),
        window=text.size("sliding_window"),
        ratio=ratio if ratio > 1 else 0,
        index_heads=text.size("index_n_heads") if indexed else 0,
        index_dim=text.size("index_head_dim") if indexed else 0,
    )


def _kimi(text: Fields, kimi: Fields, layers: int) -> tuple[Mixer, ...]:
    """Kimi Linear: delta attention everywhere but in `full_attn_layers`, which count from 1."""
    full = set(kimi.counts("full_attn_layers") or ())
    hidden = text.size("hidden_size")
    heads, head_dim = kimi.size("num_heads"), kimi.size("head_dim")
    delta = DeltaAttention(
        key_heads=heads,
        value_heads=heads,
        key_dim=head_dim,
        value_dim=head_dim,
        kernel=kimi.size("short_conv_kernel_size"),
        state_bytes=4,
        gate_rank=head_dim,
        full_gate=kimi.flag("use_full_rank_gate"),
    )
    return tuple(_latent(text, hidden, index) if index + 1 in full else delta for index in range(layers))


def _delta(text: Fields) -> DeltaAttention:
    """Gated delta net. vLLM keeps the recurrent state in the model's type unless the config asks for float32
    (mamba_ssm_dtype)."""
    return DeltaAttention(
        key_heads=text.size("linear_num_key_heads"),
        value_heads=text.size("linear_num_value_heads"),
        key_dim=text.size("linear_key_head_dim"),
        value_dim=text.size("linear_value_head_dim"),
        kernel=text.size("linear_conv_kernel_dim"),
        state_bytes=4 if text.text("mamba_ssm_dtype") == "float32" else 2,
    )


def _lightning(text: Fields, hidden: int) -> DeltaAttention:
    """MiniMax-Text-01: linear attention of the same head count, no convolution, float32 state."""
    heads = text.size(*_HEADS)
    head_dim = text.count(*_HEAD_DIM) or max(1, hidden // heads)
    return DeltaAttention(
        key_heads=heads, value_heads=heads, key_dim=head_dim, value_dim=head_dim, kernel=1, state_bytes=4
    )
