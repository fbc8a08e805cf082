"""The sheets say who needs what, and leave nobody's failure out."""

from __future__ import annotations

import pytest

from tests.bench.autoscale.hardship import HARDSHIPS, WRONG
from tests.bench.autoscale.measuring import OURS, Job
from tests.bench.autoscale.phases import best_peers
from tests.bench.autoscale.report import Day, days_of, each_day, hardships, sums, trace_sheet
from tests.bench.autoscale.sheets import Sheet, filled
from tests.bench.autoscale.tuning import Figures, Run


def run(trace: str, family: str, attainment: float, hours: float, *, later: float = 1.0) -> Run:
    return Run(trace, family, 1.0, Figures(attainment, hours, 3, 2, 0.8, 0.95, later))


@pytest.fixture
def days() -> list[Day]:
    reached = {OURS: (0.992, 102.0), "oracle": (0.99, 90.0), "KubeAI": (0.99, 100.0), "Knative": (0.99, 300.0)}
    results = {
        Job(trace, family, 0.99): [run(trace, family, *found)]
        for trace in ("a", "b")
        for family, found in reached.items()
    }
    for trace, attainment in (("a", 0.98), ("b", 0.995)):
        results[Job(trace, "static", 0.99)] = [run(trace, "static", attainment, 80.0)]
    return days_of(results, 0.99)


def test_each_day_is_held_against_its_own_best_peer_and_the_oracle(days: list[Day]) -> None:
    first, second, total = each_day(days).rows
    assert first[3:8] == ("KubeAI", "100", "+2.0%", "90", "+13.3%")
    assert second[3:6] == ("static", "80", "+27.5%")
    assert total[1:8] == ("204", "2 of 2 days", "each day's best", "180", "+13.3%", "180", "+13.3%")


def test_a_family_that_misses_the_target_says_so_with_its_best(days: list[Day]) -> None:
    row = next(row for row in trace_sheet(days[0]).rows if row[0] == "static")
    assert row[1:3] == ("not reached; 80", "98.00%")


def test_sums_compare_over_the_days_that_a_family_reaches(days: list[Day]) -> None:
    rows = {row[0]: row for row in sums(days).rows}
    assert rows["static"][1:4] == ("80", "1 of 2", "+27.5%")
    assert rows["KubeAI"][1:4] == ("200", "2 of 2", "+2.0%")


def test_the_best_peers_are_those_that_reach_most_days_for_least(days: list[Day]) -> None:
    assert best_peers(days) == ["KubeAI", "Knative"]


def test_the_oracle_of_a_day_is_the_cheapest_of_those_that_know_it(days: list[Day]) -> None:
    patient = "oracle (keeps all day)"
    day = Day("a", {**days[0].runs, patient: [run("a", patient, 0.99, 85.0)]}, 0.99)
    best = day.best("oracle")
    assert best is not None
    assert (best.run.family, best.npu_hours) == (patient, 85.0)
    assert day.families == days[0].families


def test_a_wrong_engine_model_is_shown_in_points_beside_the_right_one() -> None:
    results = {
        Job("a", OURS, 0.99, hardship=name): [run("a", OURS, 0.99, 100.0, later=0.987 if name == WRONG[1] else 0.991)]
        for name in HARDSHIPS
    }
    _, wrong = hardships(results)
    assert wrong.rows == (("a", "99.10%", "99.10%", "+0.00", "98.70%", "-0.40"),)


def test_sheets_are_written_between_the_markers_alone() -> None:
    sheet = Sheet("t", ("", "hours"), (("npuserve", "1"), ("short",)))
    text = filled("before\n<a>\nold\n<b>\nafter\n", [sheet], markers=("<a>", "<b>"))
    assert (
        text == "before\n<a>\n\n**t**\n\n|  | hours |\n| --- | ---: |\n| npuserve | 1 |\n| short |  |\n\n<b>\nafter\n"
    )
    with pytest.raises(ValueError, match="holds no <a> before <b>"):
        filled("nothing", [sheet], markers=("<a>", "<b>"))
