"""How far a model's context can be stretched, and the override of its config.json that does it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from npuserve.models.catalogue import lookup
from npuserve.models.facts import ModelFacts
from npuserve.models.stretch import factor, longest, overrides


def model(path: str) -> ModelFacts:
    found = lookup(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "own", "stretched"),
    [
        ("Qwen/Qwen3-32B", 40_960, 140_902),
        ("Qwen/Qwen2.5-72B-Instruct", 32_768, 140_902),
        ("Qwen/Qwen3.5-122B-A10B", 262_144, 1_127_219),
        # Their publishers document no longer context, or their files hold the scaling already.
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072, 131_072),
        ("deepseek-ai/DeepSeek-V3.1", 163_840, 163_840),
        ("openai/gpt-oss-120b", 131_072, 131_072),
    ],
)
def test_a_family_is_stretched_as_far_as_its_publisher_and_the_engines_tests_go(
    path: str, own: int, stretched: int
) -> None:
    assert (model(path).max_context, longest(model(path))) == (own, stretched)


@pytest.mark.parametrize(("tokens", "wanted"), [(40_960, None), (40_961, "1.3"), (131_072, "4"), (135_000, "4.2")])
def test_the_factor_is_the_smallest_tenth_that_holds_the_request(tokens: int, wanted: str | None) -> None:
    assert factor(model("Qwen/Qwen3-32B"), tokens) == (Fraction(wanted) if wanted else None)


def test_a_nested_model_keeps_its_own_rope_settings() -> None:
    changes = overrides(model("Qwen/Qwen3.5-122B-A10B"), 1_010_000)
    assert changes is not None
    rope = changes["text_config"]["rope_parameters"]
    assert (rope["rope_type"], rope["factor"], rope["original_max_position_embeddings"]) == ("yarn", 3.9, 262_144)
    assert {"mrope_section", "mrope_interleaved", "rope_theta", "partial_rotary_factor"} <= set(rope)


def test_nothing_is_overridden_within_the_models_own_length() -> None:
    assert overrides(model("Qwen/Qwen3-32B"), 40_960) is None
    assert overrides(model("meta-llama/Llama-3.1-8B-Instruct"), 10**9) is None
