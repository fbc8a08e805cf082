"""DynoSim replays whole days where there is time, and as many hours of each as there is time for where there is not."""

from __future__ import annotations

from math import inf
from pathlib import Path
from time import sleep

import pytest

from tests.bench.autoscale.dynosim import budget
from tests.bench.autoscale.dynosim.budget import affordable
from tests.bench.autoscale.measuring import OURS, Job, measured
from tests.bench.autoscale.traces import first, rows_of, tokens_by_hour
from tests.bench.autoscale.tuning import Figures, Run


@pytest.fixture
def three_hours(tmp_path: Path) -> str:
    """A request a minute, with 10, 20 and 30 tokens by hour."""
    rows = "".join(f"{60 * minute},100,{10 * (1 + minute // 60)}\n" for minute in range(180))
    path = tmp_path / "three_hours.csv"
    path.write_text("arrival_s,input_tokens,output_tokens\n" + rows)
    return str(path)


def run(trace: str, family: str) -> Run:
    return Run(trace, family, 1.0, Figures(1.0, 1.0, 0, 0, 1.0, 1.0))


def hours(trace: str, seconds: float, *, processes: int = 1, ours: float = 0.001) -> float:
    runs = [run(trace, "static"), run(trace, OURS)]
    return affordable(runs, [0.001, ours], seconds=seconds, processes=processes)


def test_tokens_are_counted_by_hour(three_hours: str) -> None:
    assert tokens_by_hour(three_hours) == (600, 1200, 1800)


def test_a_trace_without_its_later_hours_ends_with_the_last_request_of_the_others(three_hours: str) -> None:
    assert [row[0] for row in first(rows_of(three_hours), 1.0)][-1] == 3540
    assert first(rows_of(three_hours), inf) == rows_of(three_hours)


def test_all_is_replayed_where_there_is_time(three_hours: str) -> None:
    assert hours(three_hours, 7.2) == inf


def test_the_first_hours_are_replayed_where_there_is_time_for_no_more(three_hours: str) -> None:
    assert hours(three_hours, 7.1) == 2
    assert hours(three_hours, 3.6) == 2
    assert hours(three_hours, 1.8, processes=2) == 2


def test_an_hour_is_replayed_even_where_there_is_no_time(three_hours: str) -> None:
    assert hours(three_hours, -5.0) == 1


def test_each_run_counts_at_its_own_pace(three_hours: str) -> None:
    assert hours(three_hours, 3.7, ours=0.002) == 1
    assert hours(three_hours, 5.5, ours=0.002) == 2


def test_a_pace_is_taken_once_by_trace_for_npuserve_and_for_the_others(
    three_hours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = []

    def replayed(run: Run, *, hours: float, **_: object) -> None:
        probed.append((run.family, hours))
        sleep(0.2 if run.family == OURS else 0.0)

    monkeypatch.setattr(budget, "replayed", replayed)
    runs = [run(three_hours, family) for family in (OURS, "static", "KubeAI")]
    ours, *others = budget.paces(runs, cold_start=180.0, folder=tmp_path, processes=1)
    assert probed == [(OURS, budget.PROBED), ("KubeAI", budget.PROBED)]
    assert ours >= 0.2 / 1800 > others[0] == others[1]


def test_our_simulator_replays_the_same_hours_with_the_same_setting(three_hours: str) -> None:
    (whole,) = measured(Job(three_hours, "static", 0.99, value=2.0))
    (part,) = measured(Job(three_hours, "static", 0.99, value=2.0, hours=1.0))
    assert whole.value == part.value == 2.0
    assert part.figures.npu_hours == pytest.approx(whole.figures.npu_hours / 3, rel=0.02)
