"""Which arrivals are news."""

from __future__ import annotations

from random import Random

import pytest

from npuserve.autoscale.load import Traffic
from npuserve.autoscale.memory import Mean, Memory, digest, from_digest
from npuserve.autoscale.news import hurried, news, notice, window

LOOK = 5.0


def arriving(now: float, *, lately: float, life: float = 15.0) -> Memory:
    return Memory(
        arrivals=Mean(60, amount=lately, weight=1.0),
        quick_arrivals=Mean(10, amount=now, weight=1.0),
        recent_arrivals=Mean(600, amount=lately, weight=1.0),
        life=life,
    )


def look(arrivals: float) -> Traffic:
    """Five seconds in which nothing but so many requests came."""
    return Traffic(LOOK, arrivals, *(0.0 for _ in range(8)))


def hours(count: float, *, bunch: int = 1, rate: float = 10.0) -> Memory:
    """The memory after hours of requests that come in bunches of so many, each bunch by itself."""
    random, memory, due = Random(1), Memory(life=15.0), 0.0
    for end in range(5, int(count * 3600), 5):
        arrivals = 0
        while due < end:
            arrivals += bunch
            due += random.expovariate(rate / bunch)
        memory = notice(memory, look(arrivals))
    return memory


def test_what_counts_as_now_follows_the_life_of_an_answer_within_bounds() -> None:
    assert [window(life) for life in (1.0, 60.0, 1000.0)] == [15.0, 60.0, 240.0]


def test_news_is_more_than_chance_makes_of_ten_requests_a_second() -> None:
    told = {now: news(arriving(now, lately=10.0)) for now in (5.0, 10.0, 14.0, 16.0, 20.0)}
    assert told == {5.0: False, 10.0: False, 14.0: False, 16.0: True, 20.0: True}


def test_the_same_rise_is_news_where_answers_are_long_and_means_are_calm() -> None:
    assert not news(arriving(13.0, lately=10.0, life=15.0))
    assert news(arriving(13.0, lately=10.0, life=200.0))


def test_one_request_after_a_silence_is_no_news_but_many_are() -> None:
    assert not news(arriving(0.2, lately=0.0))
    assert news(arriving(2.0, lately=0.0))


def test_nothing_known_is_no_news() -> None:
    assert not news(Memory())


def test_a_rise_that_is_news_to_a_calm_service_is_usual_to_one_whose_requests_come_in_bunches() -> None:
    rise = look(15 * LOOK)
    calm, restless = hours(2), hours(2, bunch=10)
    for _ in range(2):
        calm, restless = notice(calm, rise), notice(restless, rise)
    assert (news(calm), news(restless)) == (True, False)


@pytest.mark.parametrize("bunch", [1, 10])
def test_twice_the_requests_are_news_after_two_looks_and_are_nearly_believed_after_a_minute(bunch: int) -> None:
    memory = hours(2, bunch=bunch, rate=40.0)
    double = look(80 * LOOK)
    for _ in range(2):
        memory = notice(memory, double)
    assert news(memory)
    for _ in range(10):
        memory = notice(memory, double)
    assert 65.0 < hurried(memory).arrivals.value < 80.0


def test_news_is_believed_less_a_doubt_and_never_below_what_counts_as_now() -> None:
    assert 10.0 < hurried(arriving(20.0, lately=10.0)).arrivals.value < 20.0
    assert hurried(arriving(5.0, lately=10.0)).arrivals.value == 10.0


def test_a_restart_keeps_how_restless_a_service_is_and_older_digests_say_nothing_of_it() -> None:
    memory = hours(2, bunch=10)._replace(last_time=7200.0)
    text = digest(memory)
    assert from_digest(text, now=0.0).unrest.value == pytest.approx(memory.unrest.value, rel=0.01)
    older = text.replace('"unrest":', '"other":')
    assert from_digest(older, now=0.0).unrest == Memory().unrest
