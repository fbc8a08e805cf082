"""How far the context of a model can be stretched beyond what it was made for, and what the engine is told then.

Rule: only families whose publisher documents YaRN for them, by up to the factor that the engine's own tests run. YaRN
replaces the model's rope settings: their base and sections stay, type, factor and original length are set. Sources: the
model cards of Qwen2 to Qwen3.5 ("Processing Long Texts": factor 4.0 over 32,768 or 262,144), va@0.30.0rc2:
docs/source/tutorials/models/Qwen3-235B-A22B.md#L873 (the override), tests/e2e/cases/models/configs/Qwen/
Qwen3-235B-A22B-W8A8_piecewise_fullgraph_A3.yaml (factor 4.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from npuserve.models.facts import ModelFacts, Stretch
from npuserve.models.fields import Fields

_FAMILIES = frozenset(
    {"qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_5", "qwen3_5_moe",
     "qwen3_vl_text", "qwen3_vl_moe_text", "qwen3_omni_moe_text"}
)  # fmt: skip
_MOST = Fraction(43, 10)
_PLAIN = frozenset({"", "default", "mrope"})
# Qwen3's 40,960 tokens are 32,768 of prompt and 8,192 of answer; the factor counts from the former.
_MADE_FOR = {40_960: 32_768}


def read_stretch(text: Fields, *, context: int, nested: str) -> Stretch | None:
    """What a config.json says of it; None for families that are not stretched or already are. `nested` names the part
    of the file that `text` is, "" where it is the file."""
    own = text.table("rope_parameters", "rope_scaling")
    if text.text("model_type") not in _FAMILIES or (own is not None and own.text("rope_type", "type") not in _PLAIN):
        return None
    settings: dict[str, Any] = dict(own.values) if own is not None else {}
    base = text.number("rope_theta")
    if base is not None:
        settings.setdefault("rope_theta", base)
    settings.pop("type", None)
    return Stretch(_MADE_FOR.get(context, context), json.dumps(settings, sort_keys=True), nested)


def longest(model: ModelFacts) -> int:
    """Tokens of the longest request that the model can be stretched to; its own length where it cannot."""
    if model.stretch is None:
        return model.max_context
    return max(model.max_context, int(model.stretch.original * _MOST))


def factor(model: ModelFacts, tokens: int) -> Fraction | None:
    """The YaRN factor for requests of `tokens`, in tenths; None where the model takes them as it is."""
    if model.stretch is None or tokens <= model.max_context:
        return None
    tenths = -(-tokens * 10 // model.stretch.original)
    return Fraction(tenths, 10)


def overrides(model: ModelFacts, tokens: int) -> Mapping[str, Any] | None:
    """The changes to config.json for requests of `tokens`; None where there are none."""
    wanted = factor(model, tokens)
    if wanted is None or model.stretch is None:
        return None
    rope = {
        **json.loads(model.stretch.rope),
        "rope_type": "yarn",
        "factor": float(wanted),
        "original_max_position_embeddings": model.stretch.original,
    }
    changes = {"rope_parameters": rope}
    return {model.stretch.nested: changes} if model.stretch.nested else changes
