"""What a replica of the tests counts with, on the page that its engine shows: vLLM's as `vllm_pages` has it, MindIE's
with the families and buckets of `mindie_pages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from tests.support.mindie_pages import FIRST, PACE, TOKENS, WHOLE
from tests.support.vllm_pages import VllmReplica

REASONS = ("stop", "length", "abort", "error", "repetition")
"""Why a request ends, in vLLM's words."""


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
    """Further histograms of vLLM; empty where the engine has none."""

    def page(self) -> bytes:
        """The text of the page."""
        return generate_latest(self.registry)


def vllm(model: str, *, longest: int = 40960) -> Instruments:
    """The page of a vLLM server with one engine."""
    shown, rank = VllmReplica(model, longest=longest), "0"
    return Instruments(
        registry=shown.registry,
        running=shown.num_requests_running[rank],
        waiting=shown.num_requests_waiting[rank],
        cache_use=shown.kv_cache_usage_perc[rank],
        received=None,
        prompt_tokens=shown.prompt_tokens[rank],
        generated_tokens=shown.generation_tokens[rank],
        ended={reason: shown.request_success[rank, reason] for reason in REASONS},
        first_token=shown.time_to_first_token_seconds[rank],
        between_tokens=shown.inter_token_latency_seconds[rank],
        whole=shown.e2e_request_latency_seconds[rank],
        prompt_length=shown.request_prompt_tokens[rank],
        output_length=shown.request_generation_tokens[rank],
        more={
            "queue": shown.request_queue_time_seconds[rank],
            "inference": shown.request_inference_time_seconds[rank],
            "prefill": shown.request_prefill_time_seconds[rank],
            "decode": shown.request_decode_time_seconds[rank],
            "per_token": shown.request_time_per_output_token_seconds[rank],
            "computed": shown.request_prefill_kv_computed_tokens[rank],
        },
    )


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
        first_token=histogram("time_to_first_token_seconds", FIRST),
        between_tokens=histogram("time_per_output_token_seconds", PACE),
        whole=histogram("e2e_request_latency_seconds", WHOLE),
        prompt_length=histogram("request_prompt_tokens", TOKENS),
        output_length=histogram("request_generation_tokens", TOKENS),
        more={},
    )
    counter("num_preemptions")
    for name in (
        "num_requests_swapped", "all_radix_match_num", "npu_radix_match_hit_num", "avg_prompt_throughput_toks_per_s",
        "avg_generation_throughput_toks_per_s", "failed_request_perc", "cpu_cache_usage_perc", "npu_prefix_cache_hit_rate",
    ):  # fmt: skip
        gauge(name)
    return found
