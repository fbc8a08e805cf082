"""How vLLM on Ascend is started: its flags and environment, the plan's under the user's.

Only flags that the version knows are rendered. The image's entry point sources the CANN environment, so a replica gets
arguments and no command (va@0.23.0.post1:Dockerfile).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from npuserve.engines.arguments import ArgumentTable, canonical_arguments, render_flags
from npuserve.engines.contract import Choice, LaunchRequest
from npuserve.engines.launch import SERVICE_PORT, Literally, Variable
from npuserve.engines.weights import CACHE_DIR, HubWeights
from npuserve.models.facts import ModelFacts
from npuserve.models.legality import splits_encoders
from npuserve.models.quantization import SCHEMES
from npuserve.models.stretch import overrides

_BATCHED_TOKENS = {"310P": 4096}
_DEFAULT_BATCHED_TOKENS = 8192
_UNITS = {unit: 1000 ** (power + 1) for power, unit in enumerate("kmgt")}
_UNITS |= {unit: 1024 ** (power + 1) for power, unit in enumerate("KMGT")}


def flags(request: LaunchRequest, table: ArgumentTable) -> tuple[str, ...]:
    """All arguments, the plan's first; only those the version knows."""
    own = canonical_arguments(table, request.arguments)
    planned = {name: value for name, value in _planned(request, table, own).items() if name in table.flags}
    return render_flags(table, _merged(planned, own))


def batched_tokens(choice: Choice, own: Mapping[str, Any], *, sequences: int) -> int:
    """Tokens of one step; the scheduler refuses fewer than one per sequence (v@0.23.0:vllm/config/scheduler.py)."""
    named = own.get("max-num-batched-tokens")
    if named is not None:
        return _count(named)
    return max(sequences, _BATCHED_TOKENS.get(choice.product.generation, _DEFAULT_BATCHED_TOKENS))


def cache_dtype(choice: Choice, table: ArgumentTable) -> str | None:
    """The cache type that weights with a quantized cache need to be told; None where their own files tell it, as before
    0.30, or where the cache is in floating point."""
    wanted = "fp8" if choice.product.generation == "950" else "int8"
    flag = table.flags.get("kv-cache-dtype")
    told = flag is not None and flag.choices is not None and wanted in flag.choices and "int8" in flag.choices
    return wanted if told and SCHEMES[choice.scheme].kv_bits == 8 else None


def quantizes_index(choice: Choice) -> bool:
    """Whether the index keys of sparse attention are cached in 8 bits: published with a quantized cache, such models are
    served so (va@0.23.0:docs/source/tutorials/models/GLM5.2.md#L197)."""
    return choice.model.index_head_dim > 0 and SCHEMES[choice.scheme].kv_bits == 8


def overridden_context(model: ModelFacts, changes: Mapping[str, Any]) -> int:
    """Tokens of the longest request once the user's own changes of config.json apply: a rope scaling or a length among
    them, else the model's."""
    nested = [value for value in changes.values() if isinstance(value, Mapping)]
    for table in (changes, *nested):
        rope = table.get("rope_parameters") or table.get("rope_scaling")
        if isinstance(rope, Mapping) and isinstance(rope.get("factor"), int | float):
            original = rope.get("original_max_position_embeddings")
            return int((original if isinstance(original, int) else model.max_context) * rope["factor"])
        length = table.get("max_position_embeddings") or table.get("max_model_len")
        if isinstance(length, int):
            return length
    return model.max_context


def environment(request: LaunchRequest) -> Iterator[Variable]:
    """The variables of a replica, the user's last."""
    weights = request.choice.weights
    yield Variable("VLLM_ENGINE_READY_TIMEOUT_S", Literally(str(request.startup_seconds)))
    yield Variable("VLLM_NO_USAGE_STATS", Literally("1"))
    if request.api_key is not None:
        yield Variable("VLLM_API_KEY", request.api_key)
    if isinstance(weights, HubWeights):
        yield from _hub_environment(weights)
    for name, value in request.variables:
        yield Variable(name, Literally(value))


def _planned(request: LaunchRequest, table: ArgumentTable, own: Mapping[str, Any]) -> dict[str, Any]:
    split, choice, context = request.parallelism, request.choice, request.context
    planned: dict[str, Any] = {
        "host": "0.0.0.0",  # noqa: S104  the pod's own network namespace
        "port": SERVICE_PORT,
        "served-model-name": [choice.served_name],
        "dtype": request.dtype,
        "tensor-parallel-size": split.tensor,
        "max-model-len": context.max_model_len,
        "max-num-seqs": context.max_sequences,
        "max-num-batched-tokens": batched_tokens(choice, own, sequences=context.max_sequences),
        "gpu-memory-utilization": request.utilization,
        "shutdown-timeout": request.shutdown_seconds,
    }
    if additional := _additional(request, table):
        planned["additional-config"] = additional
    if split.pipeline > 1:
        planned["pipeline-parallel-size"] = split.pipeline
    if split.data > 1:
        planned["data-parallel-size"] = split.data
    if split.expert > 1:
        planned["enable-expert-parallel"] = True
    return planned | _of_the_model(request, table)


def _of_the_model(request: LaunchRequest, table: ArgumentTable) -> dict[str, Any]:
    """What the weights and the length of requests ask for."""
    choice = request.choice
    planned: dict[str, Any] = {}
    if isinstance(choice.weights, HubWeights) and choice.weights.revision:
        planned["revision"] = choice.weights.revision
    if _made_by_msmodelslim(choice):
        planned["quantization"] = "ascend"
    if choice.scheme == "W8A8SC":
        planned["load-format"] = "sharded_state"
    if (told := cache_dtype(choice, table)) is not None:
        planned["kv-cache-dtype"] = told
        if quantizes_index(choice):
            planned["attention-config"] = {"indexer_kv_dtype": told}
    if not splits_encoders(choice.model, request.parallelism.tensor):
        # Each rank runs whole encoders (v@0.23.0:vllm/config/multimodal.py); cut ones would not divide.
        planned["mm-encoder-tp-mode"] = "data"
    if (changes := overrides(choice.model, request.context.max_model_len)) is not None:
        planned["hf-overrides"] = changes
    if choice.product.generation == "310P":
        planned["compilation-config"] = {
            "cudagraph_mode": "FULL_DECODE_ONLY",
            "cudagraph_capture_sizes": [1, 2, 4, 8, 16],
        }
    return planned


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


def _additional(request: LaunchRequest, table: ArgumentTable) -> dict[str, Any]:
    """Keys of additional_config that the plan sets where the version has them."""
    known = table.additional_config
    config: dict[str, Any] = {}
    if "enable_cpu_binding" in known:
        config["enable_cpu_binding"] = request.bind_cpus
    if (
        quantizes_index(request.choice)
        and "enable_sparse_li_c8" in known
        and cache_dtype(request.choice, table) is None
    ):
        config["enable_sparse_li_c8"] = True
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


def _hub_environment(weights: HubWeights) -> Iterator[Variable]:
    if weights.hub == "modelscope":
        # 0.23.0 reads "true" only; "1" is ignored (v@0.23.0:vllm/envs.py).
        yield Variable("VLLM_USE_MODELSCOPE", Literally("true"))
        yield Variable("MODELSCOPE_CACHE", Literally(f"{CACHE_DIR}/modelscope"))
    else:
        yield Variable("HF_HOME", Literally(f"{CACHE_DIR}/huggingface"))
    if weights.token is not None:
        yield Variable("MODELSCOPE_API_TOKEN" if weights.hub == "modelscope" else "HF_TOKEN", weights.token)
