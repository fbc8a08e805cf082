"""Which feed-forward part each layer of a config.json has: dense, or a mixture of experts.

Names differ by family; the first one present counts. Sources: transformers `configuration_<model_type>.py`;
v@0.23.0:vllm/model_executor/models/ for remote code.
"""

from __future__ import annotations

from collections.abc import Callable

from npuserve.models.fields import Fields, UnreadableError
from npuserve.models.layers import Dense, FeedForward, Mixture

_WIDTH = ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim", "ffn_config_hidden_size")
_EXPERTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", "num_moe_experts")
_CHOSEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "moe_k",
    "moe_topk",
    "moe_top_k",
    "top_k_experts",
    "num_selected_experts",
)
_EXPERT_WIDTH = ("moe_intermediate_size", "expert_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size")
_SHARED = ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert")
_SHARED_WIDTH = ("shared_expert_intermediate_size", "shared_intermediate_size", "share_expert_dim")
_DENSE_WIDTH = ("dense_intermediate_size", "intermediate_size_mlp", *_WIDTH)
_UNGATED = frozenset(
    {"bert", "roberta", "xlm-roberta", "mpnet", "camembert", "distilbert", "gpt2", "gpt_neox", "gpt_bigcode", "gptj", "opt", "bloom",
     "falcon", "starcoder2", "phi", "mpt", "nemotron", "nemotron_h", "stablelm_alpha", "codegen"}
)  # fmt: skip


def read_feed_forwards(text: Fields, hidden: int, layers: int) -> tuple[FeedForward, ...]:
    """The feed-forward part of each layer, in order."""
    if text.count(*_EXPERTS) < 2:
        return (_dense(text, hidden, _WIDTH),) * layers
    is_dense = _density(text)
    mixture = read_mixture(text)
    flags = [is_dense(index) for index in range(layers)]
    dense = _dense(text, hidden, _DENSE_WIDTH) if any(flags) else None
    return tuple(dense if flag and dense is not None else mixture for flag in flags)


def read_mixture(text: Fields) -> Mixture:
    """The mixture of experts of the model."""
    width = text.count(*_EXPERT_WIDTH) or text.size(*_WIDTH)
    experts, chosen = text.size(*_EXPERTS), text.size(*_CHOSEN)
    if chosen > experts:
        raise UnreadableError(f"{chosen} experts for each token are more than the {experts} there are")
    return Mixture(
        experts=experts,
        per_token=chosen,
        width=width,
        shared_width=_shared_width(text, width),
        gated=gated(text),
        latent=text.count("moe_latent_size", "routed_expert_hidden_size"),
    )


def gated(text: Fields) -> bool:
    """Whether feed-forward parts have a gate beside the up projection."""
    return text.text("model_type") not in _UNGATED


def _dense(text: Fields, hidden: int, names: tuple[str, ...]) -> Dense:
    gate = gated(text)
    # Classes without a gate leave the width out when it is four times the hidden size (transformers GPT2Config,
    # BloomConfig).
    width = text.size(*names) if gate else text.count(*names) or 4 * hidden
    # Qwen 1 states the sum of gate and up (its modeling_qwen.py).
    return Dense(max(1, width // 2) if text.text("model_type") == "qwen" else width, gate)


def _shared_width(text: Fields, width: int) -> int:
    model_type = text.text("model_type")
    if text.count(*_SHARED_WIDTH):
        return text.count(*_SHARED_WIDTH)
    if text.count(*_SHARED):
        return text.count(*_SHARED) * (text.count("moe_shared_expert_intermediate_size") or width)
    # Llama 4 has one shared expert, Gemma 4 a dense part beside the experts, both of the plain width.
    beside = model_type.startswith("llama4") or text.flag("enable_moe_block")
    return text.size(*_WIDTH) if beside else 0


def _density(text: Fields) -> Callable[[int], bool]:
    """A test whether layer i is dense although the model has experts."""
    named = text.texts("mlp_layer_types")
    if named is not None:
        return lambda index: index < len(named) and named[index] == "dense"
    flags = text.counts("moe_layer_freq")
    if flags is not None:
        return lambda index: index < len(flags) and flags[index] == 0
    chosen = text.counts("moe_layers") or _enumerated(text.text("moe_layers_enum"))
    if chosen:
        return lambda index: index not in chosen
    if text.has("moe_layer_start_index"):
        return _ernie(text)
    first = text.count("first_k_dense_replace", "moe_layer_num_skipped", "num_dense_layers")
    only = text.counts("mlp_only_layers") or ()
    step = text.count("interleave_moe_layer_step", "decoder_sparse_step", default=1) or 1
    frequency = text.count("moe_layer_freq", default=1) or 1
    return lambda index: index < first or index in only or (index + 1) % step != 0 or index % frequency != 0


def _ernie(text: Fields) -> Callable[[int], bool]:
    """ERNIE 4.5 (transformers Ernie4_5_MoeConfig)."""
    start = text.count("moe_layer_start_index")
    end = text.count("moe_layer_end_index", default=2**20) if text.values.get("moe_layer_end_index") != -1 else 2**20
    interval = text.count("moe_layer_interval", default=1) or 1
    return lambda index: not (start <= index <= end and (index + 1) % interval == 0)


def _enumerated(listed: str) -> tuple[int, ...]:
    """Step 3 lists its expert layers as "4,5,6"."""
    return tuple(int(item) for item in listed.split(",") if item.strip().isdecimal())
