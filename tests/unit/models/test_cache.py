"""What a sequence costs in cache: known models by hand, and laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuserve.models.cache import kv_bytes_per_sequence, kv_bytes_per_token, kv_cost
from npuserve.models.catalogue import lookup, names

GIB = 2**30


@pytest.mark.parametrize(
    ("name", "tensor", "expected"),
    [
        ("Qwen/Qwen3-32B", 1, 64 * 8 * 256 * 2),
        ("Qwen/Qwen3-32B", 4, 64 * 2 * 256 * 2),
        ("Qwen/Qwen3-32B", 8, 64 * 1 * 256 * 2),
        ("Qwen/Qwen3-32B", 16, 64 * 1 * 256 * 2),  # two ranks share one head
        ("Qwen/Qwen3-235B-A22B", 8, 94 * 1 * 256 * 2),
        ("tencent/Hunyuan-A13B-Instruct", 4, 32 * 2 * 256 * 2),
        ("deepseek-ai/DeepSeek-V3", 1, 61 * 576 * 2),
        ("deepseek-ai/DeepSeek-V3", 16, 61 * 576 * 2),  # a latent cache is on every rank
        ("deepseek-ai/DeepSeek-V3.2", 8, 61 * (576 + 128) * 2),
        ("zai-org/GLM-5", 8, 78 * (576 + 128) * 2),
        ("zai-org/GLM-5.2", 8, (78 * 576 + 21 * 128) * 2),  # 21 layers select for all
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 1, 12 * 2 * 512 * 2),  # 12 of 48 layers have a growing cache
        ("Qwen/Qwen3.5-27B", 4, 16 * 1 * 512 * 2),
        ("openbmb/MiniCPM3-4B", 1, 62 * 40 * 2 * 96 * 2),  # served with expanded heads
        ("THUDM/chatglm3-6b", 2, 28 * 1 * 256 * 2),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", 8, 49 * 1 * 256 * 2),  # 49 of 80 layers kept their attention
        ("BAAI/bge-m3", 1, 0),
    ],
)
def test_one_more_token_costs(name: str, tensor: int, expected: int) -> None:
    assert kv_bytes_per_token(lookup(name), tensor=tensor) == expected


def test_an_int8_cache_halves_grouped_attention() -> None:
    model = lookup("Qwen/Qwen3-32B")
    assert 2 * kv_bytes_per_token(model, tensor=4, kv_dtype_bytes=1) == kv_bytes_per_token(model, tensor=4)


def test_an_int8_latent_cache_keeps_its_positions_in_two_bytes_and_has_scales() -> None:
    latent, scales, index = 512 + 64 * 2, 4 * 4, 128 + 2
    assert kv_bytes_per_token(lookup("deepseek-ai/DeepSeek-V3"), tensor=8, kv_dtype_bytes=1) == 61 * (latent + scales)
    assert (
        kv_bytes_per_token(lookup("zai-org/GLM-5.2"), tensor=8, kv_dtype_bytes=1) == 78 * (latent + scales) + 21 * index
    )


def test_windowed_layers_stop_growing() -> None:
    model = lookup("openai/gpt-oss-120b")  # 18 of 36 layers see 128 tokens
    per_layer = 8 * (64 + 64) * 2
    assert kv_bytes_per_sequence(model, 128, tensor=1) == 36 * per_layer * 128
    assert kv_bytes_per_sequence(model, 10_000, tensor=1) == 18 * per_layer * (10_000 + 128)
    assert kv_cost(model, tensor=1).sequence(10_000, scheduled=4096) == 18 * per_layer * (10_000 + 128 + 4096)


def test_a_window_as_long_as_the_context_is_none() -> None:
    assert lookup("microsoft/Phi-3-mini-128k-instruct").sliding_window == 0
    assert lookup("mistralai/Mistral-7B-v0.1").sliding_window == 4096


def test_linear_attention_costs_the_same_at_any_length() -> None:
    cost = kv_cost(lookup("Qwen/Qwen3-Next-80B-A3B-Instruct"), tensor=1)
    recurrent, convolution = 32 * 128 * 128 * 2, (2 * 16 * 128 + 32 * 128) * 3 * 2
    assert cost.constant == 36 * (recurrent + convolution)
    assert cost.sequence(1) == cost.constant + cost.per_token


def test_deepseek_v4_keeps_one_entry_in_four_or_in_128_tokens() -> None:
    cost = kv_cost(lookup("deepseek-ai/DeepSeek-V4-Flash"), tensor=8)
    # 21 layers of ratio 4 with an INT8 index key and its scale, 20 of ratio 128 (of 43; two see only their window).
    assert cost.per_token == -(-(21 * (1024 + 130) * 32 + 20 * 1024) // 128)
    assert [(item.window, item.per_token) for item in cost.windowed] == [(128, 43 * 1024)]


def test_pipeline_stages_divide_the_cache() -> None:
    model = lookup("Qwen/Qwen3-32B")
    assert kv_bytes_per_token(model, tensor=1, pipeline=2) * 2 == kv_bytes_per_token(model, tensor=1)


def test_a_draft_model_has_a_cache_of_its_own() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3")
    assert kv_cost(model, tensor=1, draft=True).per_token == 62 * 576 * 2


def test_the_measured_cache_of_hunyuan_is_met() -> None:
    """529,152 tokens at 0.9 of 60.96 GiB with 37.46 GiB of weights (va@0.30.0rc2:docs/source/tutorials/models/Hunyuan-A13B-Instruct.md#L99)."""
    cache = 529_152 * kv_bytes_per_token(lookup("tencent/Hunyuan-A13B-Instruct"), tensor=4)
    room = 0.9 * 60.96 * GIB - 37.46 * GIB
    # What is left over are activations, about 1.3 GiB.
    assert 0 < room - cache < 0.1 * room


@given(
    name=st.sampled_from(names()),
    tokens=st.integers(0, 2**20),
    more=st.integers(0, 2**12),
    tensor=st.sampled_from([1, 2, 4, 8]),
)
def test_longer_sequences_never_cost_less(name: str, tokens: int, more: int, tensor: int) -> None:
    cost = kv_cost(lookup(name), tensor=tensor)
    assert cost.sequence(tokens) <= cost.sequence(tokens + more)


@given(name=st.sampled_from(names()), available=st.integers(0, 2**36), tokens=st.integers(1, 2**17))
def test_the_sequences_that_fit_do_fit_and_one_more_does_not(name: str, available: int, tokens: int) -> None:
    cost = kv_cost(lookup(name), tensor=1)
    number = cost.sequences(available, tokens=tokens)
    if cost.sequence(tokens):
        assert number * cost.sequence(tokens) <= available < (number + 1) * cost.sequence(tokens)
