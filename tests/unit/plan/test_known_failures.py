"""Deployments that are known to fail are refused before a replica starts, with the numbers and the way out.

Each case is a report or a page; the configuration is the reported one as far as a service can say it.
"""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.models.catalogue import lookup
from npuserve.models.facts import ModelFacts
from npuserve.plan.plan import Refusal
from tests.support.clusters import A2_32G, A2_64G, A3, DUO, cluster
from tests.support.services import a_service, argument, planned, refused

BIG, SMALL, DIES, CARDS = cluster(A2_64G), cluster(A2_32G), cluster(A3), cluster(DUO)


def answer(path: str, on: ClusterFacts, *, facts: ModelFacts | None = None, **spec: Any) -> Refusal:
    return refused(a_service(f"pvc://w/{path}", facts=facts, **{"backend": "vllm-ascend", **spec}), on)


def base(path: str) -> ModelFacts:
    found = lookup(path)
    assert found is not None
    return found


# Out of memory


def test_weights_that_fill_a_device_vllm_ascend_9372() -> None:
    found = answer("Qwen/Qwen3-14B", SMALL, context={"maxModelLen": 4096}, hardware={"devices": 1})
    assert found.reason is Reason.MODEL_TOO_LARGE
    assert "weights 27.5 GiB and runtime" in found.message
    assert "of 28.0 GiB usable per device leave no room for a KV cache; use more than 1 devices" in found.message


def test_qwen3_next_over_four_devices_of_a_910b4_vllm_ascend_5137() -> None:
    found = answer(
        "Qwen/Qwen3-Next-80B-A3B-Instruct", SMALL, context={"maxModelLen": 4096}, parallelism={"tensor": 4},
        engineArgs={"gpu-memory-utilization": 0.85},
    )  # fmt: skip
    assert "weights 37.2 GiB and runtime" in found.message
    assert "of 25.9 GiB usable per device" in found.message


def test_a_mixture_of_670_billion_in_eight_bits_on_one_server_of_eight() -> None:
    """The page of DeepSeek-R1 asks for two such servers (va@0.30.0rc2:docs/source/tutorials/models/DeepSeek-R1.md#L24)."""
    found = answer("team/R1-W8A8", BIG, facts=base("deepseek-ai/DeepSeek-R1"), quantization="W8A8")
    assert found.reason is Reason.MODEL_TOO_LARGE
    assert "leave no room for a KV cache" in found.message


def test_glm_5_1_in_eight_bits_on_one_server_of_eight_vllm_ascend_9099() -> None:
    found = answer(
        "team/GLM-5.1-w8a8", BIG, facts=base("zai-org/GLM-5.1"), quantization="W8A8", backendVersion="0.30.0rc2"
    )
    assert found.reason is Reason.MODEL_TOO_LARGE
    assert "on 8 x Atlas 800I A2 64G" in found.message


def test_deepseek_v4_flash_on_eight_devices_of_32_gib_vllm_ascend_8746() -> None:
    found = answer("team/V4-Flash-w8a8", SMALL, facts=base("deepseek-ai/DeepSeek-V4-Flash"), quantization="W8A8")
    assert found.reason is Reason.MODEL_TOO_LARGE
    assert "on 8 x Atlas 800I A2 32G" in found.message
    own = answer("deepseek-ai/DeepSeek-V4-Flash", SMALL)
    assert own.reason is Reason.UNSUPPORTED_QUANTIZATION
    assert "FP8 weights do not run on Atlas 800I A2 32G" in own.message


def test_qwen3_235b_in_bf16_on_one_server_of_eight_despite_its_page() -> None:
    """va@0.30.0rc2:docs/source/tutorials/models/Qwen3-235B-A22B.md lists it; its own commands use W8A8."""
    found = answer("Qwen/Qwen3-235B-A22B", BIG, quantization="none")
    assert found.reason is Reason.MODEL_TOO_LARGE
    assert "weights 54.9 GiB and runtime" in found.message
    assert "use the published W8A8 weights Eco-Tech/Qwen3-235B-A22B-w8a8-QuaRot" in found.message


def test_a_trillion_parameters_in_bf16_on_one_server_despite_its_page() -> None:
    """va@0.30.0rc2:docs/source/tutorials/models/Kimi-K2-Thinking.md calls INT4 weights bfloat16."""
    silent = base("moonshotai/Kimi-K2-Instruct")
    found = answer("moonshotai/Kimi-K2-Instruct", DIES)
    assert silent.quantization is not None
    assert found.reason is Reason.UNSUPPORTED_QUANTIZATION
    unpacked = answer("moonshotai/Kimi-K2-Instruct", DIES, backendVersion="0.30.0rc2")
    assert unpacked.reason is Reason.MODEL_TOO_LARGE
    assert "on 16 x Atlas 800" in unpacked.message


def test_a_length_whose_attention_mask_fills_a_card() -> None:
    """On the cards the mask grows with the square of the length (va@0.18.0:docs/source/tutorials/hardwares/310p.md)."""
    found = answer("Qwen/Qwen3-8B", CARDS, context={"maxModelLen": 131_072})
    assert found.reason in (Reason.MODEL_TOO_LARGE, Reason.CONTEXT_TOO_LONG)
    assert "leave no room for a KV cache" in found.message


@pytest.mark.parametrize(
    ("path", "version"), [("Qwen/Qwen3-Next-80B-A3B-Instruct", "0.13.0"), ("Qwen/Qwen2.5-7B-Instruct", "0.7.1rc1")]
)
def test_versions_that_give_out_more_memory_than_there_is_vllm_ascend_6611_and_89(path: str, version: str) -> None:
    """0.13.0 asked for a cache of 2.57 GiB beside 57.49 of 60.96 GiB; #89 is of the first release, 0.7.1rc1, and its
    deployment is not known here: any on that version is refused."""
    found = answer(path, BIG, backendVersion=version, parallelism={"tensor": 4})
    assert (found.reason, found.field) == (Reason.UNKNOWN_BACKEND_VERSION, "spec.backendVersion")
    assert version in found.message
    assert "0.23.0" in found.message


def test_a_prefill_server_that_keeps_both_copies_of_its_weights_vllm_ascend_12839() -> None:
    """59 GB a device in place of 49: a replica answers requests by itself, and the arguments of the report are refused."""
    transfer = {"kv_connector": "MooncakeConnectorV1", "kv_role": "kv_producer"}
    asked: dict[str, Any] = {
        "quantization": "W8A8",
        "facts": base("zai-org/GLM-5"),
        "parallelism": {"tensor": 16, "expert": True},
    }
    found = answer("team/GLM-5-w8a8", DIES, engineArgs={"kv-transfer-config": transfer}, **asked)
    assert (found.reason, found.field) == (Reason.RESERVED_ARGUMENT, "spec.engineArgs.kv-transfer-config")
    contexts = answer("team/GLM-5-w8a8", DIES, engineArgs={"decode-context-parallel-size": 16}, **asked)
    assert "the plan does not split contexts" in contexts.message


def test_sizes_whose_graphs_no_device_holds_vllm_ascend_9691() -> None:
    """It ends with 207008, EL0009: stream resources are insufficient (va@0.23.0:docs/source/faqs.md, question 17)."""
    every = {"cudagraph_capture_sizes": list(range(1, 513))}
    found = answer("Qwen/Qwen3-32B", BIG, backendVersion="0.23.0", engineArgs={"compilation-config": every})
    assert found.field == "spec.engineArgs.compilation-config.cudagraph_capture_sizes"
    assert (
        "512 sizes take 33,280 graphs, one for each of 64 layers and one more, and a device holds about 32,000; "
        "name 492 sizes or fewer, or set cudagraph_mode to FULL_DECODE_ONLY" in found.message
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"engineArgs": {"compilation-config": {"cudagraph_capture_sizes": list(range(1, 493))}}},
        {
            "engineArgs": {
                "compilation-config": {
                    "cudagraph_capture_sizes": list(range(1, 513)),
                    "cudagraph_mode": "FULL_DECODE_ONLY",
                }
            }
        },
        {"engineArgs": {"compilation-config": {"cudagraph_capture_sizes": list(range(1, 513))}, "enforce-eager": True}},
        {
            "engineArgs": {"compilation-config": {"cudagraph_capture_sizes": list(range(1, 513))}},
            "backendVersion": "0.18.0",
        },
    ],
    ids=["as many as fit", "full graphs", "no graphs", "a version that leaves sizes out"],
)
def test_sizes_whose_graphs_a_device_holds_are_planned(spec: dict[str, Any]) -> None:
    asked = {"backendVersion": "0.23.0", **spec}
    assert (
        planned(a_service("pvc://w/Qwen/Qwen3-32B", backend="vllm-ascend", **asked), BIG).backend_version
        == asked["backendVersion"]
    )


# Illegal layouts


def test_five_ranks_vllm_ascend_761() -> None:
    found = answer("Qwen/Qwen3-235B-A22B", BIG, parallelism={"tensor": 5})
    assert (found.reason, found.field) == (Reason.ILLEGAL_PARALLELISM, "spec.parallelism.tensor")
    assert "64 attention heads do not divide by tensor parallel size 5" in found.message
    assert "tensor sizes that work on Atlas 800I A2 64G: 1, 2, 4, 8" in found.message


def test_three_ranks_gpustack_2259() -> None:
    found = answer("google/gemma-3-27b-it", BIG, parallelism={"tensor": 3})
    assert "32 attention heads do not divide by tensor parallel size 3" in found.message


def test_no_plan_of_its_own_has_three_ranks_gpustack_814() -> None:
    three = cluster(
        {**A2_64G, "status": {"allocatable": {**A2_64G["status"]["allocatable"], "huawei.com/Ascend910": "3"}}}
    )
    assert planned(a_service("pvc://w/google/gemma-3-27b-it"), three).parallelism.tensor in (1, 2)


def test_an_encoder_whose_heads_do_not_divide_runs_whole_on_every_rank_glm_v_130() -> None:
    plan = planned(a_service("pvc://w/zai-org/GLM-4.5V", backend="vllm-ascend", parallelism={"tensor": 8}), BIG)
    assert argument(plan, "--mm-encoder-tp-mode") == "data"
    even = planned(a_service("pvc://w/zai-org/GLM-4.5V", backend="vllm-ascend", parallelism={"tensor": 4}), BIG)
    assert argument(even, "--mm-encoder-tp-mode") is None


def test_more_ranks_than_a_server_has() -> None:
    found = answer("Qwen/Qwen3-32B", BIG, parallelism={"tensor": 16})
    assert found.message == (
        "16 devices are asked for, Atlas 800I A2 64G nodes have 8; a replica runs on one node, use 8 or fewer"
    )


def test_half_a_pair_of_dies() -> None:
    found = answer("Qwen/Qwen3-32B", DIES, hardware={"devices": 3})
    assert found.reason is Reason.ILLEGAL_DEVICE_COUNT
    assert "gives 1, 2, 4, 6, 8, 10, 12, 14, 16 devices to a replica, not 3" in found.message


def test_latent_attention_on_cards() -> None:
    """It fails late, when the cache is laid out (va@0.23.0:vllm_ascend/_310p/model_runner_310p.py)."""
    found = answer("deepseek-ai/DeepSeek-V2-Lite", CARDS)
    assert found.reason is Reason.UNSUPPORTED_MODEL
    assert "multi-head latent attention does not run on Atlas 300I Duo" in found.message


@pytest.mark.parametrize("path", ["deepseek-ai/DeepSeek-V3.1", "Qwen/Qwen3-32B-FP8"])
def test_fp8_weights_on_chips_without_fp8_are_refused_with_published_ones_that_run(path: str) -> None:
    found = answer(path, DIES)
    assert found.reason is Reason.UNSUPPORTED_QUANTIZATION
    assert "FP8 weights do not run on Atlas 800I A3 64G" in found.message


def test_more_drafted_tokens_than_a_step_takes() -> None:
    found = answer(
        "Qwen/Qwen3-8B", BIG, engineArgs={"speculative-config": {"method": "ngram", "num_speculative_tokens": 16}}
    )
    assert found.reason is Reason.INVALID_ARGUMENT
    assert (
        "16 drafted tokens and one more are above the 16 that a step takes of a request; use 15 or fewer"
        in found.message
    )


def test_captured_sizes_that_hold_no_whole_requests() -> None:
    arguments = {
        "speculative-config": {"method": "ngram", "num_speculative_tokens": 3},
        "compilation-config": {"cudagraph_capture_sizes": [4, 6, 8]},
    }
    found = answer("Qwen/Qwen3-8B", BIG, engineArgs=arguments)
    assert found.field == "spec.engineArgs.compilation-config.cudagraph_capture_sizes"
    assert "with 3 drafted tokens sizes are multiples of 4, which 6 is not" in found.message
