"""What vLLM on Ascend shows of its load, and since when under which names.

The plugin adds nothing: names are vLLM's own (v@0.18.0, v@0.23.0, v@0.30.0: vllm/v1/metrics/loggers.py), one series per
data-parallel rank with the label `engine`, on the port that clients use. Counters are written there without `_total`,
which the text format adds. Requests that a client gave up are in no counter of finished ones, so arrivals are told from
first tokens and the queue (vllm/v1/engine/output_processor.py).
"""

from __future__ import annotations

from npuserve.engines.launch import SERVICE_PORT
from npuserve.engines.metric_source import MetricSource

SOURCE = MetricSource(
    port=SERVICE_PORT,
    path="/metrics",
    running="vllm:num_requests_running",
    waiting=("vllm:num_requests_waiting",),
    cache="vllm:kv_cache_usage_perc",
    prompt="vllm:prompt_tokens_total",
    reused="vllm:prompt_tokens_cached_total",
    generated=("vllm:generation_tokens_total",),
    arrived=None,
    finished_prompt="vllm:request_prompt_tokens_sum",
    whole="vllm:e2e_request_latency_seconds_sum",
    first="vllm:time_to_first_token_seconds",
    gaps="vllm:inter_token_latency_seconds",
    prompts="vllm:request_prefill_kv_computed_tokens",
    outputs="vllm:request_generation_tokens",
)
"""All versions from 0.18.0 on."""
