"""Which arguments and variables of vLLM on Ascend are not the user's to set, and why; and values that no replica can have.

Reserved: what binds ports, renames the model, sets sizes that the plan owns, carries keys, makes the engine import code,
or opens paths and addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from npuserve.engines.contract import Fault

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
PLATFORM_VARIABLES = (
    "ASCEND_GLOBAL_LOG_LEVEL", "ASCEND_SLOG_PRINT_TO_STDOUT", "CPU_AFFINITY_CONF", "HCCL_BUFFSIZE", "HCCL_CONNECT_TIMEOUT", "HCCL_DETERMINISTIC",
    "HCCL_EXEC_TIMEOUT", "HCCL_INTRA_PCIE_ENABLE", "HCCL_INTRA_ROCE_ENABLE", "HCCL_OP_EXPANSION_MODE", "HF_ENDPOINT", "HF_HUB_OFFLINE",
    "MODELSCOPE_DOMAIN", "OMP_NUM_THREADS", "OMP_PROC_BIND", "PYTORCH_NPU_ALLOC_CONF", "TASK_QUEUE_ENABLE", "TZ",
)  # fmt: skip

_MOST_DECODED = 16


def reserved(*, remote_code: bool) -> dict[str, str]:
    """The reason for each argument, keys inside JSON arguments as `argument.key`; `remote_code` opens model code from the
    weights."""
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


def owned_variables(names: Iterable[str]) -> dict[str, str]:
    """Why variables are not the user's to set, of those among `names`."""
    told = {
        name: why
        for name in names
        for why, ends in _TELLING_ENDS.items()
        if name.endswith(ends) and name not in PLATFORM_VARIABLES
    }
    return told | _OWNED_VARIABLES


def unfit(arguments: Mapping[str, Any]) -> Iterator[Fault]:
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
    yield from _speculation(speculative if isinstance(speculative, Mapping) else {}, arguments)
    share = arguments.get("gpu-memory-utilization")
    if share is not None and not 0.1 <= share <= 0.98:
        yield Fault("invalid", "spec.engineArgs.gpu-memory-utilization", f"{share} is not between 0.1 and 0.98")


def _speculation(speculative: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[Fault]:
    """Limits of speculative decoding: the attention kernel takes 16 tokens of a request at once, and captured sizes hold
    whole requests (va@0.23.0:docs/source/user_guide/feature_guide/speculative_decoding.md, graph_mode.md)."""
    drafted = speculative.get("num_speculative_tokens")
    if not isinstance(drafted, int):
        return
    step = drafted + 1
    if step > _MOST_DECODED:
        yield Fault(
            "invalid",
            "spec.engineArgs.speculative-config.num_speculative_tokens",
            f"{drafted} drafted tokens and one more are above the {_MOST_DECODED} that a step takes of a request; use {_MOST_DECODED - 1} or fewer",
        )
    compilation = arguments.get("compilation-config")
    sizes = compilation.get("cudagraph_capture_sizes") if isinstance(compilation, Mapping) else None
    odd = [size for size in sizes if isinstance(size, int) and size % step] if isinstance(sizes, list) else []
    if odd:
        yield Fault(
            "invalid",
            "spec.engineArgs.compilation-config.cudagraph_capture_sizes",
            f"with {drafted} drafted tokens sizes are multiples of {step}, which {', '.join(map(str, odd))} "
            f"{'is' if len(odd) == 1 else 'are'} not",
        )
