"""What the differences between looks at the replicas come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.counting import KEPT, Counting
from npuserve.autoscale.load import ReplicaLoad, Traffic
from npuserve.autoscale.objectives import USUAL
from npuserve.autoscale.page import Page
from npuserve.autoscale.profile import EngineProfile
from tests.unit.autoscale.pages import Served, page

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 100_000)
ONE = Served()


def looks(*pages: dict[str, Page | None], every: float = 5.0) -> list[Traffic | None]:
    """The traffic of each look, `every` seconds apart."""
    counting, found = Counting(PROFILE, USUAL), []
    for number, shown in enumerate(pages):
        counting, _, traffic = counting.take(shown, time=1000.0 + number * every)
        found.append(traffic)
    return found


def last(*pages: dict[str, Page | None], every: float = 5.0) -> Traffic:
    traffic = looks(*pages, every=every)[-1]
    assert traffic is not None
    return traffic


def test_loads_come_in_the_order_of_the_pages_and_a_replica_that_cannot_be_read_is_missing() -> None:
    _, loads, _ = Counting(PROFILE, USUAL).take({"b": page(running=3, waiting=1, cache=0.5), "a": None}, time=0.0)
    assert loads == (ReplicaLoad(3, 1, 50_000.0), None)


def test_no_replica_read_is_no_traffic() -> None:
    assert looks({"a": page()}, {"a": None}, {})[1:] == [None, None]


def test_the_first_look_has_nothing_to_compare_with() -> None:
    traffic = last({"a": page(*[ONE] * 1000)})
    assert (traffic.seconds, traffic.arrivals, traffic.generated, traffic.late) == (0, 0, 0, 0)


def test_differences_of_all_replicas_are_summed() -> None:
    before = {"a": page(ONE), "b": page(ONE, ONE)}
    traffic = last(before, {"a": page(*[ONE] * 3), "b": page(*[ONE] * 3)})
    assert (traffic.seconds, traffic.finished, traffic.generated) == (5, 3, 300)
    assert (traffic.prompt_tokens, traffic.finished_prompt, traffic.finished_output) == (3000, 3000, 300)
    assert traffic.finished_output_squares == pytest.approx(30_000, rel=0.01)


def test_arrivals_are_first_tokens_and_what_joined_the_queue() -> None:
    assert last({"a": page()}, {"a": page(ONE, begun=2, running=2, waiting=4)}).arrivals == 7


def test_an_engine_that_counts_arrivals_is_believed() -> None:
    before, after = page(), page(ONE, waiting=4)
    counted = [
        replace(one, counters=replace(one.counters, arrived=count)) for one, count in ((before, 3.0), (after, 20.0))
    ]
    assert last({"a": counted[0]}, {"a": counted[1]}).arrivals == 17


def test_a_request_on_its_way_from_the_queue_to_its_first_token_arrives_once() -> None:
    arrived = [
        traffic.arrivals
        for traffic in looks(
            {"a": page()}, {"a": page(waiting=1)}, {"a": page(running=1)}, {"a": page(running=1, begun=1)}, {"a": page(begun=1)}
        )
        if traffic
    ]  # fmt: skip
    assert arrived == [0, 1, 0, 0, 0]


def test_a_queue_that_was_given_up_hides_no_later_arrival() -> None:
    arrived = [
        traffic.arrivals
        for traffic in looks({"a": page(waiting=100)}, {"a": page()}, {"a": page()}, {"a": page(begun=5)})
        if traffic
    ]
    assert arrived == [0, 0, 0, 5]


def test_a_replica_that_began_anew_is_left_out_until_its_next_page() -> None:
    shown = looks({"a": page(*[ONE] * 9)}, {"a": page(ONE)}, {"a": page(ONE, ONE)})
    assert [traffic and (traffic.seconds, traffic.finished) for traffic in shown] == [(0, 0), (0, 0), (5, 1)]


def test_a_new_replica_began_with_nothing() -> None:
    traffic = last({"a": page(ONE)}, {"a": page(ONE), "b": page(ONE, ONE)})
    assert (traffic.seconds, traffic.finished) == (5, 2)


def test_a_replica_that_did_more_than_is_possible_since_is_no_new_one() -> None:
    assert last({"a": page(ONE)}, {"a": page(ONE), "b": page(*[ONE] * 500)}).finished == 0


def test_a_replica_that_was_there_and_never_read_is_counted_from_its_second_page() -> None:
    shown = looks({"a": page(), "b": None}, {"a": page(), "b": page(*[ONE] * 4)}, {"a": page(), "b": page(*[ONE] * 5)})
    assert [traffic and traffic.finished for traffic in shown] == [0, 0, 1]


def test_what_a_replica_did_unseen_is_no_burst_when_it_is_read_again() -> None:
    busy = [page(*[ONE] * count) for count in (0, 2, 4, 6, 8, 10)]
    shown = looks(*({"a": one, "b": None if number in (2, 3, 4) else one} for number, one in enumerate(busy)))
    assert [traffic and traffic.finished for traffic in shown] == [0, 4, 2, 2, 2, 4]


def test_after_an_outage_of_all_the_traffic_spans_it() -> None:
    traffic = last({"a": page()}, {"a": None}, {"a": None}, {"a": page(*[ONE] * 6)})
    assert (traffic.seconds, traffic.finished) == (15, 6)


def test_a_replica_that_was_unready_for_a_while_is_remembered() -> None:
    traffic = last({"a": page(), "b": page(*[ONE] * 7)}, {"a": page()}, {"a": page(), "b": page(*[ONE] * 9)})
    assert traffic.finished == 1


def test_replicas_that_are_long_gone_are_forgotten() -> None:
    counting, _, _ = Counting(PROFILE, USUAL).take({"a": page(), "b": page()}, time=0.0)
    counting, _, _ = counting.take({"a": page()}, time=KEPT + 1)
    assert set(counting.seen) == {"a"}


def test_a_second_look_at_the_same_time_changes_nothing() -> None:
    counting, _, _ = Counting(PROFILE, USUAL).take({"a": page()}, time=7.0)
    again, _, traffic = counting.take({"a": page(ONE)}, time=7.0)
    assert (again, traffic) == (counting, None)


def test_long_prompts_block() -> None:
    assert last({"a": page()}, {"a": page(ONE)}).blocking == 0
    assert last({"a": page()}, {"a": page(Served(prompt=20_000, wait=4.0))}).blocking == pytest.approx(2.528, rel=0.01)


def test_misses_are_counted() -> None:
    traffic = last({"a": page()}, {"a": page(Served(wait=3.0, time=10.0), ONE)})
    assert traffic.late == pytest.approx(1)
