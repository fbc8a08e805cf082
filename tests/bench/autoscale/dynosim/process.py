"""One replay in DynoSim: `python -m tests.bench.autoscale.dynosim.process TRACE FAMILY VALUE COLD_START HOURS` prints what came of it.

Requests go to the replica with the fewest in flight, as in our own replay: DynoSim's cache-aware router with nothing to
win from caches and a high price for each request in flight.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic_core import from_json

from npuserve.autoscale.replay.fleet import SAMPLE, Row
from npuserve.autoscale.replay.replica import Request
from npuserve.autoscale.replay.score import Tally
from tests.bench.autoscale.dynosim.adapter import Driven
from tests.bench.autoscale.dynosim.tables import TRACE_BLOCK, engine, write_tables, write_trace
from tests.bench.autoscale.engines import DEVICES, OBJECTIVES, QWEN3_32B
from tests.bench.autoscale.families import knobs
from tests.bench.autoscale.hardship import begin, ours
from tests.bench.autoscale.measuring import OURS
from tests.bench.autoscale.traces import first, rows_of
from tests.bench.autoscale.tuning import figures

ENDS_PER_TICK = 0.8
"""Requests that end between two looks for npuserve, which counts late answers: two fifths of them end alone. The peers need
totals alone, and one look per sample."""
MOST_TICKS = 50
PRICE_IN_FLIGHT = 1e4
"""Cache blocks that a request in flight counts for."""


def main(arguments: Sequence[str]) -> int:
    """Replay, and print the figures as JSON."""
    trace, family, value, cold_start, hours = arguments
    whole = rows_of(trace)
    rows = first(whole, float(hours))
    if family == OURS:
        driven = Driven(ours(cold_start=float(cold_start)), QWEN3_32B, OBJECTIVES, rows, ticks(rows))
        initial = begin(rows)
    else:
        knob = knobs(whole, float(cold_start))[family]
        driven = Driven(knob.make(float(value)), QWEN3_32B, OBJECTIVES, rows)
        initial = int(float(value)) if knob.fixed else begin(rows)
    tally = replayed(driven, rows, initial=initial, cold_start=float(cold_start))
    found = figures(tally, DEVICES)
    print(json.dumps({"attainment": found.attainment, "npu_hours": found.npu_hours, "reversals": found.reversals}))
    return 0


def ticks(rows: Sequence[Row]) -> int:
    """Looks per sample: each costs DynoSim a fifth of a millisecond."""
    return max(1, min(MOST_TICKS, ceil(len(rows) / rows[-1][0] * SAMPLE / ENDS_PER_TICK)))


def replayed(driven: Driven, rows: Sequence[Row], *, initial: int, cold_start: float) -> Tally:
    """What DynoSim makes of the rows under a rule, counted as our own replay counts."""
    os.environ.setdefault("DYN_LOG", "error")
    from dynamo import _core as dynamo

    router = dynamo.KvRouterConfig(
        overlap_score_credit=0.0,
        prefill_load_scale=0.0,
        use_kv_events=False,
        router_track_prefill_tokens=False,
        router_assume_kv_reuse=False,
        decode_active_request_weight=PRICE_IN_FLIGHT,
    )
    tally = Tally(QWEN3_32B, OBJECTIVES)
    with TemporaryDirectory(prefix="npuserve-dynosim-") as name:
        tables, trace, answers = (Path(name, file) for file in ("tables.npz", "trace.jsonl", "answers.jsonl"))
        write_tables(QWEN3_32B, tables)
        write_trace(rows, trace)
        dynamo.run_mocker_trace_replay(
            [str(trace)],
            extra_engine_args=dynamo._normalize_mocker_config(engine(QWEN3_32B, tables, cold_start=cold_start)),
            num_workers=initial,
            trace_block_size=TRACE_BLOCK,
            router_mode="kv_router",
            router_config=router,
            scaling_policy=driven,
            capture_planner_details=False,
            report_jsonl_path=str(answers),
        )
        count(_answers(answers), tally)
    tally.seconds, tally.changes = driven.seconds, driven.changes
    return tally


def count(answers: Iterator[dict[str, Any]], tally: Tally) -> None:
    """Count what became of each request; one without an end missed its objectives."""
    for answer in sorted(answers, key=lambda one: float(one["arrival_time_ms"])):
        at = answer["arrival_time_ms"] / 1000
        tally.arrived(at)
        if answer["ttft_ms"] is not None and answer["e2e_latency_ms"] is not None:
            request = Request(at, answer["input_length"], answer["output_length"])
            request.first = at + answer["ttft_ms"] / 1000
            tally.ended(request, at + answer["e2e_latency_ms"] / 1000)


def _answers(path: Path) -> Iterator[dict[str, Any]]:
    kept = ("arrival_time_ms", "ttft_ms", "e2e_latency_ms", "input_length", "output_length")
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            answer = from_json(line)
            yield {name: answer[name] for name in kept}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
