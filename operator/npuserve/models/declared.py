"""What weights say about their own number format: `quantization_config` of config.json, MindIE's `quantize`, or
msmodelslim's quant_model_description.json.

Silence is None and means unknown. Sources: v@0.23.0:vllm/model_executor/layers/quantization/ (fp8.py,
compressed_tensors/, modelopt.py, awq.py, gptq.py, mxfp4.py),
va@0.23.0.post1:vllm_ascend/quantization/modelslim_config.py,
LLM:examples/atb_models/atb_llm/utils/quantize/quant_type.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod

from npuserve.models.facts import QuantizationFacts
from npuserve.models.fields import Fields, UnreadableError
from npuserve.models.quantization import FLOAT_BITS, PLAIN, QUANTIZED_PARTS, SCHEMES, normalise
from npuserve.models.weights import Part

# A list of exceptions covers a part when it names it for at least one layer in this many: hybrids have attention in
# every fourth layer.
_COVERS = 5
_MODULES = (
    (Part.LINEAR_ATTENTION, ("linear_attn", "linear_attn.out_proj")),
    (Part.SHARED_EXPERTS, ("shared_experts", "shared_expert", "shared_experts.down_proj", "shared_expert.down_proj")),
    (Part.ATTENTION, ("self_attn", "attn", "attention", "self_attn.o_proj", "attn.o_proj", "attention.o_proj")),
    (Part.MLP, ("mlp", "mlp.down_proj", "mlp.(gate|up|gate_up|down)_proj")),
)


def read_declared(config: Fields, text: Fields, layers: int) -> QuantizationFacts | None:
    """What a config.json says, at the top or in its language part; None when it says nothing."""
    table = next(
        (found for fields in (config, text) if (found := fields.table("quantization_config", "compression_config"))),
        None,
    )
    mindie = config.text("quantize")
    if mindie:
        return _plain("msmodelslim", normalise(mindie) or mindie.upper(), cache_bits=_cache_bits(table))
    if table is None:
        return None
    method = table.text("quant_method", "method").lower().replace("_", "-")
    algorithm = (table.text("quant_algo") or _nested_algorithm(table)).upper()
    if method == "fp8":
        return _block_fp8(config, text, table, layers)
    if method == "compressed-tensors":
        return _compressed_tensors(table, layers)
    if algorithm:
        return _modelopt(table, algorithm, layers)
    return _other(table, method, layers) if method else None


def read_quant_description(description: Mapping[str, object]) -> QuantizationFacts | None:
    """What msmodelslim's quant_model_description.json says: per-tensor types, the model's type and the cache's; None
    when it types nothing."""
    fields = Fields(description, {})
    kinds = _part_types(description)
    named = normalise(fields.text("model_quant_type"))
    found = [
        *(kind for kind in kinds.values() if kind != PLAIN),
        *([named] if named is not None and named != PLAIN else []),
    ]
    if not found:
        return None
    # The narrowest format names the model, as its publishers do: INT4 experts with INT8 attention are W4A8.
    scheme = min(found, key=lambda kind: (SCHEMES[kind].weight_bits, SCHEMES[kind].activation_bits))
    row = SCHEMES[scheme]
    cached = {fields.text("kv_quant_type").upper(), fields.text("kv_cache_type").upper()}
    quantized_cache = "C8" in cached or bool(fields.text("fa_quant_type"))
    name = f"{scheme}C8" if quantized_cache and f"{scheme}C8" in SCHEMES else scheme
    return QuantizationFacts(
        method="msmodelslim",
        scheme=name,
        bits_weights=row.weight_bits,
        bits_activations=row.activation_bits,
        bits_cache=8 if quantized_cache else row.kv_bits,
        group_size=_group(fields),
        parts=tuple(sorted((part.value, name if kind == scheme else kind) for part, kind in kinds.items())),
    )


def _part_types(description: Mapping[str, object]) -> dict[Part, str]:
    """The most frequent type of each quantizable part."""
    votes: dict[Part, Counter[str]] = {}
    for tensor, kind in description.items():
        part = _part_of(tensor) if isinstance(kind, str) and tensor.endswith(".weight") else None
        known = normalise(kind) if isinstance(kind, str) else None
        if part is not None and known is not None:
            votes.setdefault(part, Counter())[known] += 1
    return {part: counter.most_common(1)[0][0] for part, counter in votes.items()}


def _part_of(tensor: str) -> Part | None:
    if re.search(r"norm|kv_b_proj|indexer|mlp\.gate\.|_gate\.|visual|vision|(^|\.)mtp\.", tensor):
        return None
    for marker, part in (
        ("shared_expert", Part.SHARED_EXPERTS),
        (".experts.", Part.EXPERTS),
        ("linear_attn", Part.LINEAR_ATTENTION),
        ("self_attn", Part.ATTENTION),
        (".attn.", Part.ATTENTION),
        (".mlp.", Part.MLP),
        (".ffn.", Part.MLP),
    ):
        if marker in tensor:
            return part
    return None


def _block_fp8(config: Fields, text: Fields, table: Fields, layers: int) -> QuantizationFacts:
    """Block-FP8 checkpoints; DeepSeek-V4 and its re-quantizations keep experts in a 4-bit format beside it."""
    experts = {"fp4": "MXFP4", "NVFP4": "NVFP4"}.get(
        table.text("moe_quant_algo") or text.text("expert_dtype") or config.text("expert_dtype")
    )
    # The exceptions of such a re-quantization are those from NVFP4, not from FP8.
    parts = {} if experts == "NVFP4" else dict(_stated(table, layers, "FP8"))
    if experts is not None:
        parts[Part.EXPERTS.value] = experts
    return _plain("fp8", "FP8", group_size=prod(table.counts("weight_block_size") or (0,)), parts=parts.items())


def _compressed_tensors(table: Fields, layers: int) -> QuantizationFacts:
    weights, activations = _narrowest_group(table)
    bits = weights.count("num_bits", default=8) or 8
    inputs = activations.count("num_bits") if activations is not None else 0
    spelled = f"{table.text('format')} {weights.text('type')}"
    scheme = _float_scheme(spelled, bits) if weights.text("type") == "float" else f"W{bits}A{inputs or FLOAT_BITS}"
    return _plain(
        "compressed-tensors",
        scheme,
        bits=bits,
        activations=inputs or FLOAT_BITS,
        cache_bits=_cache_bits(table),
        group_size=_group(weights),
        parts=_stated(table, layers, scheme),
    )


def _narrowest_group(table: Fields) -> tuple[Fields, Fields | None]:
    groups = table.table("config_groups") or Fields({}, {})
    found = [
        (weights, group.table("input_activations"))
        for name in groups.values
        if (group := groups.table(name)) and (weights := group.table("weights"))
    ]
    return min(found, key=lambda pair: pair[0].count("num_bits", default=8), default=(Fields({}, {}), None))


def _float_scheme(spelled: str, bits: int) -> str:
    if bits > 4:
        return "MXFP8" if "mxfp" in spelled else "FP8"
    return "NVFP4" if "nvfp4" in spelled else "MXFP4"


def _modelopt(table: Fields, algorithm: str, layers: int) -> QuantizationFacts:
    cache = _cache_bits(table)
    if algorithm == "MIXED_PRECISION":
        # Mixed checkpoints keep routed experts in the 4-bit format and the rest in FP8.
        return _plain("modelopt", "FP8", cache_bits=cache, parts=[(Part.EXPERTS.value, "NVFP4")])
    scheme = "FP8" if algorithm.startswith("FP8") else normalise(algorithm) or algorithm
    return _plain(
        "modelopt",
        scheme,
        cache_bits=cache,
        group_size=_group(_narrowest_group(table)[0]),
        parts=_stated(table, layers, scheme),
    )


def _nested_algorithm(table: Fields) -> str:
    nested = table.table("quantization")
    return "" if nested is None else nested.text("quant_algo")


def _other(table: Fields, method: str, layers: int) -> QuantizationFacts:
    """AWQ, GPTQ, MXFP4, bitsandbytes and methods that no table here knows: bits as written, else the scheme's, else 8."""
    bits = table.count("bits", "w_bit", "num_bits", "weight_bits") or (8 if table.flag("load_in_8bit") else 0)
    scheme = normalise(method) or method.upper()
    return _plain(
        method,
        scheme,
        bits=bits,
        group_size=_group(table, "group_size", "q_group_size"),
        parts=_stated(table, layers, scheme),
    )


def _plain(
    method: str,
    scheme: str,
    *,
    bits: int = 0,
    activations: int = 0,
    cache_bits: int = FLOAT_BITS,
    group_size: int = 0,
    parts: Iterable[tuple[str, str]] = (),
) -> QuantizationFacts:
    row = SCHEMES.get(scheme)
    return QuantizationFacts(
        method=method,
        scheme=scheme,
        bits_weights=min(bits or (row.weight_bits if row else 8), FLOAT_BITS),
        bits_activations=min(activations or (row.activation_bits if row else FLOAT_BITS), FLOAT_BITS),
        bits_cache=min(cache_bits, row.kv_bits if row else FLOAT_BITS),
        group_size=group_size,
        parts=tuple(sorted(parts)),
    )


def _cache_bits(table: Fields | None) -> int:
    if table is None:
        return FLOAT_BITS
    scheme = table.table("kv_cache_scheme")
    if scheme is not None:
        return min(scheme.count("num_bits", default=FLOAT_BITS) or FLOAT_BITS, FLOAT_BITS)
    named = table.text("kv_cache_scheme", "kv_cache_quant_algo", "kv_quant_type", "kv_cache_type").upper()
    return 8 if named in {"FP8", "INT8", "C8"} else FLOAT_BITS


def _group(table: Fields, *names: str) -> int:
    """-1 and the like mean one scale per output channel."""
    try:
        return table.count(*(names or ("group_size",)))
    except UnreadableError:
        return 0


def _stated(table: Fields, layers: int, scheme: str) -> list[tuple[str, str]]:
    """The scheme of every part: plain for those the list of exceptions names, for all layers at once or one by one."""
    listed = table.texts("ignore") or table.texts("modules_to_not_convert") or table.texts("exclude_modules") or ()
    named: Counter[Part] = Counter()
    for pattern in listed:
        module = re.sub(r"re:|[\\*^$]", "", pattern).strip(".")
        part = next((part for part, endings in _MODULES if module.endswith(endings)), None)
        if part is not None:
            named[part] += 1 if re.search(r"\d", module) else layers
    plain = {part for part, count in named.items() if count * _COVERS >= layers}
    if named[Part.ATTENTION] >= layers:
        # Every layer's mixer goes by that name, linear ones too (Kimi Linear).
        plain.add(Part.LINEAR_ATTENTION)
    return [(part.value, PLAIN if part in plain else scheme) for part in QUANTIZED_PARTS]
