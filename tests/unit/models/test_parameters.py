"""Parameters counted from dimensions match the sizes that publishers state, for every model of the catalogue."""

import re

import pytest

from npuserve.models.catalogue import lookup, names
from npuserve.models.memory import active_parameters, parameters

TOLERANCE = 0.05

# Billions, for models whose name carries no size (from params_b of the published vLLM-Ascend deployments or the model card).
STATED = {
    "BAAI/bge-large-en": 0.335,
    "BAAI/bge-m3": 0.568,
    "MiniMaxAI/MiniMax-M2.5": 230,
    "MiniMaxAI/MiniMax-M2.7": 230,
    "MiniMaxAI/MiniMax-M3": 428,
    "PaddlePaddle/PaddleOCR-VL": 0.9,
    "XiaomiMiMo/MiMo-V2-Flash": 309,
    "deepseek-ai/DeepSeek-OCR": 3.3,
    "deepseek-ai/DeepSeek-R1": 671,
    "deepseek-ai/DeepSeek-V2-Lite": 15.7,
    "deepseek-ai/DeepSeek-V3": 671,
    "deepseek-ai/DeepSeek-V3.1": 671,
    "deepseek-ai/DeepSeek-V3.2": 671,
    "deepseek-ai/DeepSeek-V4-Flash": 284,
    "deepseek-ai/DeepSeek-V4-Pro": 1600,
    "inclusionAI/Ling-flash-2.0": 100,
    "microsoft/Phi-3-mini-128k-instruct": 3.8,
    "microsoft/Phi-3-vision-128k-instruct": 4.15,
    "microsoft/Phi-3.5-MoE-instruct": 41.9,
    "microsoft/phi-4": 14.7,
    "mistralai/Magistral-Small-2509": 24,
    "mistralai/Mistral-Nemo-Instruct-2407": 12.2,
    "mistralai/Mixtral-8x22B-v0.1": 140.6,
    "mistralai/Mixtral-8x7B-v0.1": 46.7,
    "moonshotai/Kimi-K2-Instruct": 1000,
    "moonshotai/Kimi-K2.5": 1000,
    "moonshotai/Kimi-K2.6": 1000,
    "moonshotai/Kimi-K2.7-Code": 1000,
    "openbmb/MiniCPM-V-2_6": 8.1,
    "openbmb/MiniCPM-V-4": 4.1,
    "tencent/Hunyuan-A13B-Instruct": 80,
    "zai-org/GLM-4.5": 355,
    "zai-org/GLM-4.5-Air": 106,
    "zai-org/GLM-4.5V": 106,
    "zai-org/GLM-4.7-Flash": 30,
    "zai-org/GLM-5": 744,
    "zai-org/GLM-5.1": 744,
    "zai-org/GLM-5.2": 744,
    # Names that state the active parameters or round down by more than the tolerance; the model cards' own numbers.
    "Alibaba-NLP/gte-Qwen2-7B-instruct": 7.61,
    "Qwen/Qwen-7B": 7.72,
    "Qwen/Qwen1.5-0.5B-Chat": 0.464,
    "Qwen/Qwen1.5-7B-Chat": 7.72,
    "Qwen/Qwen2-7B": 7.61,
    "Qwen/Qwen2-7B-Instruct": 7.61,
    "Qwen/Qwen2-Audio-7B-Instruct": 8.4,
    "Qwen/Qwen2-VL-2B-Instruct": 2.21,
    "Qwen/Qwen2-VL-7B-Instruct": 8.29,
    "Qwen/Qwen2.5-14B": 14.7,
    "Qwen/Qwen2.5-14B-Instruct": 14.7,
    "Qwen/Qwen2.5-7B": 7.61,
    "Qwen/Qwen2.5-7B-Instruct": 7.61,
    "Qwen/Qwen2.5-Coder-7B-Instruct": 7.61,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8.29,
    "Qwen/Qwen3-14B": 14.8,
    "Qwen/Qwen3-VL-2B-Instruct": 2.13,
    "Qwen/Qwen3.5-4B": 4.66,
    "XiaomiMiMo/MiMo-7B-Base": 7.6,
    "baichuan-inc/Baichuan2-7B-Base": 7.5,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": 7.61,
    "google/gemma-2-2b": 2.6,
    "google/gemma-2-2b-it": 2.6,
    "google/gemma-7b": 8.5,
    "internlm/internlm2-7b": 7.74,
    "internlm/internlm3-8b-instruct": 8.8,
    "meta-llama/Llama-3.2-1B-Instruct": 1.24,
    "meta-llama/Llama-3.2-3B-Instruct": 3.21,
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct": 400,
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": 109,
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": 31.6,
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4": 31.6,
    "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4": 31.6,
}
# The same architecture under another name.
STATED |= {
    f"nvidia/{model}-NVFP4": size
    for model, size in {
        "DeepSeek-V3.1": 671, "DeepSeek-V3.2": 671, "DeepSeek-V4-Flash": 284, "DeepSeek-V4-Pro": 1600, "GLM-5": 744, "GLM-5.1": 744,
        "GLM-5.2": 744, "Kimi-K2.5": 1000, "Kimi-K2.6": 1000, "Kimi-K2.7-Code": 1000, "MiniMax-M2.5": 230, "MiniMax-M2.7": 230,
    }.items()
} | {f"zai-org/{model}-FP8": 744 for model in ("GLM-5", "GLM-5.1", "GLM-5.2")} | {
    "sgl-project/DeepSeek-V4-Flash-FP8": 284,
    "sgl-project/DeepSeek-V4-Pro-FP8": 1600,
}  # fmt: skip
UNSTATED = {"moonshotai/Kimi-K3", "stepfun-ai/Step-3.7-Flash", "stepfun-ai/Step-3.7-Flash-FP8"}

# Billions of active parameters, from params of the published deployments or the names.
ACTIVE = {
    "Qwen/Qwen3-235B-A22B": 22,
    "Qwen/Qwen3-30B-A3B": 3.3,
    "Qwen/Qwen3-Coder-480B-A35B-Instruct": 35,
    "Qwen/Qwen3.5-122B-A10B": 10,
    "Qwen/Qwen3.5-397B-A17B": 17,
    "deepseek-ai/DeepSeek-V3": 37,
    "deepseek-ai/DeepSeek-V4-Flash": 13,
    "deepseek-ai/DeepSeek-V4-Pro": 49,
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct": 17,
    "moonshotai/Kimi-K2-Instruct": 32,
    "openai/gpt-oss-120b": 5.7,
    "tencent/Hunyuan-A13B-Instruct": 13,
}


def size_in(name: str) -> float:
    found = re.search(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)[bB](?![A-Za-z])", name.split("/", 1)[1])
    assert found is not None, f"{name} states no size: add it to STATED with its source"
    return float(found.group(1))


@pytest.mark.parametrize("name", sorted(set(names()) - UNSTATED))
def test_every_model_has_the_size_its_publisher_states(name: str) -> None:
    count = parameters(lookup(name))
    stated = STATED.get(name) or size_in(name)
    # Some publishers count encoders and prediction heads, some do not.
    candidates = (count.total, count.language, count.stored)
    assert min(abs(size / 1e9 / stated - 1) for size in candidates) <= TOLERANCE, (count.total / 1e9, stated)


@pytest.mark.parametrize(("name", "billions"), ACTIVE.items())
def test_active_parameters_are_those_of_the_chosen_experts(name: str, billions: float) -> None:
    assert active_parameters(lookup(name)) / 1e9 == pytest.approx(billions, rel=0.07)


def test_an_encoder_of_glm_has_its_gate_under_every_name_the_library_gave_it() -> None:
    blocks = 24 * (4 * 1536**2 + 3 * 1536 * 4096)
    merger = 4 * 1536 * 4096 + 4096**2 + 3 * 4096 * 13696
    patches = (3 * 2 * 14**2 + (336 // 14) ** 2) * 1536
    assert parameters(lookup("zai-org/GLM-4.1V-9B-Thinking")).vision == blocks + merger + patches


def test_the_prediction_head_is_counted_beside_the_model() -> None:
    count = parameters(lookup("deepseek-ai/DeepSeek-V3"))
    assert count.total / 1e9 == pytest.approx(671, rel=0.001)
    # The card's 14 B include a second copy of embeddings and output head, which engines share.
    assert (count.mtp + count.embeddings + count.lm_head) / 1e9 == pytest.approx(14, rel=0.05)


def test_qwen3_32b_is_counted_to_the_parameter() -> None:
    hidden, layers, vocabulary = 5120, 64, 151936
    attention = hidden * 64 * 128 * 2 + hidden * 8 * 128 * 2
    assert parameters(lookup("Qwen/Qwen3-32B")).attention == layers * attention
    assert parameters(lookup("Qwen/Qwen3-32B")).mlp == layers * 3 * hidden * 25600
    assert parameters(lookup("Qwen/Qwen3-32B")).embeddings == vocabulary * hidden


def test_a_tied_output_head_counts_once() -> None:
    assert parameters(lookup("Qwen/Qwen3-0.6B")).lm_head == 0
    assert parameters(lookup("Qwen/Qwen3-32B")).lm_head == parameters(lookup("Qwen/Qwen3-32B")).embeddings


def test_parts_add_up_to_the_whole() -> None:
    for name in names():
        count = parameters(lookup(name))
        inner = count.attention + count.mlp + count.experts + count.shared_experts + count.router + count.norm
        assert count.total == inner + count.embeddings + count.lm_head + count.vision + count.audio
