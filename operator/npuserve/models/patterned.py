"""Which layers the models have that describe each layer on its own: Nemotron-H (state-space hybrids) and pruned
Nemotrons.

Nemotron-H alternates single parts: state space (M), attention (*), dense (-), experts (E). Sources: the models' own
configuration_nemotron_h.py and configuration_decilm.py; v@0.23.0:vllm/model_executor/models/nemotron_h.py,
nemotron_nas.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from npuserve.models.fields import Fields, UnreadableError
from npuserve.models.layers import Dense, GroupedAttention, Layer, StateSpace
from npuserve.models.mixture import read_mixture

_LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}


def read_patterned(text: Fields, hidden: int) -> tuple[Layer, ...] | None:
    """The layers in order; None when the config describes its layers in another way."""
    parts = _parts(text, "hybrid_override_pattern", "layers_block_type")
    if parts is not None:
        return tuple(_part(text, hidden, part) for part in parts)
    blocks = text.values.get("block_configs")
    if isinstance(blocks, list):
        return tuple(_pruned(text, hidden, block) for block in blocks)
    return None


def read_patterned_prediction(text: Fields, hidden: int) -> tuple[Layer, ...]:
    """The layers of the multi-token prediction head of a Nemotron-H."""
    parts = _parts(text, "mtp_hybrid_override_pattern", "mtp_layers_block_type")
    return tuple(_part(text, hidden, part) for part in parts or ())


def _parts(text: Fields, letters: str, names: str) -> Iterable[str] | None:
    if text.text(letters):
        return [_LETTERS.get(letter, letter) for letter in text.text(letters)]
    return text.texts(names)


def _part(text: Fields, hidden: int, part: str) -> Layer:
    match part:
        case "mamba":
            return Layer(_state_space(text), None)
        case "attention":
            return Layer(_attention(text, hidden), None)
        case "mlp":
            return Layer(None, Dense(text.size("intermediate_size"), gated=False))
        case "moe":
            return Layer(None, read_mixture(text))
        case _:
            raise UnreadableError(f'layer type "{part[:40]}" is not known here')


def _state_space(text: Fields) -> StateSpace:
    return StateSpace(
        heads=text.size("mamba_num_heads"),
        head_dim=text.size("mamba_head_dim"),
        groups=text.size("n_groups"),
        state=text.size("ssm_state_size"),
        kernel=text.size("conv_kernel"),
        state_bytes=4 if text.text("mamba_ssm_cache_dtype") == "float32" else 2,
    )


def _attention(text: Fields, hidden: int) -> GroupedAttention:
    heads = text.size("num_attention_heads")
    head_dim = text.count("head_dim", "attention_head_dim") or max(1, hidden // heads)
    return GroupedAttention(heads, text.count("num_key_value_heads") or heads, head_dim, head_dim)


def _pruned(text: Fields, hidden: int, block: object) -> Layer:
    """A block whose attention or feed-forward part may be missing, with its own number of key-value heads and its own
    width."""
    if not isinstance(block, dict):
        raise UnreadableError('"block_configs" holds something that is no object')
    attention, forward = (Fields(block, {}).table(name) for name in ("attention", "ffn"))
    if (
        attention is None
        or forward is None
        or attention.flag("replace_with_linear")
        or forward.flag("replace_with_linear")
    ):
        raise UnreadableError('"block_configs" has a block without attention and ffn of the known kind')
    return Layer(_pruned_attention(text, hidden, attention), _pruned_forward(hidden, forward))


def _pruned_attention(text: Fields, hidden: int, attention: Fields) -> GroupedAttention | None:
    if attention.flag("no_op"):
        return None
    heads = text.size("num_attention_heads")
    head_dim = max(1, hidden // heads)
    return GroupedAttention(heads, max(1, heads // attention.size("n_heads_in_group")), head_dim, head_dim)


def _pruned_forward(hidden: int, forward: Fields) -> Dense | None:
    if forward.flag("no_op"):
        return None
    factor = forward.number("ffn_mult")
    if factor is None or factor <= 0:
        raise UnreadableError('"ffn_mult" is missing from a block; a positive number is needed')
    # Two thirds of the multiple, rounded up to 256 (configuration_decilm.py, `_ffn_mult_to_intermediate_size`).
    width = int(2 * factor * hidden / 3)
    return Dense(-(-max(1, width) // 256) * 256)
