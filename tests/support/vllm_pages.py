"""Pages as vLLM shows them: the families, labels and buckets of v@0.23.0:vllm/v1/metrics/loggers.py, made by the library
that makes them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

LATENCY = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
FIRST = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
PACE = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
STEP = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
HTTP = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 7.5, 10.0, 30.0, 60.0,
)  # fmt: skip
_GAUGES = ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc")
_COUNTERS = (
    "prefix_cache_queries", "prefix_cache_hits", "external_prefix_cache_queries", "external_prefix_cache_hits", "mm_cache_queries",
    "mm_cache_hits", "num_preemptions", "prompt_tokens", "prompt_tokens_cached", "generation_tokens",
)  # fmt: skip
_SOURCES = ("local_compute", "local_cache_hit", "external_kv_transfer")
_REASONS = ("stop", "length", "abort", "error", "repetition")


def lengths(longest: int) -> tuple[int, ...]:
    """Buckets of token counts: 1, 2, 5 and their tenfolds up to the longest request."""
    return tuple(end for power in range(9) for digit in (1, 2, 5) if (end := digit * 10**power) <= longest)


class VllmReplica:
    """One server with `ranks` data-parallel ranks; what it has served comes with `finish`."""

    def __init__(self, model: str = "qwen3-32b", *, longest: int = 131_072, ranks: int = 1) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._labels = [(model, str(rank)) for rank in range(ranks)]
        self._families: dict[str, dict[Any, Any]] = {}
        tokens = lengths(longest)
        for name in _GAUGES:
            self._make(Gauge, name)
        for name in _COUNTERS:
            self._make(Counter, name)
        self._make(Gauge, "num_requests_waiting_by_reason", reason=("capacity", "deferred"))
        self._make(Gauge, "engine_sleep_state", sleep_state=("awake", "weights_offloaded", "discard_all"))
        self._make(Counter, "prompt_tokens_by_source", source=_SOURCES)
        self._make(Counter, "request_success", finished_reason=_REASONS)
        for name in (
            "request_prompt_tokens", "request_generation_tokens", "request_max_num_generation_tokens", "request_params_max_tokens",
            "request_prefill_kv_computed_tokens",
        ):  # fmt: skip
            self._make(Histogram, name, buckets=tokens)
        self._make(Histogram, "iteration_tokens_total", buckets=STEP)
        self._make(Histogram, "request_params_n", buckets=(1, 2, 5, 10, 20))
        self._make(Histogram, "time_to_first_token_seconds", buckets=FIRST)
        for name in ("inter_token_latency_seconds", "request_time_per_output_token_seconds"):
            self._make(Histogram, name, buckets=PACE)
        for name in ("e2e_request_latency", "request_queue_time", "request_inference_time", "request_prefill_time", "request_decode_time"):  # fmt: skip
            self._make(Histogram, f"{name}_seconds", buckets=LATENCY)

        self._around()

    def __getattr__(self, name: str) -> dict[Any, Any]:
        """The series of the family `vllm:NAME` by rank, or by rank and the value of its further label."""
        try:
            return self._families[name]
        except KeyError:
            raise AttributeError(name) from None

    def _around(self) -> None:
        """What the HTTP server and the process show beside it."""
        PlatformCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)
        counted = Counter("http_requests", "Requests.", ["method", "status", "handler"], registry=self.registry)
        took = Histogram("http_request_duration_seconds", "Time.", ["method", "handler"], registry=self.registry)
        quick = Histogram("http_request_duration_highr_seconds", "Time.", buckets=HTTP, registry=self.registry)
        quick.observe(0.3)
        for handler in ("/v1/chat/completions", "/v1/completions", "/v1/models"):
            took.labels("POST", handler).observe(0.2)
            for status in ("2xx", "4xx", "5xx"):
                counted.labels("POST", status, handler).inc()

    def _make(
        self,
        kind: type[Gauge | Counter | Histogram],
        name: str,
        *,
        buckets: Sequence[float] = (),
        **further: tuple[str, ...],
    ) -> None:
        options: dict[str, Any] = {"buckets": buckets} if buckets else {}
        metric = kind(
            f"vllm:{name}",
            f"What vLLM says of {name}.",
            ["model_name", "engine", *further],
            registry=self.registry,
            **options,
        )
        children: dict[Any, Any] = {}
        for model, rank in self._labels:
            for value in next(iter(further.values()), (None,)):
                key = (rank, value) if value else rank
                children[key] = metric.labels(model, rank, *((value,) if value else ()))
        self._families[name] = children

    def show(self, *, running: int = 0, waiting: int = 0, cache: float = 0.0, rank: int = 0) -> None:
        """Set the gauges of a rank."""
        self.num_requests_running[str(rank)].set(running)
        self.num_requests_waiting[str(rank)].set(waiting)
        self.kv_cache_usage_perc[str(rank)].set(cache)

    def begin(self, *, prompt: int, wait: float, cached: int = 0, rank: int = 0) -> None:
        """A request gets its first token."""
        at = str(rank)
        self.prompt_tokens[at].inc(prompt)
        self.prompt_tokens_cached[at].inc(cached)
        self.prompt_tokens_by_source[at, "local_compute"].inc(prompt - cached)
        self.prompt_tokens_by_source[at, "local_cache_hit"].inc(cached)
        self.time_to_first_token_seconds[at].observe(wait)
        self.generation_tokens[at].inc(1)

    def finish(self, *, prompt: int, output: int, wait: float, time: float, cached: int = 0, rank: int = 0) -> None:
        """The same request gets its other tokens and ends; `wait` was until the first, `time` is all."""
        at = str(rank)
        pace = (time - wait) / (output - 1) if output > 1 else 0.0
        self.generation_tokens[at].inc(output - 1)
        for _ in range(output - 1):
            self.inter_token_latency_seconds[at].observe(pace)
        self.request_time_per_output_token_seconds[at].observe(pace)
        self.request_success[at, "stop"].inc()
        self.e2e_request_latency_seconds[at].observe(time)
        self.request_queue_time_seconds[at].observe(wait / 2)
        self.request_prefill_time_seconds[at].observe(wait / 2)
        self.request_inference_time_seconds[at].observe(time - wait / 2)
        self.request_decode_time_seconds[at].observe(time - wait)
        self.request_prompt_tokens[at].observe(prompt)
        self.request_prefill_kv_computed_tokens[at].observe(prompt - cached)
        self.request_generation_tokens[at].observe(output)

    def serve(self, *, prompt: int, output: int, wait: float, time: float, cached: int = 0, rank: int = 0) -> None:
        """A whole request."""
        self.begin(prompt=prompt, wait=wait, cached=cached, rank=rank)
        self.finish(prompt=prompt, output=output, wait=wait, time=time, cached=cached, rank=rank)

    def text(self) -> bytes:
        """The page."""
        return generate_latest(self.registry)
