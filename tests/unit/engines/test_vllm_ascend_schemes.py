"""Number formats that vLLM on Ascend runs: by version, chip family and kind of model, from the kernels it registers."""

from __future__ import annotations

import pytest

from npuserve.chips import by_id
from npuserve.engines.arguments import load_table
from npuserve.engines.contract import Choice, Obstacle
from npuserve.engines.vllm_ascend import ENGINE
from npuserve.engines.vllm_ascend_schemes import runs
from npuserve.engines.weights import VolumeWeights
from npuserve.models.catalogue import lookup

DENSE, MIXTURE = "Qwen/Qwen3-32B", "Qwen/Qwen3-30B-A3B"


def obstacle(path: str, scheme: str, *, product: str = "Atlas 800I A2 64G", version: str = "0.23.0") -> Obstacle | None:
    model, row = lookup(path), by_id(product)
    assert model is not None
    assert row is not None
    return ENGINE.obstacle(Choice(model, scheme, row, version, VolumeWeights("w", path), "served"))


@pytest.mark.parametrize(
    ("path", "scheme", "product", "version", "possible"),
    [
        # Weight-only INT4 has kernels for experts, weight-only INT8 for linear layers.
        (DENSE, "W4A16", "Atlas 800I A2 64G", "0.23.0", False),
        (MIXTURE, "W4A16", "Atlas 800I A2 64G", "0.23.0", True),
        (DENSE, "W8A16", "Atlas 800I A2 64G", "0.23.0", True),
        (MIXTURE, "W8A16", "Atlas 800I A2 64G", "0.23.0", False),
        # INT4 weights with INT8 activations lost their linear kernels in 0.30.
        (DENSE, "W4A8", "Atlas 800I A3 64G", "0.23.0", True),
        (DENSE, "W4A8", "Atlas 800I A3 64G", "0.30.0rc2", False),
        (MIXTURE, "W4A8", "Atlas 800I A3 64G", "0.30.0rc2", True),
        # INT4 on both sides: linear layers everywhere, experts as microscaling on the 950 family.
        (DENSE, "W4A4", "Atlas 800I A2 64G", "0.23.0", True),
        (MIXTURE, "W4A4", "Atlas 800I A2 64G", "0.23.0", False),
        (MIXTURE, "W4A4", "Atlas 850 96G", "0.30.0rc2", True),
        # Microscaling formats on the 950 family only.
        (MIXTURE, "MXFP8", "Atlas 850 96G", "0.23.0", True),
        (MIXTURE, "MXFP8", "Atlas 800I A3 64G", "0.23.0", False),
        (MIXTURE, "W4A4C8_MXFP4", "Atlas 850 96G", "0.30.0rc2", True),
        # A quantized cache needs no kernel of the weights, but the cards have none for it.
        (DENSE, "W8A8C8", "Atlas 800I A3 64G", "0.30.0rc2", True),
        (DENSE, "W8A8C8", "Atlas 300I Duo 96G", "0.30.0rc2", False),
        # Sparse and compressed weights on the cards only, and for models without experts.
        (DENSE, "W8A8SC", "Atlas 300I Duo 96G", "0.23.0", True),
        (MIXTURE, "W8A8SC", "Atlas 300I Duo 96G", "0.23.0", False),
        (MIXTURE, "W8A8", "Atlas 300I Duo 96G", "0.23.0", True),
    ],
)  # fmt: skip
def test_a_format_runs_where_the_version_has_the_kernels_that_the_model_needs(
    path: str, scheme: str, product: str, version: str, *, possible: bool
) -> None:
    found = obstacle(path, scheme, product=product, version=version)
    assert (found is None) is possible
    assert found is None or found.about == "quantization"


def test_the_message_names_the_version_that_has_the_kernels() -> None:
    found = obstacle(DENSE, "W4A8", version="0.30.0rc2")
    assert found is not None
    assert found.message == (
        "W4A8 weights do not run on Atlas 800I A2 64G for a model without experts; 0.23.0, 0.18.0 does, set spec.backendVersion"
    )


def test_the_message_names_what_runs_where_no_version_has_them() -> None:
    found = obstacle(MIXTURE, "W8A16")
    assert found is not None
    assert "for a model with experts; for this model it runs none, W8A8, W4A8, W4A16" in found.message


@pytest.mark.parametrize(
    ("scheme", "instead"), [("AWQ", "compressed-tensors"), ("GGUF", "safetensors"), ("GPTQ", "msmodelslim")]
)
def test_formats_of_other_engines_are_refused_with_what_to_use(scheme: str, instead: str) -> None:
    found = obstacle(DENSE, scheme)
    assert found is not None
    assert instead in found.message


def test_plain_weights_need_no_kernel() -> None:
    model = lookup(DENSE)
    assert model is not None
    assert all(runs("none", model, load_table(ENGINE.name, version), generation="A2") for version in ENGINE.versions)
