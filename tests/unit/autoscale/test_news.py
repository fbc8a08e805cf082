"""Which arrivals are news."""

from __future__ import annotations

from dataclasses import replace

from npuserve.autoscale.memory import Mean, Memory
from npuserve.autoscale.news import news, window


def arriving(now: float, *, lately: float, life: float = 15.0) -> Memory:
    fresh = Memory()
    return replace(
        fresh,
        arrivals=replace(fresh.arrivals, amount=now, weight=1.0),
        recent_arrivals=Mean(600, amount=lately, weight=1.0),
        life=life,
    )


def test_what_counts_as_now_follows_the_life_of_an_answer_within_bounds() -> None:
    assert [window(life) for life in (1.0, 60.0, 1000.0)] == [20.0, 60.0, 240.0]


def test_news_is_more_than_chance_makes_of_ten_requests_a_second() -> None:
    told = {now: news(arriving(now, lately=10.0)) for now in (5.0, 10.0, 12.5, 13.5, 20.0)}
    assert told == {5.0: False, 10.0: False, 12.5: False, 13.5: True, 20.0: True}


def test_the_same_rise_is_news_sooner_where_answers_are_long_and_means_are_calm() -> None:
    assert not news(arriving(12.5, lately=10.0, life=15.0))
    assert news(arriving(12.5, lately=10.0, life=200.0))


def test_one_request_after_a_silence_is_no_news_but_many_are() -> None:
    assert not news(arriving(0.2, lately=0.0))
    assert news(arriving(2.0, lately=0.0))


def test_nothing_known_is_no_news() -> None:
    assert not news(Memory())
