"""Memory that was measured on devices, beside what the planner works out for the same configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.chips import by_id
from npuserve.engines import find
from npuserve.engines.contract import Choice, ContextWindow, Parallelism
from npuserve.engines.weights import VolumeWeights
from npuserve.models.catalogue import lookup
from npuserve.models.memory import weight_bytes
from npuserve.models.quantization import SCHEMES
from npuserve.models.weights import Part, layer_weights
from npuserve.plan.memory import budget
from npuserve.plan.plan import MemoryBudget

GIB = 1 << 30
TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Anchor:
    """One measured figure and the planner's for it, in `unit`."""

    what: str
    measured: float
    worked_out: float
    unit: str
    source: str

    @property
    def error(self) -> float:
        return self.worked_out / self.measured - 1


def anchors() -> tuple[Anchor, ...]:
    """All figures whose model is in the catalogue and whose features the version has."""
    hunyuan = _budget(
        "tencent/Hunyuan-A13B-Instruct", "none", "Atlas 800I A2 64G", Parallelism(4, 1, 1, 1), utilization=0.9
    )
    glm, glm_spread = (_glm("W4A8C8", Parallelism(8, 1, 1, 8), spread=spread) for spread in (False, True))
    stages, stages_spread = (_glm("W8A8C8_MXFP8", Parallelism(8, 2, 1, 8), spread=spread) for spread in (False, True))
    small = _budget(
        "Qwen/Qwen3-14B", "none", "Atlas 800I A2 32G", Parallelism(1, 1, 1, 1), context=ContextWindow(4096, 64)
    )
    docs = "va@0.30.0rc2:docs/source"
    return (
        Anchor("Hunyuan-A13B BF16, TP4 on A2: weights per device", 37.46, hunyuan.weights / GIB, "GiB", f"{docs}/tutorials/models/Hunyuan-A13B-Instruct.md#L99"),
        Anchor("the same at 0.9: KV cache", 529_152, hunyuan.kv_cache_tokens, "tokens", f"{docs}/tutorials/models/Hunyuan-A13B-Instruct.md#L99"),
        Anchor("GLM-5.2 W4A8C8, TP8 EP8 on 950DT at 0.9, 32,768 tokens a step, DSA-CP, INT8 index keys: KV cache", 235_008, glm, "tokens", f"{docs}/user_guide/feature_guide/kvpp.md#L160"),
        Anchor("GLM-5.2 W8A8C8-MXFP8, TP8 PP2 on two nodes, otherwise the same: KV cache", 555_392, stages, "tokens", f"{docs}/user_guide/feature_guide/kvpp.md#L161"),
        Anchor("the same on one node with layers spread over ranks (enable_kvpp)", 1_467_904, glm_spread, "tokens", f"{docs}/user_guide/feature_guide/kvpp.md#L160"),
        Anchor("the same on two nodes with layers spread over ranks", 2_972_416, stages_spread, "tokens", f"{docs}/user_guide/feature_guide/kvpp.md#L161"),
        Anchor("Qwen3-14B BF16 on one device: weights", 27.5376, small.weights / GIB, "GiB", "vllm-ascend#9372"),
        Anchor("Qwen3.5-27B W8A8: all weights", 30, weight_bytes(_model("Qwen/Qwen3.5-27B"), SCHEMES["W8A8"]).total / 1e9, "GB", f"{docs}/tutorials/models/Qwen3.5-27B-Qwen3.6-27B.md#L485"),
        Anchor("Kimi-K3 W4A8: all weights", 1490, weight_bytes(_model("moonshotai/Kimi-K3"), SCHEMES["W4A8"]).total / 1e9, "GB", f"{docs}/tutorials/models/Kimi-K3.md#L29"),
        *(Anchor(f"DeepSeek-R1 W8A8, saved per device by a tensor size of 8: {what}", saved, worked_out() * 7 / 8 / GIB, "GiB", f"{docs}/user_guide/feature_guide/Fine_grained_TP.md#L104-L110")
          for what, saved, worked_out in _FINE_GRAINED),
    )  # fmt: skip


def _glm(scheme: str, split: Parallelism, *, spread: bool) -> int:
    """KV tokens of GLM-5.2 in the settings of the page: index keys in INT8, the latent cache in BF16."""
    arguments = {
        "max-num-batched-tokens": 32_768,
        "kv-cache-dtype": "bfloat16",
        "attention-config": {"indexer_kv_dtype": "int8"},
        "additional-config": {"enable_dsa_cp": True, "enable_kvpp": spread},
    }
    return _budget(
        "zai-org/GLM-5.2", scheme, "Atlas 850 96G", split, utilization=0.9, version="0.30.0rc2", context=ContextWindow(131_072, 12), arguments=arguments,
    ).kv_cache_tokens  # fmt: skip


def _model(path: str) -> Any:
    found = lookup(path)
    assert found is not None, path
    return found


def _budget(
    path: str,
    scheme: str,
    product: str,
    split: Parallelism,
    *,
    utilization: float = 0.92,
    version: str = "0.23.0",
    context: ContextWindow | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> MemoryBudget:
    engine, row = find("vllm-ascend"), by_id(product)
    assert engine is not None
    assert row is not None
    choice = Choice(_model(path), scheme, row, version, VolumeWeights("weights", path), "served")
    window, given = context or ContextWindow(32_768, 64), arguments or {}
    return budget(
        choice,
        split,
        context=window,
        utilization=utilization,
        overhead=engine.overhead(choice, split, context=window, arguments=given, variables={}),
        footprint=engine.footprint(choice, given),
    )


def _r1(part: str) -> Callable[[], int]:
    return lambda: int(getattr(weight_bytes(_model("deepseek-ai/DeepSeek-R1"), SCHEMES["W8A8"]), part))


def _r1_output_projections() -> int:
    model = _model("deepseek-ai/DeepSeek-R1")
    rows = [weight for weight in layer_weights(model.kinds[0], model.hidden_size) if weight.part is Part.ATTENTION]
    (projection,) = [weight for weight in rows if weight.parameters == 128 * 128 * 7168]
    return projection.parameters * model.layers


_FINE_GRAINED: tuple[tuple[str, float, Callable[[], int]], ...] = (
    ("output projections", 5.8, _r1_output_projections),
    ("output head", 1.51, _r1("lm_head")),
    ("dense feed-forward layers", 0.9, _r1("mlp")),
    ("embeddings", 1.51, _r1("embeddings")),
)
