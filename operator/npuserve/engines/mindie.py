"""MindIE LLM's server: versions, capabilities and memory.

L = Ascend/MindIE-LLM 3.0.x. Since 3.1.0 the vendor maintains MindIE LLM without new features and recommends vLLM-Ascend
(L:docs/en/release_notes.md). What users may set is in `mindie_reserved`, its config.json in `mindie_launch`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from npuserve.chips import Product
from npuserve.engines import mindie_launch as launching
from npuserve.engines.activations import activation_bytes
from npuserve.engines.arguments import check_config_paths, check_environment, load_table
from npuserve.engines.contract import (
    Caution,
    Choice,
    ContextWindow,
    Fault,
    Footprint,
    LaunchRequest,
    Obstacle,
    Overhead,
    Parallelism,
)
from npuserve.engines.drain import Busy, drain_command
from npuserve.engines.launch import FILES_DIR, HttpCheck, Launch
from npuserve.engines.metric_source import MetricSource
from npuserve.engines.mindie_launch import NAME
from npuserve.engines.mindie_metrics import SOURCE
from npuserve.engines.mindie_reserved import OWNED, OWNED_VARIABLES, contradictions
from npuserve.engines.weights import HubWeights
from npuserve.models.quantization import SCHEMES

STABLE = ("3.0.0",)

_MIB = 1 << 20
_GIB = 1 << 30
_BUSY = Busy(
    gauges=(SOURCE.running, *SOURCE.waiting),
    counters=("request_received_total",),
)
"""Its HTTP library closes idle connections after 5 s (L:src/server/endpoint/http_wrapper/http_server.cpp leaves the
default of cpp-httplib)."""
_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,254}[A-Za-z0-9])?$")
_MEMORY_FRACTION = 0.8
"""NPU_MEMORY_FRACTION's default (L:docs/zh/user_guide/user_manual/environment_variable.md); communication and torch
memory live in the rest."""

# Tags seen in public use; AscendHub needs a login, so a pull secret or a mirror belongs to them. No A3 tag of this
# version was seen.
_IMAGES = {
    ("3.0.0", "A2"): "swr.cn-south-1.myhuaweicloud.com/ascendhub/mindie:3.0.0-800I-A2-py311-openeuler24.03-lts",
    ("3.0.0", "310P"): "swr.cn-south-1.myhuaweicloud.com/ascendhub/mindie:3.0.0-300I-Duo-py311-openeuler24.03-lts",
}
_PRODUCTS = (
    "Atlas 800I A2 64G",
    "Atlas 800I A2 32G",
    "Atlas 800I A3 64G",
    "Atlas 800T A3 64G",
    "Atlas 900 A3 SuperPoD 64G",
    "Atlas 300I Duo 96G",
)

_SERVERS = frozenset({"A2", "A3"})
_ALL = _SERVERS | {"310P"}
# L:docs/zh/user_guide/model_support_list.md, by the model_type of each listed model's config.json.
_MODEL_TYPES: Mapping[str, frozenset[str]] = {
    "qwen2": _ALL, "qwen3": _ALL, "qwen3_moe": _ALL, "llama": _ALL, "chatglm": _ALL, "baichuan": _ALL, "bloom": _ALL, "telechat": _ALL,
    "internlm2": frozenset({"A2", "310P"}), "qwen2_vl": _SERVERS, "qwen2_5_vl": _ALL, "qwen3_vl": frozenset({"A2", "310P"}),
    "qwen3_vl_moe": frozenset({"A2", "310P"}), "llava": _ALL, "llava_next": _ALL, "llava_next_video": _ALL, "minicpmv": frozenset({"A2", "310P"}),
    "minicpm": frozenset({"A2"}), "mixtral": frozenset({"A2"}), "mllama": _SERVERS, "internvl_chat": _SERVERS, "deepseek_v2": _SERVERS,
    "deepseek_v3": _SERVERS, "deepseek_v32": _SERVERS, "kimi_k2": _SERVERS, "ernie4_5_moe": _SERVERS,
}  # fmt: skip
_LATENT_QUANTIZED = frozenset({"deepseek_v3", "deepseek_v32", "kimi_k2"})
# L:docs/zh/user_guide/feature/quantization.md and examples/atb_models/atb_llm/utils/quantize/quant_type.py.
_SCHEMES: Mapping[str, frozenset[str]] = {
    "A2": frozenset({"none", "W8A8", "W8A16", "W8A8C8"}),
    "A3": frozenset({"none", "W8A8"}),
    "310P": frozenset({"none", "W8A8", "W8A8S", "W8A8SC", "W16A16S", "W16A16SC"}),
}


class Mindie:
    """The engine of that name."""

    name = NAME
    versions = STABLE
    stable = STABLE
    pads_heads = True

    def obstacle(self, choice: Choice) -> Obstacle | None:
        product, model = choice.product, choice.model
        if product.id not in _PRODUCTS:
            return Obstacle("hardware", f"{product.id} is not on its product list: {', '.join(_PRODUCTS)}")
        if isinstance(choice.weights, HubWeights):
            return Obstacle(
                "source",
                "it needs the weights as files; copy them to a volume claim and use pvc://CLAIM/PATH, or use an engine that downloads",
            )
        if not _NAME.match(choice.served_name):
            return Obstacle(
                "served-name",
                f"{choice.served_name!r} is no name it serves; use letters, digits, dots, dashes and underscores",
            )
        generations = _MODEL_TYPES.get(model.model_type, frozenset())
        if model.task != "generate" or product.generation not in generations:
            return Obstacle("model", f"{model.model_type} models are not on its support list for {product.id}")
        return _scheme_obstacle(choice)

    def footprint(self, choice: Choice, arguments: Mapping[str, Any]) -> Footprint:
        return Footprint(scheme=choice.scheme, cache_bits=SCHEMES[choice.scheme].kv_bits)

    def longest_context(self, choice: Choice, arguments: Mapping[str, Any]) -> int:
        """The model's own: the server reads rope settings from the weights' files only."""
        return choice.model.max_context

    def caution(self, product: Product, version: str) -> Caution | None:
        return Caution(
            "maintenance", "its vendor maintains it without new features since 3.1.0 and recommends another engine"
        )

    def image(self, product: Product, version: str, *, os: str) -> str | None:
        return _IMAGES.get((version, product.generation))

    def tensor_obstacle(self, choice: Choice, parallelism: Parallelism, *, named: bool) -> str | None:
        """Sizes that divide the key-value heads are the advised ones; the vendor's chat tests ran larger powers of two too
        (L:examples/atb_models/examples/models/qwen/README.md, the matrix and the note below it)."""
        heads, tensor = choice.model.kv_heads, parallelism.tensor
        if parallelism.pipeline > 1:
            return f"{NAME} runs without pipeline parallelism here"
        tested = named and tensor.bit_count() == 1
        if heads > 1 and heads % tensor and not tested:
            return (
                f"{NAME} needs a tensor parallel size that divides the {heads} key-value heads, which {tensor} does not"
            )
        return None

    def spreads_data(self, choice: Choice) -> bool:
        return bool(choice.model.kv_lora_rank and choice.model.experts)

    def utilization(self, version: str, arguments: Mapping[str, Any]) -> float:
        return _MEMORY_FRACTION

    def overhead(
        self,
        choice: Choice,
        parallelism: Parallelism,
        *,
        context: ContextWindow,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> Overhead:
        """Communication buffers lie outside the fraction that the budget counts."""
        tokens = launching.prefill_tokens(context, launching.values_given(choice, arguments))
        passing = activation_bytes(
            choice.model, tokens=tokens, sequences=context.max_sequences, tensor=parallelism.tensor
        )
        return Overhead(activations=passing, communication=0, runtime=_GIB // 2)

    def default_sequences(self, choice: Choice) -> int:
        return 32 if choice.product.generation == "310P" else 64

    def faults(
        self,
        choice: Choice,
        *,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
        api_key: bool,
        remote_code: bool,
    ) -> tuple[Fault, ...]:
        table = load_table(NAME, choice.version)
        reserved = dict(OWNED)
        if not remote_code:
            reserved["ModelConfig.trustRemoteCode"] = (
                "it runs code from the weights; the platform team opens it with allow.trustRemoteCode"
            )
        errors = [
            *check_config_paths(table, arguments, reserved),
            *check_environment(table, variables, OWNED_VARIABLES, extra=("TZ",)),
        ]
        found = [Fault(error.kind, error.field, error.message) for error in errors]
        if not found:
            found += contradictions(launching.values_given(choice, arguments))
        if api_key:
            found.append(
                Fault(
                    "auth",
                    "spec.auth.apiKeySecretRef",
                    "it checks no API keys; put a gateway in front of the Service, or leave the field out",
                )
            )
        return tuple(found)

    def shared_memory(self, parallelism: Parallelism) -> int:
        """1 GiB, and about half a GiB per data-parallel rank (L:docs/zh/user_guide/install/source/image_usage_guide.md:
        DP16 needs 9)."""
        return (1 + (parallelism.data + 1) // 2) * _GIB

    def launch(self, request: LaunchRequest) -> Launch:
        return Launch(
            command=("/bin/bash", f"{FILES_DIR}/start.sh"),
            args=(),
            environment=tuple(launching.environment(request)),
            files=launching.files(request),
            port=launching.PORT,
            started=HttpCheck("/v1/models", launching.PORT),
            ready=HttpCheck("/v1/models", launching.PORT),
            alive=HttpCheck("/v2/health/live", launching.MANAGEMENT_PORT),
            drain=drain_command(f"env:MIES_CONTAINER_IP:{SOURCE.port}{SOURCE.path}", request.drain_seconds, _BUSY),
        )

    def metrics(self, version: str) -> MetricSource:
        return SOURCE


def _scheme_obstacle(choice: Choice) -> Obstacle | None:
    known = _SCHEMES[choice.product.generation]
    if (
        choice.scheme == "W4A8"
        and choice.product.generation in _SERVERS
        and choice.model.model_type in _LATENT_QUANTIZED
    ):
        return None
    if choice.scheme in known:
        return None
    return Obstacle(
        "quantization",
        f"{choice.scheme} weights do not run on {choice.product.id}; it reads {', '.join(sorted(known))} as msmodelslim makes them",
    )


ENGINE = Mindie()
