"""What is known of a model: its own files, else the catalogue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.plan.description import Description, describe, known
from npuserve.plan.plan import Refusal

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "max_position_embeddings": 40960,
    "torch_dtype": "bfloat16", "tie_word_embeddings": True,
}  # fmt: skip


def files(config: Any = CONFIG, **others: Any) -> dict[str, str]:
    return {"config.json": config if isinstance(config, str) else json.dumps(config), **others}


def described(given: dict[str, str]) -> Description:
    found = describe(given, name="own")
    assert isinstance(found, Description), found
    return found


def test_a_config_json_describes_a_model() -> None:
    facts = described(files()).facts
    assert facts is not None
    assert (facts.name, facts.architecture, facts.layers, facts.quantization) == ("own", "Qwen3ForCausalLM", 36, None)


def test_what_msmodelslim_wrote_says_the_scheme() -> None:
    stated = {"model_quant_type": "W8A8", "model.layers.0.mlp.up_proj.weight": "W8A8"}
    facts = described(files(**{"quant_model_description.json": json.dumps(stated)})).facts
    assert facts is not None
    assert facts.quantization is not None
    assert facts.quantization.scheme == "W8A8"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "there is no key config.json"),
        (files("{"), "config.json is no JSON"),
        (files("[1]"), "config.json is no JSON object"),
        (files({}), "config.json"),
        (files(**{"quant_model_description.json": "x"}), "quant_model_description.json is no JSON"),
    ],
)
def test_files_that_describe_nothing_are_refused_by_their_name(given: dict[str, str], told: str) -> None:
    answer = describe(given, name="own")
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == (Reason.MODEL_UNKNOWN, "spec.model.configMapRef")
    assert told in answer.message


def test_the_digest_changes_with_the_described_files_and_with_nothing_else() -> None:
    first = described(files())
    assert first.digest
    assert described(files(readme="x")).digest == first.digest
    assert described(files({**CONFIG, "num_hidden_layers": 35})).digest != first.digest


def test_the_catalogue_knows_models_and_listed_uploads_and_guesses_nothing() -> None:
    plain, upload = known("Qwen/Qwen3-32B"), known("vllm-ascend/Qwen3-32B-W8A8")
    assert plain.facts is not None
    assert upload.facts is not None
    assert upload.facts.quantization is not None
    assert (upload.facts.quantization.scheme, upload.facts.kinds) == ("W8A8", plain.facts.kinds)
    assert known("someone/Qwen3-32B-W8A8").facts is None
    assert plain.digest == ""
