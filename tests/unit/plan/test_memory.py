"""The budget of a device, against figures worked out by hand from a model's config.json."""

from __future__ import annotations

from npuserve.chips import MIB, by_id
from npuserve.engines import ENGINES
from npuserve.engines.contract import Choice as EngineChoice
from npuserve.engines.contract import ContextWindow, Overhead, Parallelism, VolumeWeights
from npuserve.models.catalogue import lookup
from npuserve.plan.memory import budget, gib, holds_one_request, stored_bytes, useful_tokens
from npuserve.plan.plan import MemoryBudget

GIB = 1 << 30
ONE = Parallelism(1, 1, 1, 1)
NOTHING = Overhead(0, 0, 0)

# Qwen3-8B: 36 layers of q and o (4096 x 4096), k and v (4096 x 1024), three 4096 x 12288 and two norms of 4096;
# embeddings and head of 151936 x 4096. The few norms of heads and the last one are below the fifth digit.
QWEN3_8B = 36 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 12288 + 2 * 4096) + 2 * 151936 * 4096
# A token: keys and values of 8 heads of 128 elements of two bytes in 36 layers.
QWEN3_8B_TOKEN = 36 * 2 * 8 * 128 * 2


def choice(path: str, product: str, scheme: str = "none") -> EngineChoice:
    model, row = lookup(path), by_id(product)
    assert model is not None
    assert row is not None
    return EngineChoice(model, scheme, row, "0.23.0", VolumeWeights("weights", path), "served")


def of(
    asked: EngineChoice,
    split: Parallelism,
    *,
    overhead: Overhead = NOTHING,
    length: int = 32_768,
    utilization: float = 0.92,
) -> MemoryBudget:
    return budget(
        asked, split, context=ContextWindow(length, 64), utilization=utilization, overhead=overhead, loaded=asked.scheme
    )


def test_a_dense_model_on_one_device() -> None:
    found = of(choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G"), ONE)
    assert QWEN3_8B == 8_190_722_048
    assert found.usable == int(62_423 * MIB * 0.92)
    assert found.weights == 2 * QWEN3_8B
    assert found.kv_cache == found.usable - 2 * QWEN3_8B
    assert QWEN3_8B_TOKEN == 147_456
    assert found.kv_cache_tokens == found.kv_cache // QWEN3_8B_TOKEN


def test_tensor_parallelism_halves_weights_and_the_cost_of_a_token() -> None:
    asked = choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G")
    one, two = of(asked, ONE), of(asked, Parallelism(2, 1, 1, 1))
    # Norms are on both devices whole, everything else is cut.
    assert one.weights / 2 < two.weights < one.weights / 2 * 1.001
    assert two.kv_cache_tokens == two.kv_cache // (QWEN3_8B_TOKEN // 2)


def test_a_latent_cache_costs_the_same_on_every_tensor_rank() -> None:
    asked = choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G", "W8A8")
    token = 61 * (512 + 64) * 2
    for split in (Parallelism(16, 1, 1, 16), Parallelism(4, 1, 4, 16)):
        found = of(asked, split)
        assert found.kv_cache_tokens == found.kv_cache // token


def test_what_is_missing_is_negative_and_holds_no_token() -> None:
    found = of(choice("Qwen/Qwen3-32B", "Atlas 800I A2 32G"), ONE)
    assert found.kv_cache == found.usable - found.weights < 0
    assert found.kv_cache_tokens == 0
    assert not holds_one_request(found, ContextWindow(1, 1))


def test_overhead_comes_out_of_the_cache() -> None:
    asked = choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G")
    spent = of(asked, ONE, overhead=Overhead(activations=GIB, communication=GIB, runtime=GIB))
    assert spent.runtime == 3 * GIB
    assert of(asked, ONE).kv_cache - spent.kv_cache == 3 * GIB


def test_the_engine_of_the_first_choice_needs_hidden_states_logits_and_half_a_gibibyte() -> None:
    found = ENGINES[0].overhead(
        choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G"), ONE, context=ContextWindow(32_768, 64), arguments={}
    )
    hidden = 8192 * (8 * 4096 + 2 * 12288) * 2
    logits = 2 * 64 * 151936 * 4
    assert found == Overhead(activations=hidden + logits, communication=0, runtime=GIB // 2)


def test_an_int8_cache_holds_twice_the_tokens() -> None:
    asked = choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G", "W8A8C8")
    found = of(asked, ONE)
    assert found.kv_cache_tokens == found.kv_cache // (QWEN3_8B_TOKEN // 2)


def test_the_files_of_a_model_hold_its_prediction_head_that_memory_does_not() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    assert model is not None
    assert model.mtp_layers
    without = of(choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G"), ONE).weights
    assert stored_bytes(model, "none") > without


def test_a_replica_is_useful_from_eight_requests_of_8192_tokens_on() -> None:
    assert useful_tokens(ContextWindow(4096, 64)) == 65_536
    assert useful_tokens(ContextWindow(4096, 2)) == 8192
    assert useful_tokens(ContextWindow(131_072, 64)) == 131_072


def test_gibibytes_have_one_decimal() -> None:
    assert gib(3 << 29) == "1.5 GiB"
