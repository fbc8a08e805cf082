"""What MindIE shows of its load, and under which names.

On a port of its own, without prefix, only with MIES_SERVICE_MONITOR_MODE=1; as text/plain since 3.0.0, as
application/json before (the content is the same, so nobody asks for the type). L = Ascend/MindIE-LLM 3.0.x:
src/server/endpoint/utils/prometheus_metrics.cpp for the names; .../single_req_infer_interface_base.cpp counts prompts
when they arrive and output tokens only when a request ends, so tokens in progress are the values of the two latency
histograms (.../single_llm_req_handler_base.cpp: one value for a first token, one for each after it).
"""

from __future__ import annotations

from npuserve.engines.metric_source import MetricSource
from npuserve.engines.mindie_launch import METRICS_PORT

SOURCE = MetricSource(
    port=METRICS_PORT,
    path="/metrics",
    running="num_requests_running",
    waiting=("num_requests_waiting", "num_requests_swapped"),
    cache="npu_cache_usage_perc",
    prompt="prompt_tokens_total",
    reused=None,
    generated=("time_to_first_token_seconds_count", "time_per_output_token_seconds_count"),
    arrived="request_received_total",
    finished_prompt="request_prompt_tokens_sum",
    whole="e2e_request_latency_seconds_sum",
    first="time_to_first_token_seconds",
    gaps="time_per_output_token_seconds",
    prompts="request_prompt_tokens",
    outputs="request_generation_tokens",
)
"""3.0.0."""
