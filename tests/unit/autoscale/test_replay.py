"""What a trace does to a fleet."""

from __future__ import annotations

from dataclasses import fields
from random import Random

import pytest

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.beside import Hpa, Static
from npuserve.autoscale.replay.compare import compare
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.replay.score import Score, Tally
from npuserve.autoscale.replay.shipped import Shipped
from npuserve.autoscale.replay.trace import UnreadableTrace, read_trace
from npuserve.autoscale.settings import Settings

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)


def requests(*, seconds: int, rate: float, prompt: int = 1000, output: int = 200, start: float = 0.0) -> list[Row]:
    return [(start + index / rate, prompt, output) for index in range(int(seconds * rate))]


def static(trace: list[Row], replicas: int, profile: EngineProfile = PROFILE) -> Score:
    return replay(
        trace, Static(replicas), profile=profile, objectives=Objectives(), initial=replicas, conditions=Conditions()
    ).score(4)


def test_a_lone_request_takes_its_prefill_and_one_step_a_token() -> None:
    ends: list[tuple[float, float]] = []
    from npuserve.autoscale.replay.replica import Replica, Request

    replica = Replica(PROFILE, born=0, ready_at=0, finished=lambda request, now: ends.append((request.first, now)))
    replica.accept(Request(1.0, 1000, 11), 1.0)
    replica.run(100.0)
    steps = sum(PROFILE.step(1, 1000 + made) for made in range(10)) / 1000
    assert ends == [(pytest.approx(1.205), pytest.approx(1.205 + steps))]
    assert (replica.load, replica.cached, replica.generated) == (0, 0.0, 11)


def test_a_long_prompt_keeps_others_waiting() -> None:
    quick = requests(seconds=600, rate=0.5)
    blocked = sorted([*quick, *requests(seconds=600, rate=0.05, prompt=40_000, output=10)])
    assert static(blocked, 2).attainment < static(quick, 2).attainment == 1.0


def test_a_full_cache_ends_no_request() -> None:
    small = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 4_000)
    score = static(requests(seconds=60, rate=1, prompt=600, output=400), 1, small)
    assert score.requests == 60
    assert score.attainment < 1


def test_a_prompt_that_no_cache_holds_is_missed_and_holds_nobody_up() -> None:
    score = static([(0.0, 600_000, 5), (1.0, 100, 5)], 1)
    assert score.attainment == 0.5


def test_the_static_fleet_costs_its_size() -> None:
    score = static(requests(seconds=3600, rate=1), 3)
    assert score.npu_hours == pytest.approx(12, rel=0.01)
    assert (score.reversals, score.started) == (0, 0)


def test_npuserve_follows_a_step_of_the_load_and_the_answers_come_in_time() -> None:
    trace = [*requests(seconds=3600, rate=2), *requests(seconds=3600, rate=8, start=3600.0)]
    rule = Shipped(Settings(PROFILE, 1, 20), cold_start=60.0)
    tally = replay(trace, rule, profile=PROFILE, objectives=Objectives(), initial=2, conditions=Conditions(60.0))
    seen = tally.score(4)
    assert seen.attainment > 0.97
    assert seen.npu_hours < static(trace, 6).npu_hours


def test_an_hpa_reverses_more_often_than_npuserve() -> None:
    trace = [row for hour in range(6) for row in requests(seconds=900, rate=2 + 6 * (hour % 2), start=hour * 900.0)]
    scores = [
        replay(trace, rule, profile=PROFILE, objectives=Objectives(), initial=2, conditions=Conditions(60.0)).score(4)
        for rule in (Shipped(Settings(PROFILE, 1, 20), cold_start=60.0), Hpa(15, 1, 20))
    ]
    assert scores[0].reversals < scores[1].reversals


def test_an_outage_of_metrics_changes_nothing() -> None:
    trace = requests(seconds=3600, rate=6)
    rule = Shipped(Settings(PROFILE, 1, 20), cold_start=60.0)
    sizes: list[int] = []
    replay(
        trace,
        rule,
        profile=PROFILE,
        objectives=Objectives(),
        initial=4,
        conditions=Conditions(60.0, unseen=lambda now: 1800 <= now < 2700),
        watch=lambda sample, _: sizes.append(sample.current) if 1800 <= sample.time < 2700 else None,
    )
    assert len(set(sizes[1:])) == 1


def test_what_the_histograms_tell_is_near_what_happened() -> None:
    draw = Random(5)
    trace: list[Row] = []
    at = 0.0
    while at < 3600:
        at += draw.expovariate(7.0)
        trace.append((at, int(draw.lognormvariate(6.5, 1.2)) + 1, int(draw.lognormvariate(4.3, 1.1)) + 1))
    sums: list[dict[str, float]] = []
    for exact in (True, False):
        found: dict[str, float] = {}

        def add(sample: LoadSample, _: Tally, found: dict[str, float] = found) -> None:
            assert sample.traffic is not None
            for one in fields(sample.traffic):
                found[one.name] = found.get(one.name, 0.0) + getattr(sample.traffic, one.name)

        replay(
            trace,
            Static(5),
            profile=PROFILE,
            objectives=Objectives(),
            initial=5,
            conditions=Conditions(exact=exact),
            watch=add,
        )
        sums.append(found)
    true, told = sums
    for name in ("arrivals", "prompt_tokens", "generated", "finished", "finished_prompt", "finished_output"):
        assert told[name] == pytest.approx(true[name], rel=0.01)
    assert told["finished_output_squares"] == pytest.approx(true["finished_output_squares"], rel=0.1)
    assert told["blocking"] == pytest.approx(true["blocking"], rel=0.15)
    assert told["late"] == pytest.approx(true["late"], rel=0.4)
    assert true["late"] > 100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no columns"),
        ("time,in,out\n1,2,3\n", "arrival_s,input_tokens,output_tokens"),
        ("arrival_s,input_tokens,output_tokens\n1,x,3\n", "line 2"),
        ("arrival_s,input_tokens,output_tokens\n-1,2,3\n", "seconds from 0"),
        ("arrival_s,input_tokens,output_tokens\n", "no request"),
    ],
)
def test_a_trace_that_cannot_be_read_names_the_line_and_the_form(text: str, told: str) -> None:
    with pytest.raises(UnreadableTrace, match=told):
        read_trace(text.splitlines())


def test_rows_come_in_order_and_other_columns_are_passed_over() -> None:
    text = "input_tokens,arrival_s,output_tokens,note\n5,2.0,7,a\n6,1.0,8,b\n"
    assert read_trace(text.splitlines()) == [(1.0, 6, 8), (2.0, 5, 7)]


def test_the_fleet_of_one_size_is_the_smallest_that_reaches_the_goal_and_is_told_the_truth() -> None:
    trace = requests(seconds=900, rate=9.0)
    settings = Settings(PROFILE, least=1, most=9)
    reached = [count for count in range(1, 10) if static(trace, count).attainment >= settings.share]
    fleet = compare(trace, settings, devices=4, cold_start=180.0)["static"]
    assert 1 < reached[0] == fleet.timeline.replicas[-1]
    assert fleet.score == static(trace, reached[0])


def test_a_goal_that_no_fleet_reaches_shows_the_largest_that_may_be() -> None:
    fleet = compare(requests(seconds=900, rate=9.0), Settings(PROFILE, least=1, most=2), devices=4, cold_start=180.0)
    assert fleet["static"].score.attainment < 0.9
    assert fleet["static"].timeline.replicas[-1] == 2
