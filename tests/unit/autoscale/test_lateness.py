"""What histograms tell of requests that came too late, beside what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.lateness import late, late_first
from npuserve.autoscale.objectives import USUAL, Objectives
from npuserve.autoscale.profile import EngineProfile
from tests.support.vllm_pages import FIRST
from tests.unit.autoscale.pages import Served, counters, histogram

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 100_000)


def told(*served: Served, objectives: Objectives = USUAL) -> float:
    return late(counters(*served), PROFILE, objectives)


def test_nothing_finished_is_nothing_late() -> None:
    assert told() == 0


def test_requests_in_good_time_are_not_late() -> None:
    assert told(*[Served(output=100, wait=0.3, time=7.0)] * 8) == pytest.approx(0, abs=1e-6)


def test_a_first_token_that_took_too_long_is_late() -> None:
    assert told(Served(prompt=1000, output=100, wait=3.0, time=9.0)) == pytest.approx(1)


def test_a_long_prompt_may_take_its_own_time() -> None:
    assert told(Served(prompt=20_000, output=100, wait=6.0, time=12.0)) == pytest.approx(0, abs=1e-3)


def test_among_short_prompts_the_long_one_is_taken_to_have_waited() -> None:
    served = [Served(prompt=20_000, output=100, wait=6.0, time=12.0), *[Served(output=100, wait=0.3, time=6.5)] * 5]
    assert late_first(counters(*served), PROFILE, USUAL) == 0


def test_short_prompts_behind_a_long_one_are_late() -> None:
    served = [Served(prompt=20_000, wait=6.0, time=12.0), *[Served(prompt=500, wait=4.0, time=11.0)] * 3]
    assert late_first(counters(*served), PROFILE, USUAL) == 3


def test_a_first_token_is_late_when_it_comes_even_if_nothing_has_ended() -> None:
    begun = replace(counters(), prompt=500.0, first=histogram(FIRST, [8.0]))
    assert late(begun, PROFILE, USUAL) == 1


def test_half_a_request_is_none_that_is_late() -> None:
    begun = replace(counters(), prompt=500.0, first=histogram(FIRST, [8.0]))
    counts = tuple(count * 0.4 for count in begun.first.counts)
    assert late(replace(begun, first=replace(begun.first, counts=counts)), PROFILE, USUAL) == 0


def test_every_answer_of_a_replica_that_is_too_slow_is_late() -> None:
    assert told(*[Served(output=400, wait=0.5, time=60.0)] * 6) == pytest.approx(6, rel=0.02)


def test_a_short_answer_may_be_slow_since_it_has_its_first_tokens_time_to_spend() -> None:
    slow = [Served(output=10, wait=0.5, time=2.0)] * 6
    assert slow[0].pace > USUAL.per_token
    assert told(*slow) < 0.1


def test_both_ways_to_be_late_count_once() -> None:
    both = [Served(prompt=500, output=400, wait=9.0, time=70.0)] * 6
    assert told(*both) == pytest.approx(6, rel=0.02)


def test_stricter_objectives_make_more_requests_late() -> None:
    served = [Served(output=100, wait=0.5, time=7.0)] * 6
    assert told(*served) < 0.1
    assert told(*served, objectives=Objectives(ttft=0.05)) >= 5
    assert told(*served, objectives=Objectives(per_token=0.03)) == pytest.approx(6, rel=0.1)


def test_a_long_answer_behind_a_late_first_token_that_kept_its_pace_is_late_once() -> None:
    served = [Served(prompt=500, output=400, wait=9.0, time=33.0)] * 6
    assert told(*served) == pytest.approx(6, rel=0.02)
