"""vLLM with the Ascend plugin: versions, capabilities and memory.

Notation of sources: va@V:path is the PyPI package vllm-ascend V, v@V:path the package vllm V. The platform plugin
activates itself. What users may set is in `vllm_ascend_reserved`, number formats in `vllm_ascend_schemes`, the command
line in `vllm_ascend_launch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from npuserve.chips import Product
from npuserve.engines import vllm_ascend_launch as launching
from npuserve.engines.activations import activation_bytes
from npuserve.engines.arguments import (
    ArgumentError,
    ArgumentTable,
    canonical_arguments,
    check_arguments,
    check_environment,
    flag_default,
    load_table,
)
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
from npuserve.engines.launch import SERVICE_PORT, HttpCheck, Launch
from npuserve.engines.metric_source import MetricSource
from npuserve.engines.vllm_ascend_folklore import corrected
from npuserve.engines.vllm_ascend_graphs import too_many_graphs
from npuserve.engines.vllm_ascend_leave import MARK, in_front
from npuserve.engines.vllm_ascend_metrics import SOURCE
from npuserve.engines.vllm_ascend_reserved import PLATFORM_VARIABLES, owned_variables, reserved, unfit
from npuserve.engines.vllm_ascend_schemes import scheme_obstacle, unpacks_fp8
from npuserve.models.quantization import SCHEMES
from npuserve.models.stretch import longest

NAME = "vllm-ascend"
STABLE = ("0.23.0", "0.18.0")
PRERELEASES = ("0.30.0rc2",)

_MIB = 1 << 20
_GIB = 1 << 30
_BUSY = Busy(
    gauges=(SOURCE.running, *SOURCE.waiting),
    counters=("vllm:request_success_total",),
    mark=MARK,
)
_GENERATIONS = ("A2", "A3", "310P", "950")
_RELEASES = {"0.18.0": "v0.18.0", "0.23.0": "v0.23.0", "0.30.0rc2": "v0.30.0rc2"}
_SEQUENCES = {"310P": 16}
_DEFAULT_SEQUENCES = 64
_QUANTIZED_CACHES = ("int8", "fp8", "mxfp8")
"""How the names of 8-bit cache types begin."""
_PREDICTION = "mtp"
"""How the names of speculative methods end that load the model's own prediction head
(v@0.23.0:vllm/config/speculative.py)."""


class VllmAscend:
    """The engine of that name."""

    name = NAME
    versions = (*PRERELEASES, *STABLE)
    stable = STABLE
    pads_heads = False

    def obstacle(self, choice: Choice) -> Obstacle | None:
        product, model = choice.product, choice.model
        if product.generation not in _GENERATIONS or product.image_suffix is None:
            return Obstacle("hardware", f"no release runs on {product.id} ({', '.join(product.chips)})")
        if product.generation == "950" and choice.version == "0.18.0":
            return Obstacle("hardware", f"{product.id} is supported from 0.23.0 on")
        if product.generation == "310P" and model.kv_lora_rank:
            return Obstacle(
                "model", f"multi-head latent attention does not run on {product.id}; use an A2 or A3 product"
            )
        table = load_table(NAME, choice.version)
        if table.architectures and model.architecture not in table.architectures:
            return Obstacle(
                "model",
                f"the architecture {model.architecture} is not among the {len(table.architectures)} it knows{_elsewhere(model.architecture)}",
            )
        others = {version: load_table(NAME, version) for version in self.versions if version != choice.version}
        return scheme_obstacle(choice, table, others)

    def footprint(self, choice: Choice, arguments: Mapping[str, Any]) -> Footprint:
        table = load_table(NAME, choice.version)
        own = canonical_arguments(table, arguments)
        speculative = _object(own.get("speculative-config"))
        additional = _object(own.get("additional-config"))
        return Footprint(
            scheme="none" if unpacks_fp8(choice) else choice.scheme,
            cache_bits=_cache_bits(choice, table, own),
            index_bits=_index_bits(choice, own),
            draft=str(speculative.get("method", "")).endswith(_PREDICTION),
            # va@0.30.0rc2:docs/source/user_guide/feature_guide/kvpp.md
            spread_layers=additional.get("enable_kvpp") is True,
            whole_attention=additional.get("enable_dsa_cp") is True and choice.model.index_head_dim > 0,
        )

    def longest_context(self, choice: Choice, arguments: Mapping[str, Any]) -> int:
        own = canonical_arguments(load_table(NAME, choice.version), arguments)
        if "hf-overrides" in own:
            return launching.overridden_context(choice.model, _object(own["hf-overrides"]))
        return longest(choice.model)

    def caution(self, product: Product, version: str) -> Caution | None:
        if product.generation == "310P":
            return Caution("experimental", f"{NAME} supports {product.id} experimentally")
        if version in PRERELEASES:
            return Caution("pre-release", f"{version} is a pre-release")
        return None

    def image(self, product: Product, version: str, *, os: str) -> str | None:
        if product.image_suffix is None:
            return None
        system = "" if os == "ubuntu" else f"-{os}"
        return f"quay.io/ascend/vllm-ascend:{_RELEASES[version]}{product.image_suffix}{system}"

    def tensor_obstacle(self, choice: Choice, parallelism: Parallelism, *, named: bool) -> str | None:
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
        self,
        choice: Choice,
        parallelism: Parallelism,
        *,
        context: ContextWindow,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> Overhead:
        own = canonical_arguments(load_table(NAME, choice.version), arguments)
        tokens = launching.batched_tokens(choice, own, sequences=context.max_sequences)
        passing = activation_bytes(
            choice.model, tokens=tokens, sequences=context.max_sequences, tensor=parallelism.tensor
        )
        mask = 2 * context.max_model_len**2 if choice.product.generation == "310P" else 0
        groups = (parallelism.tensor > 1) + (parallelism.expert > 1)
        buffers = groups * _buffer_mib(variables) * _MIB
        return Overhead(activations=passing + mask, communication=buffers, runtime=_GIB // 2)

    def default_sequences(self, choice: Choice) -> int:
        return _SEQUENCES.get(choice.product.generation, _DEFAULT_SEQUENCES)

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
        errors: list[ArgumentError] = check_arguments(table, arguments, reserved(remote_code=remote_code))
        errors += check_environment(table, variables, owned_variables(variables), extra=PLATFORM_VARIABLES)
        found = [Fault(error.kind, error.field, error.message) for error in map(corrected, errors)]
        if found:
            return tuple(found)
        own = canonical_arguments(table, arguments)
        return (*unfit(own), *too_many_graphs(choice, own))

    def shared_memory(self, parallelism: Parallelism) -> int:
        """1 GiB per device and never below 4 GiB; the container default of 64 MiB ends the engine (vllm-ascend PR
        #3519)."""
        return max(4, parallelism.devices) * _GIB

    def launch(self, request: LaunchRequest) -> Launch:
        table = load_table(NAME, request.choice.version)
        return Launch(
            command=(),
            args=(*in_front(), "vllm", "serve", request.choice.weights.path, *launching.flags(request, table)),
            environment=tuple(launching.environment(request)),
            files=(),
            port=SERVICE_PORT,
            started=HttpCheck("/health", SERVICE_PORT),
            ready=HttpCheck("/health", SERVICE_PORT),
            alive=HttpCheck("/health", SERVICE_PORT),
            drain=drain_command(f"http://127.0.0.1:{SOURCE.port}{SOURCE.path}", request.drain_seconds, _busy(request)),
        )

    def metrics(self, version: str) -> MetricSource:
        return SOURCE


def _busy(request: LaunchRequest) -> Busy:
    """Finished requests of every kind are counted, and idle connections closed after VLLM_HTTP_TIMEOUT_KEEP_ALIVE seconds
    (v@0.23.0:vllm/envs.py). Told to stop, the engine answers a new request with an empty, aborted one
    (v@0.23.0:vllm/v1/engine/core.py, _reject_add_in_shutdown)."""
    named = dict(request.variables).get("VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "")
    return replace(_BUSY, keeps_alive=int(named)) if named.isdecimal() else _BUSY


def _buffer_mib(variables: Mapping[str, str]) -> int:
    """MiB of device memory for each communication group: HCCL_BUFFSIZE, 200 where the plugin sets it
    (va@0.23.0:docs/source/user_guide/configuration/env_vars.md)."""
    named = variables.get("HCCL_BUFFSIZE", "")
    return int(named) if named.isdecimal() else 200


def _elsewhere(architecture: str) -> str:
    """The versions that do know an architecture, as the end of a sentence."""
    knowing = [version for version in VllmAscend.versions if architecture in load_table(NAME, version).architectures]
    return f"; {', '.join(knowing)} does, set spec.backendVersion" if knowing else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _cache_bits(choice: Choice, table: ArgumentTable, own: Mapping[str, Any]) -> int:
    """Bits of a cached element: as the user says, else as the plan tells the engine, else as the weights' files do.

    Sparse attention ignores the weights' files (va@0.30.0rc2:vllm_ascend/ascend_config.py#L920).
    """
    named = own.get("kv-cache-dtype")
    if named not in (None, "auto"):
        return 8 if str(named).startswith(_QUANTIZED_CACHES) else 16
    if choice.model.index_head_dim and launching.cache_dtype(choice, table) is None:
        return 8 if _object(own.get("additional-config")).get("enable_sparse_sfa_c8") is True else 16
    return SCHEMES[choice.scheme].kv_bits


def _index_bits(choice: Choice, own: Mapping[str, Any]) -> int:
    """Bits of an element of the index keys: as the user says, else as the plan tells the engine."""
    told = _object(own.get("attention-config")).get("indexer_kv_dtype")
    named = _object(own.get("additional-config")).get("enable_sparse_li_c8")
    if told is None and named is None:
        return 8 if launching.quantizes_index(choice) else 16
    return 8 if told in ("int8", "fp8") or named is True else 16


ENGINE = VllmAscend()
