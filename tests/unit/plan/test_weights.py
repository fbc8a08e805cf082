"""What a service claims of its weights against what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.api.conditions import Reason
from npuserve.models.facts import ModelFacts, QuantizationFacts
from npuserve.plan.description import known
from npuserve.plan.plan import Refusal
from npuserve.plan.weights import Scheme, decide_scheme
from tests.support.clusters import A3, cluster
from tests.support.services import a_service, argument, planned


def facts(path: str) -> ModelFacts:
    found = known(path).facts
    assert found is not None
    return found


def decided(claim: str, path: str) -> Scheme | Refusal:
    return decide_scheme(claim, facts(path), path)


SILENT, FP8, UPLOAD = "Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-V3.1", "vllm-ascend/Qwen3-32B-W8A8"


@pytest.mark.parametrize("claim", ["auto", "", "AUTO"])
@pytest.mark.parametrize(("path", "scheme"), [(SILENT, "none"), (FP8, "FP8"), (UPLOAD, "W8A8")])
def test_auto_is_what_the_weights_say_and_silence_is_full_precision(claim: str, path: str, scheme: str) -> None:
    found = decided(claim, path)
    assert isinstance(found, Scheme)
    assert found.name == scheme


@pytest.mark.parametrize(
    ("claim", "scheme"),
    [("W8A8", "W8A8"), ("w8a8-dynamic", "W8A8"), ("bf16", "none"), ("W4A8", "W4A8"), ("none", "none")],
)
def test_a_claim_about_silent_weights_is_believed(claim: str, scheme: str) -> None:
    found = decided(claim, SILENT)
    assert isinstance(found, Scheme)
    assert (found.name, "as the service claims" in found.reason) == (scheme, True)


def test_a_claim_that_the_weights_confirm_is_taken() -> None:
    found = decided("fp8", FP8)
    assert isinstance(found, Scheme)
    assert found.name == "FP8"


@pytest.mark.parametrize(
    ("claim", "path", "told"),
    [("none", FP8, "are FP8"), ("W4A8", UPLOAD, "are W8A8"), ("W8A8", FP8, "name weights that are W8A8")],
)
def test_a_claim_against_the_weights_is_refused_with_both_facts(claim: str, path: str, told: str) -> None:
    answer = decided(claim, path)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == (Reason.QUANTIZATION_MISMATCH, "spec.quantization")
    assert told in answer.message


def test_a_published_upload_in_the_wanted_scheme_is_offered_and_nothing_is_swapped() -> None:
    answer = decided("W4A8", "zai-org/GLM-5-FP8")
    assert isinstance(answer, Refusal)
    assert "set quantization to FP8 or auto" in answer.message


def test_a_config_kept_from_the_model_the_weights_were_made_from_does_not_contradict_the_tools_format() -> None:
    found = decide_scheme("W8A8", facts(FP8), "team/DeepSeek-V3.1-w8a8")
    assert isinstance(found, Scheme)
    assert (found.name, found.inherited) == ("W8A8", True)
    assert "config.json says FP8" in found.reason
    assert "give their quant_model_description.json" in found.reason


def test_such_weights_are_planned_and_started_as_the_tool_made_them() -> None:
    asked = a_service("pvc://w/team/DeepSeek-V3.1-w8a8", facts=facts(FP8), quantization="W8A8")
    plan = planned(asked, cluster(A3))
    assert argument(plan, "--quantization") == "ascend"
    assert plan.quantization == "W8A8"


@pytest.mark.parametrize(("claim", "path"), [("none", "team/own"), ("AWQ", "team/own"), ("W8A8", FP8)])
def test_other_claims_against_a_config_are_refused(claim: str, path: str) -> None:
    assert isinstance(decide_scheme(claim, facts(FP8), path), Refusal)


def test_what_the_tool_itself_wrote_is_believed_against_the_claim() -> None:
    described = replace(facts(SILENT), quantization=QuantizationFacts("msmodelslim", "W8A8", 8, 8))
    assert isinstance(decide_scheme("W4A8", described, "team/own"), Refusal)


def test_an_unknown_scheme_is_refused_with_those_there_are() -> None:
    answer = decided("W3A3", SILENT)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_QUANTIZATION, "spec.quantization")
    assert "W8A8SC" in answer.message


def test_the_reason_says_who_says_so() -> None:
    listed, own = decided("auto", UPLOAD), decided("auto", FP8)
    assert isinstance(listed, Scheme)
    assert isinstance(own, Scheme)
    assert "the catalogue lists this upload" in listed.reason
    assert "the model's own files say" in own.reason
