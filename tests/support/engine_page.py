"""The metrics page of an engine's server, as its own client library writes it.

Names, labels and buckets of vLLM 0.23.0 (v@0.23.0:vllm/v1/metrics/loggers.py), with the families of its HTTP server and
its Python process, so that a page has the size and the noise of a real one; and of MindIE 3.0.0
(MindIE-LLM:src/server/endpoint/utils/prometheus_metrics.cpp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

REASONS = ("stop", "length", "abort", "error", "repetition")
"""Why a request ends, in vLLM's words."""

_TTFT = (.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560)  # fmt: skip
_ITL = (.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80)  # fmt: skip
_LATENCY = (.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)  # fmt: skip
_STEP = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_PARALLEL = (1, 2, 5, 10, 20)
_HTTP = (.01, .025, .05, .075, .1, .25, .5, .75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60)  # fmt: skip
_MINDIE_TTFT = (.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)  # fmt: skip
_MINDIE_TPOT = (.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5)  # fmt: skip
_MINDIE_LATENCY = (1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60)
_MINDIE_TOKENS = (10, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True, slots=True)
class Instruments:
    """What a replica counts with, whatever the engine calls it; `registry` is the whole page."""

    registry: CollectorRegistry
    running: Gauge
    waiting: Gauge
    cache_use: Gauge
    received: Counter | None
    prompt_tokens: Counter
    generated_tokens: Counter
    ended: Mapping[str, Counter]
    """By reason."""
    first_token: Histogram
    between_tokens: Histogram
    whole: Histogram
    prompt_length: Histogram
    output_length: Histogram
    more: Mapping[str, Histogram]
    """Further latencies by vLLM's name without prefix and unit; empty where the engine has none."""

    def page(self) -> bytes:
        """The text of the page."""
        return generate_latest(self.registry)


def vllm(model: str, *, max_model_len: int = 40960) -> Instruments:
    """The page of a vLLM server with one engine."""
    registry = CollectorRegistry()
    labels = {"model_name": model, "engine": "0"}
    lengths = _one_two_five(max_model_len)

    def gauge(name: str, **more: str) -> Gauge:
        return Gauge(f"vllm:{name}", name, [*labels, *more], registry=registry).labels(**labels, **more)

    def counter(name: str) -> Counter:
        return Counter(f"vllm:{name}", name, list(labels), registry=registry).labels(**labels)

    def histogram(name: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"vllm:{name}", name, list(labels), registry=registry, buckets=buckets).labels(**labels)

    ended = Counter("vllm:request_success", "requests", [*labels, "finished_reason"], registry=registry)
    parts = ("queue", "inference", "prefill", "decode")
    found = Instruments(
        registry=registry,
        running=gauge("num_requests_running"),
        waiting=gauge("num_requests_waiting"),
        cache_use=gauge("kv_cache_usage_perc"),
        received=None,
        prompt_tokens=counter("prompt_tokens"),
        generated_tokens=counter("generation_tokens"),
        ended={reason: ended.labels(**labels, finished_reason=reason) for reason in REASONS},
        first_token=histogram("time_to_first_token_seconds", _TTFT),
        between_tokens=histogram("inter_token_latency_seconds", _ITL),
        whole=histogram("e2e_request_latency_seconds", _LATENCY),
        prompt_length=histogram("request_prompt_tokens", lengths),
        output_length=histogram("request_generation_tokens", lengths),
        more={part: histogram(f"request_{part}_time_seconds", _LATENCY) for part in parts}
        | {"per_token": histogram("request_time_per_output_token_seconds", _ITL)},
    )
    for name in (
        "num_preemptions", "prefix_cache_queries", "prefix_cache_hits", "external_prefix_cache_queries",
        "external_prefix_cache_hits", "mm_cache_queries", "mm_cache_hits", "prompt_tokens_cached",
    ):  # fmt: skip
        counter(name)
    waiting = Gauge("vllm:num_requests_waiting_by_reason", "waiting", [*labels, "reason"], registry=registry)
    for reason in ("capacity", "deferred"):
        waiting.labels(**labels, reason=reason)
    gauge("engine_sleep_state", sleep_state="awake").set(1)
    gauge("cache_config_info", block_size="128", num_gpu_blocks="2375", gpu_memory_utilization="0.92").set(1)
    histogram("iteration_tokens_total", _STEP)
    histogram("request_prefill_kv_computed_tokens", lengths)
    histogram("request_max_num_generation_tokens", lengths)
    histogram("request_params_n", _PARALLEL)
    histogram("request_params_max_tokens", lengths)
    _http_server(registry)
    return found


def mindie(model: str) -> Instruments:
    """The page of a MindIE server."""
    registry = CollectorRegistry()

    def gauge(name: str) -> Gauge:
        return Gauge(name, name, ["model_name"], registry=registry).labels(model)

    def counter(name: str) -> Counter:
        return Counter(name, name, ["model_name"], registry=registry).labels(model)

    def histogram(name: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, name, ["model_name"], registry=registry, buckets=buckets).labels(model)

    succeeded, failed = counter("request_success"), counter("request_failed")
    found = Instruments(
        registry=registry,
        running=gauge("num_requests_running"),
        waiting=gauge("num_requests_waiting"),
        cache_use=gauge("npu_cache_usage_perc"),
        received=counter("request_received"),
        prompt_tokens=counter("prompt_tokens"),
        generated_tokens=counter("generation_tokens"),
        ended={reason: failed if reason in ("abort", "error") else succeeded for reason in REASONS},
        first_token=histogram("time_to_first_token_seconds", _MINDIE_TTFT),
        between_tokens=histogram("time_per_output_token_seconds", _MINDIE_TPOT),
        whole=histogram("e2e_request_latency_seconds", _MINDIE_LATENCY),
        prompt_length=histogram("request_prompt_tokens", _MINDIE_TOKENS),
        output_length=histogram("request_generation_tokens", _MINDIE_TOKENS),
        more={},
    )
    counter("num_preemptions")
    for name in (
        "num_requests_swapped", "all_radix_match_num", "npu_radix_match_hit_num", "avg_prompt_throughput_toks_per_s",
        "avg_generation_throughput_toks_per_s", "failed_request_perc", "cpu_cache_usage_perc", "npu_prefix_cache_hit_rate",
    ):  # fmt: skip
        gauge(name)
    return found


def _http_server(registry: CollectorRegistry) -> None:
    """What prometheus_fastapi_instrumentator and the client library add."""
    requests = Counter("http_requests", "requests", ["handler", "status", "method"], registry=registry)
    duration = Histogram(
        "http_request_duration_seconds", "seconds", ["handler", "method"], registry=registry, buckets=(0.1, 0.5, 1)
    )
    Histogram("http_request_duration_highr_seconds", "seconds", registry=registry, buckets=_HTTP)
    for handler, method in (("/v1/chat/completions", "POST"), ("/v1/models", "GET"), ("/health", "GET")):
        duration.labels(handler, method)
        for status in ("2xx", "4xx"):
            requests.labels(handler, status, method)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)


def _one_two_five(most: int) -> tuple[int, ...]:
    """1, 2, 5, 10, 20, 50, ... up to the model's length, as vLLM's own."""
    return tuple(step * 10**power for power in range(len(str(most))) for step in (1, 2, 5) if step * 10**power <= most)
