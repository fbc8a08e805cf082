"""Names that are passed on as settings of vLLM on Ascend and do nothing: invented, another engine's, or long gone; and
what does the thing instead.

Checked against every release of vLLM from 0.11 to 0.33 and of vllm-ascend from 0.9.1 to 0.30.0rc2 (source
distributions). A name that a version does know is never looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from npuserve.engines.arguments import ArgumentError

_COMPILATION = "use engineArgs.additional-config.ascend_compilation_config"
_GRAPHS = "use engineArgs.compilation-config.cudagraph_mode"
_DEAD = "no supported version reads it any more; leave it out"

VARIABLES: Mapping[str, str] = {
    "VLLM_USE_ASCEND": "the plugin activates itself; leave it out",
    "ASCEND_OP_FUSION": _COMPILATION,
    "ASCEND_PARALLEL_STREAM_NUM": "use engineArgs.additional-config.multistream_overlap_shared_expert",
    "VLLM_USE_V1": "the V1 engine is the only one since vLLM 0.13; leave it out",
    "VLLM_ASCEND_ENABLE_PREFETCH_MLP": _DEAD,
    "VLLM_ASCEND_ENABLE_TOPK_TOPP_OPTIMIZATION": _DEAD,
    "VLLM_ASCEND_ENABLE_DBO": _DEAD,
    "VLLM_ASCEND_MLA_PA": _DEAD,
}
ARGUMENTS: Mapping[str, str] = {
    "device": "vLLM finds the NPUs through its plugin; leave it out",
    "memory-policy": "use engineArgs.gpu-memory-utilization or engineArgs.kv-cache-memory-bytes",
    "max-batch-size": "use spec.context.maxSequences, or engineArgs.max-num-batched-tokens for the tokens of a step",
    "task": "use engineArgs.runner and engineArgs.convert, or leave it to the model's architecture",
    "swap-space": "preempted requests are computed again; leave it out",
    "rope-scaling": "set spec.context.maxModelLen, or engineArgs.hf-overrides.rope_parameters for a scaling of your own",
    "rope-theta": "use engineArgs.hf-overrides.rope_parameters",
    "guided-decoding-backend": "use engineArgs.structured-outputs-config",
    "num-redundant-experts": "use engineArgs.additional-config.eplb_config.num_redundant_experts",
    "num-scheduler-steps": "scheduling is asynchronous by itself; leave it out",
    "use-v2-block-manager": "there is one block manager; leave it out",
    "additional-config.ascend_scheduler_config": "vLLM's own scheduler does chunked prefill; leave it out",
    "additional-config.torchair_graph_config": _GRAPHS,
    "additional-config.chunked_prefill_for_mla": "chunked prefill is on for all models; leave it out",
    "additional-config.enable_weight_nz_layout": "use engineArgs.additional-config.weight_nz_mode",
}
_FIELDS = (("spec.template.env.", VARIABLES), ("spec.engineArgs.", ARGUMENTS))


def corrected(error: ArgumentError) -> ArgumentError:
    """The error with what to use instead, where the name is one of these; else as it is."""
    for prefix, table in _FIELDS:
        name = error.field.removeprefix(prefix)
        instead = table.get(name) or table.get(name.replace("_", "-"))
        if error.kind == "unknown" and name != error.field and instead is not None:
            return replace(error, message=f"{name.rpartition('.')[2]} does nothing; {instead}")
    return error
