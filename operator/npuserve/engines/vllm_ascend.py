"""vLLM with the Ascend plugin: versions, capabilities, memory and launch.

Notation of sources: va@V:path is the PyPI package vllm-ascend V, v@V:path the package vllm V. Launch facts: the
platform plugin activates itself, the image's entry point sources the CANN environment, so only arguments are given
(va@0.23.0.post1:Dockerfile, va@0.30.0rc2:docs/source/getting_started/installation.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from npuserve.chips import Product
from npuserve.engines.activations import activation_bytes
from npuserve.engines.arguments import (
    ArgumentError,
    canonical_arguments,
    check_arguments,
    check_environment,
    flag_default,
    load_table,
    render_flags,
)
from npuserve.engines.contract import (
    CACHE_DIR,
    SERVICE_PORT,
    Choice,
    ContextWindow,
    Fault,
    HttpCheck,
    HubWeights,
    Launch,
    LaunchRequest,
    Literally,
    Obstacle,
    Overhead,
    Parallelism,
    Variable,
)
from npuserve.engines.drain import drain_command

NAME = "vllm-ascend"
STABLE = ("0.23.0", "0.18.0")
PRERELEASES = ("0.30.0rc2",)

_MIB = 1 << 20
_GIB = 1 << 30
_GAUGES = ("vllm:num_requests_running", "vllm:num_requests_waiting")

# va@0.23.0.post1:docs/source/user_guide/feature_guide/quantization.md and vllm_ascend/quantization/methods; 310P:
# vllm_ascend/_310p/quantization.
_INT = frozenset({"none", "W8A8", "W8A16", "W4A8", "W4A16", "W4A4", "W8A8C8", "W8A16C8", "W4A8C8", "W4A4C8"})
_SCHEMES: Mapping[str, frozenset[str]] = {
    "A2": _INT,
    "A3": _INT,
    "310P": frozenset({"none", "W8A8", "W8A8S", "W8A8SC"}),
    "950": _INT | {"FP8", "MXFP8", "MXFP4", "W4A8_MXFP", "W4A4_MXFP4"},
}
_INSTEAD: Mapping[str, str] = {
    "AWQ": "use W4A16 weights in compressed-tensors format, or W8A8 weights made with msmodelslim",
    "GPTQ": "use W4A16 weights in compressed-tensors format, or W8A8 weights made with msmodelslim",
    "GGUF": "use the model's safetensors weights; no engine for GGUF is there yet",
    "BITSANDBYTES": "use W8A8 or W4A8 weights made with msmodelslim",
    "FP8": "use the model's BF16 weights, or W8A8 weights made with msmodelslim",
}
_RELEASES = {"0.18.0": "v0.18.0", "0.23.0": "v0.23.0", "0.30.0rc2": "v0.30.0rc2"}
_BATCHED_TOKENS = {"310P": 4096}
_DEFAULT_BATCHED_TOKENS = 8192
_SEQUENCES = {"310P": 16}
_DEFAULT_SEQUENCES = 64

_OWNED = {
    "host": "the address is fixed; clients use the Service on port 8000",
    "port": "the port is fixed; clients use the Service on port 8000",
    "uds": "clients use the Service on port 8000",
    "grpc": "clients use the Service on port 8000",
    "disable-log-stats": "draining and scaling read the metrics",
    "device-ids": "the device plugin chooses the devices",
    "headless": "a replica always answers requests",
    "api-server-count": "one server answers for a replica",
    "model": "set spec.model.uri",
    "served-model-name": "set spec.model.servedName",
    "revision": "set spec.model.revision",
    "dtype": "the plan derives it from the model and the chip",
    "quantization": "set spec.quantization",
    "quantization-config": "set spec.quantization",
    "load-format": "the plan derives it from the quantization",
    "tensor-parallel-size": "set spec.parallelism.tensor",
    "pipeline-parallel-size": "set spec.parallelism.pipeline",
    "data-parallel-size": "set spec.parallelism.data",
    "enable-expert-parallel": "set spec.parallelism.expert",
    "max-model-len": "set spec.context.maxModelLen",
    "max-num-seqs": "set spec.context.maxSequences",
    "shutdown-timeout": "the platform team sets shutdownSeconds in the configuration",
    "block-size": "the chip fixes it at 128",
    "prefill-context-parallel-size": "the plan does not split contexts",
    "decode-context-parallel-size": "the plan does not split contexts",
}
_MULTI_NODE = (
    "data-parallel-size-local", "data-parallel-start-rank", "data-parallel-rank", "data-parallel-address", "data-parallel-rpc-port",
    "data-parallel-backend", "data-parallel-hybrid-lb", "data-parallel-external-lb", "data-parallel-multi-port-external-lb",
    "data-parallel-supervisor-port", "nnodes", "node-rank", "master-addr", "master-port", "distributed-executor-backend", "enable-elastic-ep",
    "elastic-ep-max-dp-size",
)  # fmt: skip
_KEYS = (
    "api-key",
    "hf-token",
    "ssl-keyfile",
    "ssl-certfile",
    "ssl-ca-certs",
    "ssl-cert-reqs",
    "ssl-ciphers",
    "enable-ssl-refresh",
)
_CODE = (
    "middleware", "worker-cls", "worker-extension-cls", "scheduler-cls", "logits-processors", "tool-parser-plugin", "reasoning-parser-plugin",
    "io-processor-plugin", "model-class-overrides", "kv-transfer-config", "ec-transfer-config", "ec-manager-config", "kv-events-config",
    "weight-transfer-config", "compilation-config.backend", "compilation-config.inductor_passes", "structured-outputs-config.reasoning_parser_plugin",
)  # fmt: skip
_PATHS = (
    "allowed-local-media-path", "allowed-media-domains", "download-dir", "config", "log-config-file", "lora-modules", "tokenizer", "tokenizer-revision",
    "hf-config-path", "code-revision", "generation-config", "profiler-config", "root-path", "tool-server", "default-mm-loras", "spec-model",
    "mm-encoder-fp8-scale-path", "mm-encoder-fp8-scale-save-path", "compilation-config.cache_dir", "compilation-config.debug_dump_path",
    "speculative-config.draft_load_config", "speculative-config.draft_model_config", "speculative-config.target_model_config",
    "additional-config.dump_config", "additional-config.dump_config_path", "additional-config.ascend_log_path",
    "additional-config.eplb_config.expert_map_path", "additional-config.eplb_config.expert_map_record_path",
)  # fmt: skip

_OWNED_VARIABLES = {
    "VLLM_API_KEY": "set spec.auth.apiKeySecretRef",
    "VLLM_HOST_IP": "the replica's address is fixed",
    "VLLM_PORT": "the port is fixed",
    "VLLM_PLUGINS": "it chooses code to import",
    "VLLM_SERVER_DEV_MODE": "it opens control endpoints to every client",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "it opens local paths to every client",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "it lets requests run code",
    "VLLM_USE_MODELSCOPE": "set spec.model.uri to modelscope:// or hf://",
    "VLLM_ENGINE_READY_TIMEOUT_S": "the plan derives it from the size of the weights",
    "VLLM_ASSETS_CACHE": "it opens a local path",
    "VLLM_MEDIA_CACHE": "it opens a local path",
    "VLLM_USAGE_STATS_SERVER": "it sends reports to an address",
    "LOCAL_WORLD_SIZE": "the ranks of a replica are the plan's",
    "VLLM_DP_SIZE": "the ranks of a replica are the plan's",
    "VLLM_VERSION": "it misleads the plugin about the engine",
    "SOC_VERSION": "the image carries it",
}
# What the end of a name tells of a variable, for the many that differ between versions.
_TELLING_ENDS = {
    "it opens a local path or loads a library": ("_PATH", "_DIR", "_FOLDER", "_ROOT"),
    "the addresses and ports of a replica are fixed": (
        "_IP",
        "_IPS",
        "_HOST",
        "_HOSTNAME",
        "_PORT",
        "_ADDR",
        "_MASTER",
        "_URL",
    ),
    "the ranks of a replica are the plan's": ("_RANK", "_RANK_LOCAL"),
    "the device plugin sets it": ("_VISIBLE_DEVICES",),
    "keys never go into variables": ("_KEY", "_KEY_ID"),
}
_PLATFORM_VARIABLES = (
    "ASCEND_GLOBAL_LOG_LEVEL", "ASCEND_SLOG_PRINT_TO_STDOUT", "CPU_AFFINITY_CONF", "HCCL_BUFFSIZE", "HCCL_CONNECT_TIMEOUT", "HCCL_DETERMINISTIC",
    "HCCL_EXEC_TIMEOUT", "HCCL_INTRA_PCIE_ENABLE", "HCCL_INTRA_ROCE_ENABLE", "HCCL_OP_EXPANSION_MODE", "HF_ENDPOINT", "HF_HUB_OFFLINE",
    "MODELSCOPE_DOMAIN", "OMP_NUM_THREADS", "OMP_PROC_BIND", "PYTORCH_NPU_ALLOC_CONF", "TASK_QUEUE_ENABLE", "TZ",
)  # fmt: skip


class VllmAscend:
    """The engine of that name."""

    name = NAME
    versions = (*PRERELEASES, *STABLE)
    stable = STABLE

    def obstacle(self, choice: Choice) -> Obstacle | None:
        product, model = choice.product, choice.model
        known = _SCHEMES.get(product.generation)
        if known is None or product.image_suffix is None:
            return Obstacle("hardware", f"no release runs on {product.id} ({', '.join(product.chips)})")
        if product.generation == "950" and choice.version == "0.18.0":
            return Obstacle("hardware", f"{product.id} is supported from 0.23.0 on")
        if product.generation == "310P" and model.kv_lora_rank:
            return Obstacle(
                "model", f"multi-head latent attention does not run on {product.id}; use an A2 or A3 product"
            )
        architectures = load_table(NAME, choice.version).architectures
        if architectures and model.architecture not in architectures:
            return Obstacle(
                "model",
                f"the architecture {model.architecture} is not among the {len(architectures)} it knows{_elsewhere(model.architecture)}",
            )
        return self._scheme_obstacle(choice, known)

    def _scheme_obstacle(self, choice: Choice, known: frozenset[str]) -> Obstacle | None:
        scheme, product = choice.scheme, choice.product
        if scheme in known or self._reads_fp8(choice):
            return None
        instead = _INSTEAD.get(scheme, f"on {product.id} it runs {', '.join(sorted(known))}")
        return Obstacle("quantization", f"{scheme} weights do not run on {product.id}; {instead}")

    def _reads_fp8(self, choice: Choice) -> bool:
        """FP8 checkpoints on A2 and A3: DeepSeek-V4's own kind from 0.23.0 on, others unpacked to BF16 while loading
        from 0.30.0 on."""
        if choice.scheme != "FP8" or choice.product.generation not in ("A2", "A3") or choice.version == "0.18.0":
            return False
        return choice.model.model_type == "deepseek_v4" or choice.version in PRERELEASES

    def loaded_scheme(self, choice: Choice) -> str:
        unpacked = (
            choice.scheme == "FP8"
            and choice.product.generation in ("A2", "A3")
            and choice.model.model_type != "deepseek_v4"
        )
        return "none" if unpacked else choice.scheme

    def caution(self, choice: Choice) -> str | None:
        if choice.product.generation == "310P":
            return f"{NAME} supports {choice.product.id} experimentally"
        if choice.version in PRERELEASES:
            return f"{choice.version} is a pre-release"
        return None

    def image(self, product: Product, version: str, *, os: str) -> str | None:
        if product.image_suffix is None:
            return None
        system = "" if os == "ubuntu" else f"-{os}"
        return f"quay.io/ascend/vllm-ascend:{_RELEASES[version]}{product.image_suffix}{system}"

    def tensor_obstacle(self, choice: Choice, parallelism: Parallelism) -> str | None:
        if choice.product.generation == "310P":
            if parallelism.tensor not in (1, 2, 4):
                return f"{NAME} splits over 1, 2 or 4 devices on {choice.product.id}, not {parallelism.tensor}"
            if parallelism.data > 1:
                return f"{NAME} has no data parallelism on {choice.product.id}"
        return None

    def spreads_data(self, choice: Choice) -> bool:
        return bool(choice.model.experts) and choice.product.generation != "310P"

    def utilization(self, version: str, arguments: Mapping[str, Any]) -> float:
        table = load_table(NAME, version)
        named = canonical_arguments(table, arguments).get("gpu-memory-utilization")
        return float(flag_default(table, "gpu-memory-utilization") if named is None else named)

    def overhead(
        self, choice: Choice, parallelism: Parallelism, *, context: ContextWindow, arguments: Mapping[str, Any]
    ) -> Overhead:
        tokens = self._batched_tokens(choice, arguments, sequences=context.max_sequences)
        passing = activation_bytes(
            choice.model, tokens=tokens, sequences=context.max_sequences, tensor=parallelism.tensor
        )
        mask = 2 * context.max_model_len**2 if choice.product.generation == "310P" else 0
        groups = (parallelism.tensor > 1) + (parallelism.expert > 1)
        return Overhead(activations=passing + mask, communication=groups * 200 * _MIB, runtime=_GIB // 2)

    def default_sequences(self, choice: Choice) -> int:
        return _SEQUENCES.get(choice.product.generation, _DEFAULT_SEQUENCES)

    def _batched_tokens(self, choice: Choice, arguments: Mapping[str, Any], *, sequences: int) -> int:
        """Tokens of one step; the scheduler refuses fewer than one per sequence (v@0.23.0:vllm/config/scheduler.py)."""
        named = canonical_arguments(load_table(NAME, choice.version), arguments).get("max-num-batched-tokens")
        if named is not None:
            return _count(named)
        return max(sequences, _BATCHED_TOKENS.get(choice.product.generation, _DEFAULT_BATCHED_TOKENS))

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
        errors: list[ArgumentError] = check_arguments(table, arguments, _reserved(remote_code=remote_code))
        errors += check_environment(table, variables, _owned_variables(variables), extra=_PLATFORM_VARIABLES)
        found = [Fault(error.kind, error.field, error.message) for error in errors]
        return tuple(found) or tuple(_unfit(canonical_arguments(table, arguments)))

    def shared_memory(self, parallelism: Parallelism) -> int:
        """1 GiB per device and never below 4 GiB; the container default of 64 MiB ends the engine (vllm-ascend PR
        #3519)."""
        return max(4, parallelism.devices) * _GIB

    def launch(self, request: LaunchRequest) -> Launch:
        return Launch(
            command=(),
            args=("vllm", "serve", request.choice.weights.path, *self._flags(request)),
            environment=tuple(_environment(request)),
            files=(),
            port=SERVICE_PORT,
            started=HttpCheck("/health", SERVICE_PORT),
            ready=HttpCheck("/health", SERVICE_PORT),
            alive=HttpCheck("/health", SERVICE_PORT),
            drain=drain_command(f"http://127.0.0.1:{SERVICE_PORT}/metrics", request.drain_seconds, _GAUGES),
        )

    def _flags(self, request: LaunchRequest) -> tuple[str, ...]:
        """All arguments, the plan's first; only those the version knows."""
        table = load_table(NAME, request.choice.version)
        planned = {name: value for name, value in self._planned(request).items() if name in table.flags}
        return render_flags(table, _merged(planned, canonical_arguments(table, request.arguments)))

    def _planned(self, request: LaunchRequest) -> dict[str, Any]:
        split, choice, weights = request.parallelism, request.choice, request.choice.weights
        flags: dict[str, Any] = {
            "host": "0.0.0.0",  # noqa: S104  the pod's own network namespace
            "port": SERVICE_PORT,
            "served-model-name": [choice.served_name],
            "dtype": request.dtype,
            "tensor-parallel-size": split.tensor,
            "max-model-len": request.context.max_model_len,
            "max-num-seqs": request.context.max_sequences,
            "max-num-batched-tokens": self._batched_tokens(
                choice, request.arguments, sequences=request.context.max_sequences
            ),
            "gpu-memory-utilization": request.utilization,
            "shutdown-timeout": request.shutdown_seconds,
        }
        if additional := _additional(request):
            flags["additional-config"] = additional
        if split.pipeline > 1:
            flags["pipeline-parallel-size"] = split.pipeline
        if split.data > 1:
            flags["data-parallel-size"] = split.data
        if split.expert > 1:
            flags["enable-expert-parallel"] = True
        if isinstance(weights, HubWeights) and weights.revision:
            flags["revision"] = weights.revision
        if _made_by_msmodelslim(choice):
            flags["quantization"] = "ascend"
        if choice.scheme == "W8A8SC":
            flags["load-format"] = "sharded_state"
        if choice.product.generation == "310P":
            flags["compilation-config"] = {
                "cudagraph_mode": "FULL_DECODE_ONLY",
                "cudagraph_capture_sizes": [1, 2, 4, 8, 16],
            }
        return flags


def _elsewhere(architecture: str) -> str:
    """The versions that do know an architecture, as the end of a sentence."""
    knowing = [version for version in VllmAscend.versions if architecture in load_table(NAME, version).architectures]
    return f"; {', '.join(knowing)} does, set spec.backendVersion" if knowing else ""


def _reserved(*, remote_code: bool) -> dict[str, str]:
    reasons = dict(_OWNED)
    reasons |= dict.fromkeys(_MULTI_NODE, "a replica runs on one node and its ranks are the plan's")
    reasons |= dict.fromkeys(
        _KEYS, "keys never go into arguments; set spec.auth.apiKeySecretRef or spec.model.secretRef"
    )
    reasons |= dict.fromkeys(_CODE, "it makes the engine import code")
    reasons |= dict.fromkeys(_PATHS, "it opens paths or addresses of the replica")
    if not remote_code:
        reasons["trust-remote-code"] = (
            "it runs code from the weights; the platform team opens it with allow.trustRemoteCode"
        )
    return reasons


def _owned_variables(names: Iterable[str]) -> dict[str, str]:
    """Why variables are not the user's to set, of those among `names`."""
    told = {
        name: why
        for name in names
        for why, ends in _TELLING_ENDS.items()
        if name.endswith(ends) and name not in _PLATFORM_VARIABLES
    }
    return told | _OWNED_VARIABLES


def _unfit(arguments: Mapping[str, Any]) -> Iterator[Fault]:
    """Values that the table allows and a replica cannot have: paths in place of a template or a repository, shares that
    leave no room."""
    template = arguments.get("chat-template")
    if template is not None and "{" not in str(template):
        yield Fault(
            "reserved",
            "spec.engineArgs.chat-template",
            "a path of the replica cannot be named; give the Jinja template itself",
        )
    speculative = arguments.get("speculative-config")
    draft = speculative.get("model") if isinstance(speculative, Mapping) else None
    if isinstance(draft, str) and draft.startswith(("/", ".", "~")):
        yield Fault(
            "reserved",
            "spec.engineArgs.speculative-config.model",
            "a path of the replica cannot be named; give a repository of the hub",
        )
    share = arguments.get("gpu-memory-utilization")
    if share is not None and not 0.1 <= share <= 0.98:
        yield Fault("invalid", "spec.engineArgs.gpu-memory-utilization", f"{share} is not between 0.1 and 0.98")


_UNITS = {unit: 1000 ** (power + 1) for power, unit in enumerate("kmgt")}
_UNITS |= {unit: 1024 ** (power + 1) for power, unit in enumerate("KMGT")}


def _count(written: int | str) -> int:
    """A count as the engine reads it: "32k" is 32,000 and "32K" is 32,768."""
    text = str(written)
    return int(Fraction(text[:-1]) * _UNITS[text[-1]]) if text[-1] in _UNITS else int(text)


def _made_by_msmodelslim(choice: Choice) -> bool:
    """Weights that declare no other format carry quant_model_description.json, which `--quantization ascend` reads."""
    declared = choice.model.quantization
    return choice.scheme not in ("none", "FP8", "MXFP8", "MXFP4") and (
        declared is None or declared.method in ("", "msmodelslim", "ascend")
    )


def _additional(request: LaunchRequest) -> dict[str, Any]:
    """Keys of additional_config that the plan sets where the version has them."""
    known = load_table(NAME, request.choice.version).additional_config
    config: dict[str, Any] = {}
    if "enable_cpu_binding" in known:
        config["enable_cpu_binding"] = request.bind_cpus
    if request.choice.product.generation == "310P" and "ascend_compilation_config" in known:
        config["ascend_compilation_config"] = {"enable_npugraph_ex": False}
    return config


def _merged(planned: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The user's keys over the plan's, objects merged level by level."""
    merged = dict(planned)
    for key, value in own.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def _environment(request: LaunchRequest) -> Iterator[Variable]:
    weights = request.choice.weights
    yield Variable("VLLM_ENGINE_READY_TIMEOUT_S", Literally(str(request.startup_seconds)))
    yield Variable("VLLM_NO_USAGE_STATS", Literally("1"))
    if request.api_key is not None:
        yield Variable("VLLM_API_KEY", request.api_key)
    if isinstance(weights, HubWeights):
        yield from _hub_environment(weights)
    for name, value in request.variables:
        yield Variable(name, Literally(value))


def _hub_environment(weights: HubWeights) -> Iterator[Variable]:
    if weights.hub == "modelscope":
        # 0.23.0 reads "true" only; "1" is ignored (v@0.23.0:vllm/envs.py).
        yield Variable("VLLM_USE_MODELSCOPE", Literally("true"))
        yield Variable("MODELSCOPE_CACHE", Literally(f"{CACHE_DIR}/modelscope"))
    else:
        yield Variable("HF_HOME", Literally(f"{CACHE_DIR}/huggingface"))
    if weights.token is not None:
        yield Variable("MODELSCOPE_API_TOKEN" if weights.hub == "modelscope" else "HF_TOKEN", weights.token)


ENGINE = VllmAscend()
