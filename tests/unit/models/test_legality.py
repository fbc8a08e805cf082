"""Why a model cannot be cut into so many pieces, in sentences that name the numbers."""

import pytest

from npuserve.models.catalogue import lookup
from npuserve.models.legality import splits_encoders, tensor_parallel_errors


@pytest.mark.parametrize(
    ("name", "tensor", "sizes"),
    [
        ("Qwen/Qwen3-32B", 1, {}),
        ("Qwen/Qwen3-32B", 16, {}),
        ("Qwen/Qwen2.5-7B-Instruct", 4, {}),
        ("deepseek-ai/DeepSeek-V3.1", 4, {"data": 4, "expert": 16}),
        ("deepseek-ai/DeepSeek-V4-Pro", 16, {"expert": 16}),
        ("moonshotai/Kimi-K3", 16, {"data": 4, "expert": 64}),
        ("Qwen/Qwen3.5-397B-A17B", 16, {"expert": 16}),
        ("tencent/Hunyuan-A13B-Instruct", 4, {"expert": 4}),
    ],
)
def test_published_layouts_are_legal(name: str, tensor: int, sizes: dict[str, int]) -> None:
    assert tensor_parallel_errors(lookup(name), tensor, **sizes) == ()


@pytest.mark.parametrize(
    ("name", "tensor", "sizes", "sentence"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 8, {}, "28 attention heads do not divide by tensor parallel size 8."),
        ("microsoft/phi-4", 4, {}, "10 key-value heads neither divide nor are divided by tensor parallel size 4."),
        ("Qwen/Qwen2.5-0.5B", 3, {}, "14 attention heads do not divide by tensor parallel size 3."),
        ("deepseek-ai/DeepSeek-V4-Flash", 16, {}, "8 groups of the output projection do not divide by tensor parallel size 16."),
        ("Qwen/Qwen3.5-27B", 32, {}, "16 linear-attention key heads do not divide by tensor parallel size 32."),
        ("nvidia/Nemotron-H-56B-Base-8K", 16, {}, "8 state-space groups do not divide by tensor parallel size 16."),
        ("zai-org/GLM-4.5", 8, {"data": 4, "expert": 32, "experts": 160}, None),
        ("stepfun-ai/Step-3.7-Flash", 8, {"data": 8, "expert": 64}, "288 experts do not divide by expert parallel size 64."),
        ("Qwen/Qwen3-30B-A3B", 8, {"data": 5}, "768 intermediate elements of an expert do not divide by tensor times data parallel size 40."),
        ("moonshotai/Kimi-K2.5", 64, {"data": 2},
         "2048 intermediate elements over 128 devices leave 16 each, which is no multiple of the quantization group of 32."),
    ],
)  # fmt: skip
def test_an_illegal_layout_is_named_with_its_numbers(
    name: str, tensor: int, sizes: dict[str, int], sentence: str | None
) -> None:
    experts = sizes.pop("experts", None)
    errors = tensor_parallel_errors(lookup(name), tensor, **sizes)
    if sentence is None:
        assert experts is not None
        assert errors == ()
    else:
        assert sentence in errors


def test_a_reason_is_given_once_however_many_layers_share_it() -> None:
    assert len(tensor_parallel_errors(lookup("Qwen/Qwen2.5-7B-Instruct"), 8)) == 1


def test_encoders_that_do_not_divide_are_told_apart() -> None:
    assert splits_encoders(lookup("Qwen/Qwen3-VL-8B-Instruct"), 8)
    assert not splits_encoders(lookup("zai-org/GLM-4.5V"), 8)
    assert splits_encoders(lookup("Qwen/Qwen3-32B"), 8)
