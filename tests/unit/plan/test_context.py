"""How long requests may be where the service leaves it open."""

from __future__ import annotations

import json

import pytest

from npuserve.api.conditions import Reason
from npuserve.api.serving import Context
from npuserve.models.catalogue import lookup
from npuserve.plan.context import lengths, window
from npuserve.plan.plan import Refusal
from tests.support.clusters import A2_64G, a_node, cluster
from tests.support.services import a_service, argument, planned, refused, said

CARD = cluster(a_node("huawei.com/Ascend310P", 1, labels={"node.kubernetes.io/npu.chip.name": "310P3"}))


def tried(path: str, **wish: int) -> tuple[int, ...] | Refusal:
    model = lookup(path)
    assert model is not None
    return lengths(Context(**wish), model, longest=model.max_context)


def test_the_default_is_what_the_model_was_made_for_and_at_most_32768() -> None:
    assert tried("Qwen/Qwen3-32B") == (32_768, 16_384, 8192, 4096)
    assert tried("LLM-Research/gemma-2-2b") == (8192, 4096)


def test_halving_ends_at_4096_exactly() -> None:
    assert tried("meta-llama/Llama-2-7b-hf") == (4096,)


def test_a_named_length_is_the_only_one_tried() -> None:
    assert tried("Qwen/Qwen3-32B", max_model_len=40_960) == (40_960,)


def test_a_length_beyond_the_models_own_is_refused_with_the_longest() -> None:
    answer = refused(a_service("pvc://w/meta-llama/Llama-2-7b-hf", context={"maxModelLen": 100_000}), cluster(A2_64G))
    assert (answer.reason, answer.field) == (Reason.CONTEXT_TOO_LONG, "spec.context.maxModelLen")
    assert "was made for 4,096 tokens, not 100,000; set 4096 or less" in answer.message


def test_a_model_whose_publisher_documents_it_is_stretched_to_the_length_that_is_asked_for() -> None:
    plan = planned(a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 131_072}), cluster(A2_64G))
    assert "4 times the 32,768 the model is made for by YaRN" in said(plan, "context")
    changes = json.loads(argument(plan, "--hf-overrides") or "{}")
    rope = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768, "rope_theta": 1_000_000}
    assert changes == {"rope_parameters": rope}


def test_a_length_the_model_was_made_for_is_not_stretched() -> None:
    plan = planned(a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 40_960}), cluster(A2_64G))
    assert argument(plan, "--hf-overrides") is None
    assert "YaRN" not in said(plan, "context")


def test_a_length_beyond_what_it_can_be_stretched_to_is_refused_with_both() -> None:
    answer = refused(a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 200_000}), cluster(A2_64G))
    assert (
        "was made for 40,960 tokens and can be stretched to 140,902, not 200,000; set 140902 or less" in answer.message
    )


def test_an_engine_that_reads_rope_settings_from_the_weights_only_stretches_nothing() -> None:
    asked = a_service("pvc://w/Qwen/Qwen3-8B", backend="mindie", context={"maxModelLen": 131_072})
    assert "set 40960 or less" in refused(asked, cluster(A2_64G)).message


def test_the_users_own_rope_settings_go_before_the_plans() -> None:
    own = {"rope_parameters": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32_768}}
    asked = a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 65_536}, engineArgs={"hf-overrides": own})
    assert (
        json.loads(argument(planned(asked, cluster(A2_64G)), "--hf-overrides") or "{}")["rope_parameters"]["factor"]
        == 2.0
    )
    longer = a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 131_072}, engineArgs={"hf-overrides": own})
    assert "set 65536 or less" in refused(longer, cluster(A2_64G)).message


def test_the_default_is_halved_until_a_layout_holds_it() -> None:
    plan = planned(a_service("pvc://w/Qwen/Qwen3-8B"), CARD)
    assert 4096 <= plan.context.max_model_len < 32_768
    assert f"{plan.context.max_model_len:,} tokens by default" in said(plan, "context")


def test_a_named_length_is_never_halved() -> None:
    answer = refused(a_service("pvc://w/Qwen/Qwen3-8B", context={"maxModelLen": 32_768}), CARD)
    assert answer.reason in (Reason.CONTEXT_TOO_LONG, Reason.MODEL_TOO_LARGE)


@pytest.mark.parametrize(("wish", "sequences"), [({}, 64), ({"max_sequences": 7}, 7)])
def test_the_number_of_requests_is_the_services_or_the_engines(wish: dict[str, int], sequences: int) -> None:
    assert window(Context(**wish), 4096, 64).max_sequences == sequences


def test_cards_work_on_fewer_requests_at_once() -> None:
    assert planned(a_service("pvc://w/Qwen/Qwen3-8B", backend="vllm-ascend"), CARD).context.max_sequences == 16
