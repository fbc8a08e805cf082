"""MindIE LLM's server: versions, capabilities, memory and launch through its config.json.

L = Ascend/MindIE-LLM 3.0.x. Every documented key of config.json is rendered, because the server dies on missing ones,
and laid at start over the file that the image carries, which knows the rest; the result is written by the server's own
user, because it refuses symlinks, foreign owners and modes above 0640 (L:src/utils/log/file_utils.cpp), which a mounted
file cannot meet. Since 3.1.0 the vendor maintains MindIE LLM without new features and recommends vLLM-Ascend
(L:docs/en/release_notes.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from npuserve.chips import Product
from npuserve.engines.activations import activation_bytes
from npuserve.engines.arguments import apply_config_paths, check_config_paths, check_environment, load_table
from npuserve.engines.contract import (
    FILES_DIR,
    Caution,
    Choice,
    ContextWindow,
    Fault,
    File,
    Footprint,
    HttpCheck,
    HubWeights,
    Launch,
    LaunchRequest,
    Literally,
    Obstacle,
    Overhead,
    OwnAddress,
    Parallelism,
    Variable,
)
from npuserve.engines.drain import drain_command
from npuserve.models.quantization import SCHEMES as FORMATS

NAME = "mindie"
STABLE = ("3.0.0",)

_MIB = 1 << 20
_GIB = 1 << 30
_PORT, _MANAGEMENT_PORT, _METRICS_PORT = 1025, 1026, 1027
_GAUGES = ("num_requests_running", "num_requests_waiting")
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

_OWNED = {
    "ServerConfig.ipAddress": "the replica's address is fixed",
    "ServerConfig.managementIpAddress": "the replica's address is fixed",
    "ServerConfig.port": "the ports are fixed; clients use the Service on port 8000",
    "ServerConfig.managementPort": "the ports are fixed",
    "ServerConfig.metricsPort": "the ports are fixed",
    "ServerConfig.allowAllZeroIpListening": "the replica's address is fixed",
    "ServerConfig.httpsEnabled": "TLS ends before the Service; certificates cannot be mounted into the installation",
    "ServerConfig.interCommTLSEnabled": "a replica runs on one node",
    "ServerConfig.interCommPort": "a replica runs on one node",
    "ServerConfig.inferMode": "a replica does prefill and decode",
    "ServerConfig.distDPServerEnabled": "a replica runs on one node",
    "BackendConfig.npuDeviceIds": "set spec.hardware.devices",
    "BackendConfig.modelInstanceNumber": "one instance per replica; set spec.replicas",
    "BackendConfig.multiNodesInferEnabled": "a replica runs on one node",
    "BackendConfig.multiNodesInferPort": "a replica runs on one node",
    "BackendConfig.interNodeTLSEnabled": "a replica runs on one node",
    "BackendConfig.kvPoolConfig": "it opens a path of the replica",
    "ModelDeployConfig.maxSeqLen": "set spec.context.maxModelLen",
    "ModelDeployConfig.LoraModules": "it opens paths of the replica",
    "ModelConfig.modelInstanceType": "a replica serves one model",
    "ModelConfig.modelName": "set spec.model.servedName",
    "ModelConfig.modelWeightPath": "set spec.model.uri",
    "ModelConfig.worldSize": "set spec.hardware.devices",
    "ModelConfig.tp": "set spec.parallelism.tensor",
    "ModelConfig.dp": "set spec.parallelism.data",
    "ModelConfig.pp": "set spec.parallelism.pipeline",
    "ModelConfig.moe_tp": "set spec.parallelism.expert",
    "ModelConfig.moe_ep": "set spec.parallelism.expert",
    "ModelConfig.cp": "the plan does not split contexts",
    "ModelConfig.sp": "the plan does not split contexts",
    "ScheduleConfig.maxBatchSize": "set spec.context.maxSequences",
}
_OWNED_VARIABLES = {
    "MIES_CONTAINER_IP": "the replica's address is fixed",
    "MIES_CONTAINER_MANAGEMENT_IP": "the replica's address is fixed",
    "MIES_CONFIG_JSON_PATH": "the plan writes the configuration",
    "MIES_INSTALL_PATH": "the image carries it",
    "MINDIE_LLM_HOME_PATH": "the image carries it",
    "MIES_SERVICE_MONITOR_MODE": "metrics are always on",
    "NPU_MEMORY_FRACTION": "the plan's memory budget rests on it",
    "RANK_TABLE_FILE": "a replica runs on one node",
    "RANKTABLEFILE": "a replica runs on one node",
    "WORLD_SIZE": "set spec.hardware.devices",
    "ASCEND_RT_VISIBLE_DEVICES": "the device plugin sets it",
    "MASTER_IP": "a replica runs on one node",
    "MASTER_PORT": "a replica runs on one node",
    "HOST_IP": "a replica runs on one node",
    "MINDIE_LOG_PATH": "it opens a path of the replica",
    "LOCAL_CACHE_DIR": "it opens a path of the replica",
    "MINDIE_CHECK_INPUTFILES_PERMISSION": "mounted weights cannot meet the owner checks",
}
_COPIED_MODEL = "/tmp/npuserve/model"  # noqa: S108  the replica's own scratch space


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
        return Footprint(scheme=choice.scheme, cache_bits=FORMATS[choice.scheme].kv_bits)

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
        tokens = _prefill_tokens(context, _given(choice, arguments))
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
        reserved = dict(_OWNED)
        if not remote_code:
            reserved["ModelConfig.trustRemoteCode"] = (
                "it runs code from the weights; the platform team opens it with allow.trustRemoteCode"
            )
        errors = [
            *check_config_paths(table, arguments, reserved),
            *check_environment(table, variables, _OWNED_VARIABLES, extra=("TZ",)),
        ]
        found = [Fault(error.kind, error.field, error.message) for error in errors]
        if not found:
            found += _contradictions(_given(choice, arguments))
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
            environment=tuple(_environment(request)),
            files=_files(request),
            port=_PORT,
            started=HttpCheck("/v1/models", _PORT),
            ready=HttpCheck("/v1/models", _PORT),
            alive=HttpCheck("/v2/health/live", _MANAGEMENT_PORT),
            drain=drain_command(f"env:MIES_CONTAINER_IP:{_METRICS_PORT}/metrics", request.drain_seconds, _GAUGES),
        )


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


def _given(choice: Choice, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The user's checked values by `Section.key`, however their paths are written."""
    fields = load_table(NAME, choice.version).fields
    tree = apply_config_paths(load_table(NAME, choice.version), arguments, tree={})
    found = {name: _at(tree, field.path) for name, field in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a place of the file; None where there is none."""
    node = tree
    for step in path:
        match node, step:
            case dict(), str():
                node = node.get(step)
            case list(), int() if step < len(node):
                node = node[step]
            case _:
                return None
    return node


def _contradictions(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Values that the server refuses together (L:docs/zh/user_guide/user_manual/service_parameter_configuration.md)."""
    if given.get("ScheduleConfig.maxPreemptCount", 0) and not given.get("ModelConfig.cpuMemSize", 0):
        yield Fault(
            "invalid",
            "spec.engineArgs.ScheduleConfig.maxPreemptCount",
            "preempted requests need host memory; set ModelConfig.cpuMemSize to some GB, or leave it at 0",
        )


def _longest_input(context: ContextWindow, given: Mapping[str, Any]) -> int:
    wanted: int = given.get("ModelDeployConfig.maxInputTokenLen", context.max_model_len)
    return min(wanted, context.max_model_len)


def _prefill_tokens(context: ContextWindow, given: Mapping[str, Any]) -> int:
    """ScheduleConfig.maxPrefillTokens: at least the longest input, or the server refuses its configuration; requests
    cut in parts (Mix) need no such room."""
    chosen: int = given.get("ScheduleConfig.maxPrefillTokens", 8192)
    return chosen if given.get("ScheduleConfig.templateType") == "Mix" else max(chosen, _longest_input(context, given))


def _configuration(request: LaunchRequest) -> dict[str, Any]:
    """The version's default file, the user's values, and the plan's over both."""
    table = load_table(NAME, request.choice.version)
    own = apply_config_paths(table, request.arguments)
    fitted = _fitted(request.context, _given(request.choice, request.arguments))
    return apply_config_paths(table, {**_planned(request), **fitted}, tree=own)


def _fitted(context: ContextWindow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are the user's, within what the sizes of the plan allow."""
    return {
        "ModelDeployConfig.maxInputTokenLen": _longest_input(context, given),
        "ScheduleConfig.maxPrefillTokens": _prefill_tokens(context, given),
        "ScheduleConfig.maxPrefillBatchSize": min(
            context.max_sequences, given.get("ScheduleConfig.maxPrefillBatchSize", 50)
        ),
        "ScheduleConfig.maxIterTimes": min(
            context.max_model_len, given.get("ScheduleConfig.maxIterTimes", context.max_model_len)
        ),
    }


def _planned(request: LaunchRequest) -> dict[str, Any]:
    split, context, choice = request.parallelism, request.context, request.choice
    planned: dict[str, Any] = {
        "ServerConfig.port": _PORT,
        "ServerConfig.managementPort": _MANAGEMENT_PORT,
        "ServerConfig.metricsPort": _METRICS_PORT,
        "ServerConfig.allowAllZeroIpListening": False,
        "ServerConfig.httpsEnabled": False,
        "ServerConfig.interCommTLSEnabled": False,
        "ServerConfig.inferMode": "standard",
        "ServerConfig.distDPServerEnabled": False,
        "BackendConfig.npuDeviceIds": [list(range(split.devices))],
        "BackendConfig.modelInstanceNumber": 1,
        "BackendConfig.multiNodesInferEnabled": False,
        "BackendConfig.interNodeTLSEnabled": False,
        "ModelDeployConfig.maxSeqLen": context.max_model_len,
        "ModelConfig.modelName": choice.served_name,
        "ModelConfig.modelWeightPath": _COPIED_MODEL if _rewrites_dtype(request) else choice.weights.path,
        "ModelConfig.worldSize": split.devices,
        "ModelConfig.tp": split.tensor,
        "ModelConfig.dp": split.data,
        "ScheduleConfig.maxBatchSize": context.max_sequences,
    }
    if choice.model.experts:
        planned["ModelConfig.moe_ep"] = split.expert
        planned["ModelConfig.moe_tp"] = split.devices // split.expert
    return planned


def _rewrites_dtype(request: LaunchRequest) -> bool:
    """The server takes the type from the weights' own config.json, so another type needs a changed copy of it."""
    return request.dtype != request.choice.model.dtype


def _files(request: LaunchRequest) -> tuple[File, ...]:
    start = _packaged("mindie-start.sh")
    dtype = request.dtype if _rewrites_dtype(request) else ""
    for mark, value in {"@FILES@": FILES_DIR, "@WEIGHTS@": request.choice.weights.path, "@DTYPE@": dtype}.items():
        start = start.replace(mark, value)
    return (
        File("config.json", json.dumps(_configuration(request), indent=2)),
        File("prepare.py", _packaged("mindie_prepare.py")),
        File("start.sh", start),
    )


def _packaged(name: str) -> str:
    return (resources.files("npuserve.engines") / "files" / name).read_text(encoding="utf-8")


def _environment(request: LaunchRequest) -> Iterator[Variable]:
    yield Variable("MIES_CONTAINER_IP", OwnAddress())
    yield Variable("MIES_CONTAINER_MANAGEMENT_IP", OwnAddress())
    yield Variable("MIES_SERVICE_MONITOR_MODE", Literally("1"))
    yield Variable("MINDIE_CHECK_INPUTFILES_PERMISSION", Literally("0"))
    yield Variable("NPU_MEMORY_FRACTION", Literally(str(request.utilization)))
    given = dict(request.variables)
    defaults = {"MINDIE_LOG_TO_STDOUT": "1", "OMP_NUM_THREADS": "1", "BIND_CPU": "1" if request.bind_cpus else "0"}
    for name, value in {**defaults, **given}.items():
        yield Variable(name, Literally(value))


ENGINE = Mindie()
