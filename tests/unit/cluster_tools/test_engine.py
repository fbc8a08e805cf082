"""The engine that tests put behind pods: what its counters say follows from the requests that it had."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.engine_page import mindie, vllm
from tests.support.engine_replica import Replica, Request, Speed

TICK = 0.05


def values(replica: Replica) -> dict[str, float]:
    """Sums over labels by the name of the sample, buckets aside."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(replica.page().decode()):
        for sample in family.samples:
            if "le" not in sample.labels:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def advance(replica: Replica, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        replica.advance(replica.at + TICK)


def test_all_tokens_of_all_requests_are_counted_once() -> None:
    replica = Replica(vllm("m"), 0.0)
    for number in range(20):
        replica.add(Request(100 + number, 50, 0.0))
    advance(replica, 10)
    found = values(replica)
    assert found["vllm:prompt_tokens_total"] == found["vllm:request_prompt_tokens_sum"] == 20 * 100 + 190
    assert found["vllm:generation_tokens_total"] == found["vllm:request_generation_tokens_sum"] == 20 * 50
    assert found["vllm:request_success_total"] == found["vllm:e2e_request_latency_seconds_count"] == 20
    assert found["vllm:time_to_first_token_seconds_count"] == 20
    assert found["vllm:inter_token_latency_seconds_count"] == 20 * 49
    assert found["vllm:num_requests_running"] == found["vllm:num_requests_waiting"] == 0


def test_a_step_takes_longer_with_more_requests() -> None:
    speed = Speed(base=20, sequence=1, prefill=0)
    ends = []
    for count in (1, 100):
        replica = Replica(vllm("m"), 0.0, speed)
        for _ in range(count):
            replica.add(Request(10, 101, 0.0))
        while replica.in_flight:
            replica.advance(replica.at + TICK)
        ends.append(replica.at)
    assert ends == [pytest.approx(100 * 0.021, abs=0.1), pytest.approx(100 * 0.120, abs=0.1)]


def test_what_the_cache_or_the_batch_does_not_hold_waits() -> None:
    replica = Replica(vllm("m"), 0.0, Speed(cache_tokens=1000, max_sequences=3))
    for _ in range(2):
        replica.add(Request(400, 10, 0.0))
    replica.add(Request(400, 10, 0.0))
    assert (len(replica.running), len(replica.waiting)) == (2, 1)
    assert values(replica)["vllm:kv_cache_usage_perc"] == pytest.approx(0.8)
    advance(replica, 5)
    assert replica.in_flight == 0


def test_a_client_that_hangs_up_is_counted_as_such() -> None:
    replica = Replica(mindie("m"), 0.0)
    gone = Request(10, 1000, 0.0)
    replica.add(gone)
    advance(replica, 1)
    replica.abandon(gone)
    found = values(replica)
    assert found["request_received_total"] == found["request_failed_total"] == 1
    assert found["request_success_total"] == 0
    assert 0 < found["generation_tokens_total"] < 1000
