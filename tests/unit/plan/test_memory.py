"""The budget of a device, against figures worked out by hand from a model's config.json."""

from __future__ import annotations

from npuserve.chips import MIB, by_id
from npuserve.engines import ENGINES
from npuserve.engines.contract import Choice as EngineChoice
from npuserve.engines.contract import ContextWindow, Footprint, Overhead, Parallelism
from npuserve.engines.weights import VolumeWeights
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
    footprint: Footprint | None = None,
) -> MemoryBudget:
    return budget(
        asked,
        split,
        context=ContextWindow(length, 64),
        utilization=utilization,
        overhead=overhead,
        footprint=footprint or Footprint(asked.scheme),
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
        choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G"), ONE, context=ContextWindow(32_768, 64), arguments={}, variables={}
    )
    hidden = 8192 * (8 * 4096 + 2 * 12288) * 2
    logits = 2 * 64 * 151936 * 4
    assert found == Overhead(activations=hidden + logits, communication=0, runtime=GIB // 2)


def test_an_int8_cache_holds_twice_the_tokens() -> None:
    asked = choice("Qwen/Qwen3-8B", "Atlas 800I A2 64G", "W8A8C8")
    found = of(asked, ONE, footprint=Footprint("W8A8C8", cache_bits=8))
    assert found.kv_cache_tokens == found.kv_cache // (QWEN3_8B_TOKEN // 2)


def test_the_prediction_head_takes_weights_and_a_layer_of_cache_where_it_is_loaded() -> None:
    asked = choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G", "W8A8")
    split = Parallelism(16, 1, 1, 16)
    plain, drafting = of(asked, split), of(asked, split, footprint=Footprint("W8A8", draft=True))
    assert drafting.weights > plain.weights
    assert drafting.kv_cache_tokens == drafting.kv_cache // (62 * (512 + 64) * 2)


def test_context_parallel_sparse_attention_keeps_all_heads_on_every_rank() -> None:
    asked = choice("zai-org/GLM-5.2", "Atlas 850 96G", "W4A8C8")
    split = Parallelism(8, 1, 1, 8)
    whole = of(asked, split, footprint=Footprint("W4A8C8", whole_attention=True))
    assert whole.weights - of(asked, split).weights > 7 * GIB


def test_the_files_of_a_model_hold_its_prediction_head_that_memory_does_not() -> None:
    model = lookup("deepseek-ai/DeepSeek-V3.1")
    assert model is not None
    assert model.mtp_layers
    without = of(choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G"), ONE).weights
    assert stored_bytes(model, "none") > without


def test_a_replica_is_useful_when_an_eighth_of_its_requests_fit_at_full_length() -> None:
    assert useful_tokens(ContextWindow(4096, 64)) == 8 * 4096
    assert useful_tokens(ContextWindow(8192, 128)) == 16 * 8192
    assert useful_tokens(ContextWindow(4096, 2)) == 4096
    assert useful_tokens(ContextWindow(32_768, 64)) == 180_000
    assert useful_tokens(ContextWindow(262_144, 64)) == 262_144


def test_gibibytes_have_one_decimal() -> None:
    assert gib(3 << 29) == "1.5 GiB"
