"""`npuserve simulate`: what autoscaling would do with a trace."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.test_plan import a_service

HEADER = "arrival_s,input_tokens,output_tokens\n"


def a_trace(rate: float = 2.0, seconds: int = 1200) -> str:
    return HEADER + "".join(f"{index / rate:.2f},500,100\n" for index in range(int(rate * seconds)))


def test_the_answer_as_json_holds_npuserve_a_static_fleet_and_an_hpa(run: Run, write: Write) -> None:
    service = write("s.yaml", a_service(autoscaling={"maxReplicas": 6}))
    result = run("simulate", "-f", service, "--trace", write("t.csv", a_trace()), "--cold-start", "60", "-o", "json")
    assert result.exit_code == 0, result.output
    policies = json.loads(result.stdout)["policies"]
    assert set(policies) == {"npuserve", "static", "hpa"}
    for outcome in policies.values():
        assert set(outcome) == {"attainment", "npuHours", "reversals", "cut", "worstWindow"}
    assert policies["npuserve"]["attainment"] > 0.98


def test_a_zipped_trace_gives_the_same_answer(run: Run, write: Write, tmp_path: Path) -> None:
    service, plain = write("s.yaml", a_service()), write("t.csv", a_trace())
    zipped = tmp_path / "t.csv.gz"
    zipped.write_bytes(gzip.compress(a_trace().encode()))
    answers = [run("simulate", "-f", service, "--trace", path, "-o", "json").stdout for path in (plain, str(zipped))]
    assert answers[0] == answers[1] != ""


def test_more_replicas_at_least_cost_more(run: Run, write: Write) -> None:
    service, trace = write("s.yaml", a_service()), write("t.csv", a_trace(rate=0.5))
    hours = [
        json.loads(run("simulate", "-f", service, "--trace", trace, "-o", "json", *words).stdout)["policies"][
            "npuserve"
        ]
        for words in (("--max", "8"), ("--min", "5", "--max", "8"))
    ]
    assert hours[0]["npuHours"] < hours[1]["npuHours"]


def test_the_table_names_the_goal_and_that_the_speed_is_an_estimate(run: Run, write: Write) -> None:
    trace = write("t.csv", a_trace(seconds=300))
    result = run("simulate", "-f", write("s.yaml", a_service()), "--trace", trace, "--goal", "strict")
    assert "99.5%" in result.stdout
    assert "estimate" in result.stdout


def test_the_picture_is_drawn(run: Run, write: Write, tmp_path: Path) -> None:
    picture = tmp_path / "p.svg"
    trace = write("t.csv", a_trace(seconds=300))
    result = run("simulate", "-f", write("s.yaml", a_service()), "--trace", trace, "--picture", str(picture))
    assert result.exit_code == 0, result.output
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("spec", "words", "told"),
    [
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, (), "spec.autoscaling.minReplicas"),
        ({"autoscaling": {}}, (), "spec.autoscaling.maxReplicas is required"),
        (
            {
                "autoscaling": {
                    "maxReplicas": 4,
                    "schedule": [{"name": "a", "start": "0 25 * * *", "end": "0 1 * * *", "minReplicas": 2}],
                }
            },
            (),
            "spec.autoscaling.schedule[0].start",
        ),
        ({"backend": "vllm"}, (), "spec.backend"),
        ({}, ("--min", "4", "--max", "2"), "--min 4 is above --max 2"),
        ({}, ("--picture", "p.gif"), ".png"),
    ],
)
def test_what_cannot_be_simulated_names_the_field(
    run: Run, write: Write, spec: dict[str, object], words: tuple[str, ...], told: str
) -> None:
    trace = write("t.csv", a_trace(seconds=30))
    result = run("simulate", "-f", write("s.yaml", a_service(**spec)), "--trace", trace, *words)
    assert result.exit_code != 0
    assert told in result.output


def test_a_trace_without_its_header_is_refused_with_the_header(run: Run, write: Write) -> None:
    result = run("simulate", "-f", write("s.yaml", a_service()), "--trace", write("t.csv", "1,2,3\n"))
    assert result.exit_code == 1
    assert HEADER.strip() in result.output


def test_a_plan_accepts_autoscaling_within_its_limits(run: Run, write: Write) -> None:
    result = run("plan", "-f", write("s.yaml", a_service(autoscaling={"maxReplicas": 6})))
    assert result.exit_code == 0, result.output
    refused = run("plan", "-f", write("s.yaml", a_service(autoscaling={"minReplicas": 7, "maxReplicas": 6})))
    assert refused.exit_code == 2
    assert "minReplicas 7 is above maxReplicas 6" in refused.output
