"""What DynoSim shows becomes the sample that a rule is asked with. The metrics are one tick of ai-dynamo-runtime 1.6.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from npuserve.autoscale.load import LoadSample, ReplicaLoad
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.score import Tally
from tests.bench.autoscale.dynosim.adapter import Driven
from tests.bench.autoscale.dynosim.process import count, ticks
from tests.bench.autoscale.dynosim.tables import engine, write_tables, write_trace
from tests.bench.autoscale.engines import OBJECTIVES, QWEN3_32B

RECORDED = json.loads(Path(__file__).with_name("dynosim_tick.json").read_text(encoding="utf-8"))


class Wish:
    """A rule that always wants the same, and remembers what it was shown."""

    every = 15.0

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas
        self.shown: list[LoadSample] = []

    def wanted(self, sample: LoadSample) -> int:
        self.shown.append(sample)
        return self.replicas


def driven(rule: Wish, ticks: int = 1) -> Driven:
    return Driven(rule, QWEN3_32B, OBJECTIVES, [(1.0, 400, 20), (4.0, 600, 30), (20.0, 1000, 40)], ticks)


def tick(**traffic: float) -> dict[str, Any]:
    return RECORDED | {"traffic": RECORDED["traffic"] | traffic}


def test_a_recorded_tick_becomes_a_sample() -> None:
    rule = Wish(5)
    answer = driven(rule).on_tick(RECORDED)
    (sample,) = rule.shown
    assert sample.time == 5.0
    assert sample.replicas[0] == ReplicaLoad(24, 0, 25884)
    assert (len(sample.replicas), sample.starting, sample.draining) == (4, 1, 0)
    assert sample.traffic is not None
    assert (sample.traffic.seconds, sample.traffic.arrivals, sample.traffic.prompt_tokens) == (5.0, 17, 1000)
    assert (sample.traffic.finished, sample.traffic.finished_prompt) == (10, pytest.approx(5946))
    assert sample.traffic.generated == 5958 + 10
    assert answer == {"target_prefill": None, "target_decode": None, "next_tick_ms": 10_000.0}


def test_a_rule_is_asked_at_its_own_pace_and_only_changes_are_ordered() -> None:
    one = driven(Wish(7))
    orders = [one.on_tick(RECORDED)["target_decode"] for _ in range(4)]
    assert orders == [7, None, 7, None]
    assert one.changes == [(5.0, 5, 7), (15.0, 5, 7)]


def test_requests_that_end_alone_speak_for_those_that_end_together() -> None:
    rule = Wish(5)
    one = driven(rule, ticks=3)
    quick: dict[str, float] = {"avg_ttft_ms": 200.0, "avg_itl_ms": 60.0}
    one.on_tick(tick(shape_count=1, avg_isl=100.0, avg_osl=10.0, **quick))
    one.on_tick(tick(shape_count=1, avg_isl=100.0, avg_osl=30.0, avg_ttft_ms=9000.0, avg_itl_ms=60.0))
    one.on_tick(tick(shape_count=2, avg_isl=100.0, avg_osl=20.0, **quick))
    (sample,) = rule.shown
    assert sample.traffic is not None
    assert (sample.traffic.finished, sample.traffic.finished_output, sample.traffic.late) == (4, 80.0, 2.0)
    assert sample.traffic.finished_output_squares == 2 * (10**2 + 30**2)


def test_a_stream_that_falls_behind_is_late_and_a_quick_one_is_not() -> None:
    late = []
    for gap in (60.0, 140.0):
        rule = Wish(5)
        driven(rule).on_tick(tick(shape_count=1, avg_isl=100.0, avg_osl=200.0, avg_ttft_ms=100.0, avg_itl_ms=gap))
        assert rule.shown[0].traffic is not None
        late.append(rule.shown[0].traffic.late)
    assert late == [0.0, 1.0]


def test_a_replica_keeps_its_last_step_within_a_sample_and_loses_it_after() -> None:
    rule = Wish(5)
    one = driven(rule, ticks=2)
    idle = RECORDED | {"decode_fpm_snapshots": []}
    for metrics in (RECORDED, idle, idle, idle):
        one.on_tick(metrics)
    first, second = rule.shown
    assert first.replicas[1].running == 22
    assert {replica.running for replica in second.present} == {0}


def test_devices_are_paid_for_until_the_last_arrival() -> None:
    one = driven(Wish(5))
    for _ in range(10):
        one.on_tick(RECORDED)
    assert one.seconds == 5 * 5.0 * 5


def test_a_request_without_an_end_missed_its_objectives() -> None:
    tally = Tally(QWEN3_32B, OBJECTIVES)
    ended = {
        "arrival_time_ms": 1000.0,
        "ttft_ms": 300.0,
        "e2e_latency_ms": 2000.0,
        "input_length": 9,
        "output_length": 30,
    }
    count(iter([ended | {"ttft_ms": None, "e2e_latency_ms": None}, ended]), tally)
    assert (tally.asked, tally.met) == ([2], [1])


def test_the_tables_hold_the_costs_of_the_profile(tmp_path: Path) -> None:
    import numpy as np

    write_tables(QWEN3_32B, tmp_path / "tables.npz")
    tables = np.load(tmp_path / "tables.npz")
    place = np.searchsorted(tables["decode_context_length"], 1000)
    tokens, context = tables["decode_active_kv_tokens"][64], tables["decode_context_length"][place]
    expected = QWEN3_32B.step(tokens / context, tokens)
    assert tables["decode_itl"][64, place] == pytest.approx(expected)
    assert tables["prefill_ttft_ms"][0] == pytest.approx(1000 * QWEN3_32B.ideal_prefill(1))


def test_requests_share_nothing_in_the_trace(tmp_path: Path) -> None:
    write_trace([(0.0015, 5, 6), (1.0, 7, 8)], tmp_path / "trace.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert rows[0] == {"timestamp": 2, "input_length": 5, "output_length": 6, "hash_ids": [0]}
    assert rows[1]["hash_ids"] == [1]


def test_the_engine_holds_as_many_tokens_as_the_profile(tmp_path: Path) -> None:
    profile: EngineProfile = QWEN3_32B
    made = engine(profile, tmp_path, cold_start=60.0)
    assert made["startup_time"] == 60.0
    assert made["engine"]["num_gpu_blocks"] * made["engine"]["block_size"] == pytest.approx(
        profile.cache_tokens, rel=1e-3
    )


def test_a_busy_service_is_looked_at_more_often() -> None:
    assert [ticks([(0.0, 1, 1)] * count + [(100.0, 1, 1)]) for count in (1, 300, 3000)] == [1, 19, 50]
