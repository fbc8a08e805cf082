"""The context a model can take, as the engine derives it from the file."""

from typing import Any

import pytest

from npuserve.models.catalogue import lookup
from npuserve.models.context import max_context
from npuserve.models.fields import Fields


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("Qwen/Qwen3-32B", 40960),
        ("deepseek-ai/DeepSeek-V3", 163840),  # yarn, 4096 * 40
        ("moonshotai/Kimi-K2-Instruct", 131072),  # yarn, 4096 * 32
        ("deepseek-ai/DeepSeek-V4-Pro", 1048576),  # yarn, 65536 * 16
        ("openai/gpt-oss-120b", 131072),
        ("meta-llama/Llama-3.1-8B-Instruct", 131072),  # llama3 scaling is in the length
        ("microsoft/Phi-3-mini-128k-instruct", 131072),  # longrope is in the length
        ("google/gemma-3-27b-it", 131072),  # Gemma 3 states the scaled length
        ("internlm/internlm3-8b-instruct", 196608),  # dynamic, 32768 * 6
        ("Qwen/Qwen-14B-Chat", 2048),  # seq_length is the smaller one
        ("moonshotai/Kimi-Linear-48B-A3B-Instruct", 1048576),  # model_max_length
        ("Qwen/Qwen3.5-27B", 262144),
    ],
)
def test_the_context_of_known_models(name: str, tokens: int) -> None:
    model = lookup(name)
    assert model is not None
    assert model.max_context == tokens


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        ({}, 2048),
        ({"max_position_embeddings": 8192, "n_positions": 4096}, 4096),
        ({"max_position_embeddings": 8192, "rope_scaling": {"type": "linear", "factor": 4.0}}, 32768),
        ({"max_position_embeddings": 8192, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, 32768),
        ({"max_position_embeddings": 8192, "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}, 8192),
        (
            {
                "max_position_embeddings": 8192,
                "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 2.0}},
            },
            16384,
        ),
        ({"max_position_embeddings": 8192, "rope_scaling": {"type": "linear", "factor": None}}, 8192),
    ],
)
def test_scaling_is_multiplied_in_where_the_length_is_not_final(values: dict[str, Any], tokens: int) -> None:
    assert max_context(Fields(values, {})) == tokens
