"""Pages as MindIE shows them: the families and buckets of Ascend/MindIE-LLM 3.0.x,
src/server/endpoint/utils/prometheus_metrics.cpp, which writes counts and sums before buckets and no `_created`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

TOKENS = (10, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
PACE = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
WHOLE = (1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60)


def mindie_page(
    *,
    running: int = 0,
    waiting: int = 0,
    cache: float = 0.0,
    received: int = 0,
    prompts: Sequence[int] = (),
    outputs: Sequence[int] = (),
    firsts: Sequence[float] = (),
    paces: Sequence[float] = (),
    wholes: Sequence[float] = (),
) -> bytes:
    """The page of a server that has seen these values."""
    lines = [
        *_plain("request_received_total", "counter", received),
        *_plain("request_success_total", "counter", len(wholes)),
        *_plain("request_failed_total", "counter", 0),
        *_plain("num_requests_running", "gauge", running),
        *_plain("num_requests_waiting", "gauge", waiting),
        *_plain("num_requests_swapped", "gauge", 0),
        *_plain("avg_prompt_throughput_toks_per_s", "gauge", 0.5867),
        *_plain("avg_generation_throughput_toks_per_s", "gauge", 2.375),
        *_histogram("time_to_first_token_seconds", FIRST, firsts),
        *_histogram("time_per_output_token_seconds", PACE, paces),
        *_histogram("e2e_request_latency_seconds", WHOLE, wholes),
        *_plain("failed_request_perc", "gauge", 0),
        *_histogram("request_prompt_tokens", TOKENS, prompts),
        *_histogram("request_generation_tokens", TOKENS, outputs),
        *_plain("prompt_tokens_total", "counter", sum(prompts)),
        *_plain("generation_tokens_total", "counter", sum(outputs)),
        *_plain("npu_cache_usage_perc", "gauge", cache),
        *_plain("cpu_cache_usage_perc", "gauge", 0),
        *_plain("npu_prefix_cache_hit_rate", "gauge", 0),
        *_plain("num_preemptions_total", "counter", 0),
    ]
    return "\n".join(lines).encode() + b"\n"


def _plain(name: str, kind: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} What MindIE says of it."
    yield f"# TYPE {name} {kind}"
    yield f'{name}{{model_name="qwen3-8b"}} {value:g}'


def _histogram(name: str, ends: Sequence[float], values: Sequence[float]) -> Iterator[str]:
    yield f"# HELP {name} What MindIE says of it."
    yield f"# TYPE {name} histogram"
    yield f'{name}_count{{model_name="qwen3-8b"}} {len(values)}'
    yield f'{name}_sum{{model_name="qwen3-8b"}} {sum(values):g}'
    for index, end in enumerate((*ends, float("inf"))):
        below = sum(bisect_left(ends, value) <= index for value in values)
        yield f'{name}_bucket{{model_name="qwen3-8b",le="{"+Inf" if end == float("inf") else f"{end:g}"}"}} {below}'
