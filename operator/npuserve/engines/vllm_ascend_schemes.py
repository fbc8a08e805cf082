"""Which number formats of weights vLLM on Ascend runs: the kernels that a version registers, against what a model needs.

A quantized model needs kernels for its linear layers and, where it has experts, for those; formats that leave the other
layers of a mixture in another format need that one's linear kernels (`models.quantization`). Microscaling formats run
on the 950 family only (va@0.30.0rc2:docs/source/user_guide/support_matrix/supported_models.md). Kernels by version: the
table's `schemes`.
"""

from __future__ import annotations

from collections.abc import Mapping

from npuserve.engines.argument_table import ArgumentTable
from npuserve.engines.contract import Choice, Obstacle
from npuserve.models.facts import ModelFacts
from npuserve.models.quantization import PLAIN, SCHEMES

_DENSE_CACHE = "C8"
_OWN_FP8 = "deepseek_v4"
"""The model type whose FP8 checkpoints have kernels of their own."""
_FAMILY = "950"
"""The one chip family with kernels for floating-point formats below 16 bits."""

# Format -> (types of its linear kernels, types of its expert kernels), as quant_model_description.json spells types.
_KERNELS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "W8A8": (frozenset({"W8A8", "W8A8_DYNAMIC", "W8A8_MIX"}), frozenset({"W8A8_DYNAMIC", "W8A8_MIX"})),
    "W8A16": (frozenset({"W8A16"}), frozenset()),
    "W4A8": (frozenset({"W4A8_DYNAMIC"}), frozenset({"W4A8_DYNAMIC"})),
    "W4A16": (frozenset(), frozenset({"W4A16"})),
    "W4A4": (frozenset({"W4A4_DYNAMIC", "W4A4_FLATQUANT_DYNAMIC"}), frozenset()),
    "W8A8S": (frozenset({"W8A8S"}), frozenset()),
    "W8A8SC": (frozenset({"W8A8SC"}), frozenset()),
}
_KERNELS_950: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    # Published W4A4 weights for this family hold microscaling experts (va@0.30.0rc2:docs/source/tutorials/models/GLM5.md).
    "W4A4": (frozenset({"W4A4_DYNAMIC", "W4A4_MXFP4"}), frozenset({"W4A4_MXFP4"})),
    "MXFP8": (frozenset({"W8A8_MXFP8"}), frozenset({"W8A8_MXFP8"})),
    "MXFP4": (frozenset(), frozenset({"W4A16_MXFP4"})),
    "W4A8_MXFP": (frozenset({"W4A8_MXFP"}), frozenset({"W4A8_MXFP"})),
    "W4A4_MXFP4": (frozenset({"W4A4_MXFP4"}), frozenset({"W4A4_MXFP4"})),
    "FP8": (frozenset({"W8A8FP8_DYNAMIC", "fp8"}), frozenset({"W8A8FP8_DYNAMIC", "fp8"})),
}
_WITHOUT_CACHE = {"W4A4C8_MXFP4": "W4A4_MXFP4", "W8A8C8_MXFP8": "MXFP8"}
_INSTEAD: Mapping[str, str] = {
    "AWQ": "use W4A16 weights in compressed-tensors format, or W8A8 weights made with msmodelslim",
    "GPTQ": "use W4A16 weights in compressed-tensors format, or W8A8 weights made with msmodelslim",
    "GGUF": "use the model's safetensors weights; no engine for GGUF is there yet",
    "BITSANDBYTES": "use W8A8 or W4A8 weights made with msmodelslim",
    "FP8": "use the model's BF16 weights, or W8A8 weights made with msmodelslim",
}


def scheme_obstacle(choice: Choice, table: ArgumentTable, others: Mapping[str, ArgumentTable]) -> Obstacle | None:
    """Why the weights do not run with this version on this product; `others` are the tables of the engine's other
    versions, which the message names where they have the kernels."""
    scheme, product, model = choice.scheme, choice.product, choice.model
    if runs(scheme, model, table, generation=product.generation):
        return None
    having = [version for version, other in others.items() if runs(scheme, model, other, generation=product.generation)]
    known = [name for name in SCHEMES if runs(name, model, table, generation=product.generation)]
    elsewhere = f"{', '.join(having)} does, set spec.backendVersion" if having else ""
    instead = elsewhere or _INSTEAD.get(scheme, f"for this model it runs {', '.join(known)}")
    return Obstacle(
        "quantization", f"{scheme} weights do not run on {product.id}{_why(scheme, model, known)}; {instead}"
    )


def runs(scheme: str, model: ModelFacts, table: ArgumentTable, *, generation: str) -> bool:
    """Whether a version has all kernels that weights of that format need on a chip family."""
    if scheme == PLAIN:
        return True
    if scheme == "FP8" and generation != _FAMILY:
        return _reads_fp8(model, table, generation)
    base = _base(scheme)
    kernels = (_KERNELS | _KERNELS_950 if generation == _FAMILY else _KERNELS).get(base)
    if kernels is None or (base != scheme and generation in table.schemes):
        return False
    if scheme == "FP8" and model.model_type == _OWN_FP8:
        return "ds_linear" in table.schemes.get("", {})
    linear, experts = kernels
    registered = table.schemes.get(generation) or table.schemes.get("", {})
    if not model.experts:
        return bool(linear & registered.get("linear", frozenset()))
    return bool(experts & registered.get("moe", frozenset())) and _others_run(base, table, generation=generation)


def _others_run(base: str, table: ArgumentTable, *, generation: str) -> bool:
    """Whether the layers of a mixture that are no experts run: in the format the publisher's tool gives them."""
    elsewhere = SCHEMES[base].elsewhere
    if elsewhere == PLAIN:
        return True
    kernels = (_KERNELS | _KERNELS_950)[elsewhere or base][0]
    registered = table.schemes.get(generation) or table.schemes.get("", {})
    return bool(kernels & registered.get("linear", frozenset()))


def _base(scheme: str) -> str:
    """The format without its quantized cache, which needs no kernel of the weights."""
    if scheme in _WITHOUT_CACHE:
        return _WITHOUT_CACHE[scheme]
    return scheme.removesuffix(_DENSE_CACHE) if scheme.endswith(_DENSE_CACHE) else scheme


def _reads_fp8(model: ModelFacts, table: ArgumentTable, generation: str) -> bool:
    """FP8 checkpoints beside the 950 family: where a version unpacks them to BF16 while loading
    (va@0.30.0rc2:vllm_ascend/quantization/methods/w8a8/fp8_block.py). DeepSeek-V4's own kind is read as a microscaling
    format (methods/fp8.py), which that family alone computes in."""
    if generation in table.schemes or model.model_type == _OWN_FP8:
        return False
    return "fp8" in table.schemes.get("", {}).get("linear", frozenset())


def unpacks_fp8(choice: Choice) -> bool:
    """Whether FP8 weights lie in memory as BF16."""
    return choice.scheme == "FP8" and choice.product.generation != _FAMILY


def _why(scheme: str, model: ModelFacts, known: list[str]) -> str:
    """What of the model asks for kernels that are not there, where another model of the format would run."""
    return f" for a model {'with' if model.experts else 'without'} experts" if scheme in _KERNELS and known else ""
