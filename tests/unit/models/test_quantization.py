"""Names and bits of number formats, and what weights say about theirs."""

from dataclasses import replace

import pytest

from npuserve.models.catalogue import lookup
from npuserve.models.config import read_config
from npuserve.models.declared import read_quant_description
from npuserve.models.facts import QuantizationFacts
from npuserve.models.memory import weight_bytes
from npuserve.models.quantization import FLOAT, PLAIN, SCHEMES, declared_scheme, normalise, storage
from npuserve.models.weights import Part

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 128256,
}


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("none", "none"), ("", "none"), ("BF16", "none"), ("FLOAT", "none"),
        ("w8a8", "W8A8"), ("W8A8-dynamic", "W8A8"), ("w8a8_dynamic", "W8A8"), ("W8A8_MIX", "W8A8"), ("w8a8_pdmix", "W8A8"),
        ("w8a8sc", "W8A8SC"), ("W8A8C8", "W8A8C8"), ("w4a8_dynamic", "W4A8"), ("W4A8-per-channel", "W4A8"), ("w4a8c8", "W4A8C8"),
        ("int4", "W4A16"), ("W8A8_MXFP8", "MXFP8"), ("w8a8-mxfp8", "MXFP8"), ("W4A4_FLATQUANT_DYNAMIC", "W4A4"), ("W4A16_MXFP4", "MXFP4"),
        ("w4a4c8-mxfp4", "W4A4C8_MXFP4"),
        ("fp8", "FP8"), ("awq", "AWQ"), ("gptq", "GPTQ"), ("GGUF", "GGUF"), (" w8a8 ", "W8A8"),
    ],
)  # fmt: skip
def test_a_scheme_is_known_by_any_usual_spelling(spelled: str, name: str) -> None:
    assert normalise(spelled) == name


@pytest.mark.parametrize("spelled", ["W9A9", "auto", "quantized", "8", "W8A8C8X"])
def test_what_is_no_scheme_is_none(spelled: str) -> None:
    assert normalise(spelled) is None


def test_every_name_of_the_table_is_its_own_normal_form() -> None:
    assert {normalise(name) for name in SCHEMES} == set(SCHEMES)
    assert all(row.elsewhere in {"", *SCHEMES} for row in SCHEMES.values())


def test_the_parts_of_a_mixture_follow_their_own_rows() -> None:
    four = SCHEMES["W4A8"]
    assert storage(Part.EXPERTS, four, mixture=True).bits == 4
    assert storage(Part.ATTENTION, four, mixture=True).bits == 8
    assert storage(Part.ATTENTION, four, mixture=False).bits == 4
    assert storage(Part.ATTENTION, SCHEMES["MXFP4"], mixture=True) == FLOAT
    assert storage(Part.LATENT, four, mixture=True) == FLOAT


def test_scales_are_counted() -> None:
    assert storage(Part.EXPERTS, SCHEMES["MXFP4"], mixture=True).bytes(3200, 10) == 1600 + 100
    assert storage(Part.ATTENTION, SCHEMES["W8A8"], mixture=False).bytes(3200, 10) == 3200 + 40


def stated(name: str) -> QuantizationFacts:
    model = lookup(name)
    assert model is not None
    assert model.quantization is not None, name
    return model.quantization


@pytest.mark.parametrize(
    ("name", "method", "scheme", "bits", "group"),
    [
        ("deepseek-ai/DeepSeek-V3", "fp8", "FP8", 8, 128 * 128),
        ("MiniMaxAI/MiniMax-M2.5", "fp8", "FP8", 8, 128 * 128),
        ("moonshotai/Kimi-K2.5", "compressed-tensors", "W4A16", 4, 32),
        ("moonshotai/Kimi-K3", "compressed-tensors", "MXFP4", 4, 32),
        ("openai/gpt-oss-120b", "mxfp4", "MXFP4", 4, 0),
        ("Qwen/Qwen3-32B-FP8-Static-PerTensor", "modelopt", "FP8", 8, 0),
        ("nvidia/Kimi-K2.6-NVFP4", "modelopt", "NVFP4", 4, 16),
    ],
)
def test_published_formats_are_read(name: str, method: str, scheme: str, bits: int, group: int) -> None:
    found = stated(name)
    assert (found.method, found.scheme, found.bits_weights, found.group_size) == (method, scheme, bits, group)


def test_parts_left_in_floating_point_are_read_from_the_exceptions() -> None:
    kimi = dict(stated("moonshotai/Kimi-K2.5").parts)
    assert (kimi["attention"], kimi["shared_experts"], kimi["mlp"], kimi["experts"]) == (PLAIN, PLAIN, PLAIN, "W4A16")
    one_by_one = dict(stated("nvidia/Qwen3.5-122B-A10B-NVFP4").parts)
    assert (one_by_one["attention"], one_by_one["linear_attention"], one_by_one["experts"]) == (PLAIN, PLAIN, "NVFP4")
    only_norms_and_routers = dict(stated("Qwen/Qwen3-235B-A22B-FP8").parts)
    assert set(only_norms_and_routers.values()) == {"FP8"}


def test_deepseek_v4_keeps_its_experts_in_four_bits() -> None:
    found = stated("deepseek-ai/DeepSeek-V4-Flash")
    assert (found.scheme, dict(found.parts)["experts"]) == ("FP8", "MXFP4")
    assert dict(stated("sgl-project/DeepSeek-V4-Flash-FP8").parts)["experts"] == "FP8"


def test_silence_is_not_the_same_as_unquantized() -> None:
    assert lookup("nvidia/Qwen3-235B-A22B-NVFP4").quantization is None


@pytest.mark.parametrize(
    ("table", "scheme", "bits"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "AWQ", 4),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "GPTQ", 8),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "BITSANDBYTES", 8),
        ({"quant_method": "hqq", "nbits": 4}, "HQQ", 8),
        ({"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {"num_bits": 8, "type": "int"}, "input_activations": {"num_bits": 8}}}}, "W8A8", 8),
        ({"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {"num_bits": 8, "type": "float"}}}}, "FP8", 8),
    ],
)  # fmt: skip
def test_formats_of_other_tools_are_named(table: dict[str, object], scheme: str, bits: int) -> None:
    base = LLAMA | {"quantization_config": table}
    found = read_config(base).quantization
    assert (found.scheme, found.bits_weights) == (scheme, bits)
    assert declared_scheme(found).weight_bits == bits


def test_mindies_own_field_is_read() -> None:
    base = LLAMA | {
        "quantize": "w8a8_dynamic",
        "quantization_config": {"kv_quant_type": "C8"},
    }
    found = read_config(base).quantization
    assert (found.method, found.scheme, found.bits_cache) == ("msmodelslim", "W8A8", 8)


DESCRIPTION = {
    "model_quant_type": "W8A8_DYNAMIC",
    "version": "1.0.0",
    "group_size": 256,
    "model.embed_tokens.weight": "FLOAT",
    "model.layers.0.self_attn.q_proj.weight": "W8A8",
    "model.layers.0.self_attn.q_proj.weight_scale": "W8A8",
    "model.layers.0.self_attn.kv_b_proj.weight": "FLOAT",
    "model.layers.0.mlp.gate.weight": "FLOAT",
    "model.layers.0.mlp.experts.0.gate_proj.weight": "W4A8_DYNAMIC",
    "model.layers.0.mlp.experts.0.down_proj.weight": "W4A8_DYNAMIC",
    "model.layers.0.mlp.shared_experts.gate_proj.weight": "FLOAT",
    "lm_head.weight": "FLOAT",
}


def test_a_description_of_msmodelslim_names_the_scheme_of_each_part() -> None:
    found = read_quant_description(DESCRIPTION)
    assert found is not None
    assert (found.method, found.scheme, found.bits_weights, found.bits_activations, found.group_size) == (
        "msmodelslim",
        "W4A8",
        4,
        8,
        256,
    )
    assert dict(found.parts) == {"attention": "W8A8", "experts": "W4A8", "shared_experts": PLAIN}


def test_a_quantized_cache_is_part_of_the_name() -> None:
    assert read_quant_description(DESCRIPTION | {"kv_cache_type": "C8"}).scheme == "W4A8C8"
    assert read_quant_description(DESCRIPTION | {"fa_quant_type": "FAKQuant"}).bits_cache == 8


@pytest.mark.parametrize(
    "description", [{}, {"version": "1.0.0"}, {"model_quant_type": "FLOAT"}, {"model_quant_type": 8, "a.weight": []}]
)
def test_a_description_that_types_nothing_is_silent(description: dict[str, object]) -> None:
    assert read_quant_description(description) is None


def test_what_weights_state_goes_before_the_table() -> None:
    model = lookup("Qwen/Qwen3-30B-A3B-FP8")
    scheme = SCHEMES["W4A16"]
    all_four = QuantizationFacts(
        "compressed-tensors", "W4A16", 4, 16, group_size=128, parts=(("attention", "W4A16"), ("experts", "W4A16"))
    )
    usual, everything = (
        weight_bytes(replace(model, quantization=quantization), scheme) for quantization in (None, all_four)
    )
    assert everything.attention < usual.attention / 3
    assert everything.experts < usual.experts  # groups of 128 need fewer scales than groups of 32
