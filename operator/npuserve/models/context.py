"""How many tokens a model can take: the smallest length its config.json states, times the rope scaling that is not yet
in it.

As vLLM derives it: v@0.23.0:vllm/transformers_utils/model_arch_config_convertor.py (`derive_max_model_len_and_key`) and
vllm/config/model.py (`_get_and_verify_max_len`). Yarn scales the original length; llama3, su and longrope lengths are
final; Gemma 3 states the scaled one.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.models.fields import Fields

_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
_UNSTATED = 2048
_FINAL = frozenset({"su", "longrope", "llama3"})


def max_context(text: Fields) -> int:
    """Tokens of one sequence."""
    stated = [length for name in _LENGTHS if (length := text.count(name))]
    length = text.count("model_max_length") or min(
        stated, default=text.defaults.get("max_position_embeddings", _UNSTATED)
    )
    if "gemma3" in text.text("model_type"):
        return length
    factor = 1.0
    for rope in _ropes(text):
        kind = rope.text("rope_type", "type")
        if kind in _FINAL:
            continue
        factor = rope.number("factor") or factor
        if kind == "yarn":
            length = rope.count("original_max_position_embeddings") or length
    return max(1, int(length * factor)) if factor >= 1 else length


def _ropes(text: Fields) -> Iterator[Fields]:
    """The rope settings: one for all layers, or one per layer type."""
    rope = text.table("rope_parameters", "rope_scaling")
    if rope is None:
        return
    nested = [rope.table(name) for name, value in rope.values.items() if isinstance(value, dict)]
    yield from (item for item in nested if item is not None) if nested else (rope,)
