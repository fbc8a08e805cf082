"""How many replicas, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.decision import Decision, decide
from npuserve.autoscale.learning import learned
from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.memory import Memory, digest, from_digest
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Room, Settings
from npuserve.autoscale.worth import worth_writing

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)
WISH = Settings(PROFILE, least=1, most=20)


def sample(
    time: float,
    *,
    replicas: int,
    rate: float,
    starting: int = 0,
    step: float = 75.0,
    output: int = 200,
    blocking: float = 0.0,
) -> LoadSample:
    """Five seconds of steady requests of 1,000 prompt and, without more said, 200 output tokens, spread evenly; each blocks
    its replica for so many seconds on average."""
    running = round(rate * output * step / 1000 / replicas)
    finished = rate * 5
    return LoadSample(
        time=time,
        replicas=(ReplicaLoad(running, 0, running * 1100.0),) * replicas,
        starting=starting,
        draining=0,
        traffic=Traffic(
            seconds=5.0,
            arrivals=finished,
            prompt_tokens=finished * 1000,
            generated=round(rate * 5 * output),
            finished=finished,
            finished_prompt=finished * 1000,
            finished_output=finished * output,
            finished_output_squares=finished * output * output,
            blocking=finished * blocking,
            late=0.0,
        ),
    )


def steady(seconds: int, *, replicas: int, rate: float, wish: Settings = WISH) -> tuple[Memory, Decision]:
    memory, decision = Memory(), None
    for at in range(0, seconds, 5):
        memory, decision = decide(memory, sample(float(at), replicas=replicas, rate=rate), wish)
    assert decision is not None
    return memory, decision


def test_a_load_beyond_the_fleet_is_answered_at_once_with_all_it_needs() -> None:
    _, decision = steady(120, replicas=2, rate=10.0)
    assert decision.constraint == "Demand"
    assert decision.replicas >= decision.forecast > 3
    assert "requests/s" in decision.reason


def test_twice_the_load_wants_more_replicas() -> None:
    assert steady(600, replicas=4, rate=12.0)[1].wanted > steady(600, replicas=4, rate=6.0)[1].wanted


def test_prompts_that_block_others_ask_for_replicas_that_the_work_does_not_need() -> None:
    counts = []
    for blocking in (0.0, 0.05, 0.1):
        memory, decision = Memory(), None
        for at in range(0, 3600, 5):
            memory, decision = decide(memory, sample(float(at), replicas=6, rate=3.0, blocking=blocking), WISH)
        assert decision is not None
        counts.append(decision.wanted)
    assert counts[0] < counts[1] < counts[2]


def test_late_answers_where_prompts_collide_buy_up_to_half_as_many_replicas_again() -> None:
    counts = []
    for late in (0.0, 0.05):
        memory, decision = Memory(), None
        for at in range(0, 2 * 3600, 5):
            taken = sample(float(at), replicas=20, rate=6.0, blocking=0.3)
            assert taken.traffic is not None
            taken = replace(taken, traffic=replace(taken.traffic, late=late * taken.traffic.finished))
            memory, decision = decide(memory, taken, replace(WISH, most=200))
        assert decision is not None
        counts.append(decision.wanted)
    assert 1.2 < counts[1] / counts[0] < 1.6


@pytest.mark.parametrize(("blocking", "minutes", "share"), [(0.1, 60, 0.6), (0.3, 15, 0.33)])
def test_blocked_requests_of_a_busy_hour_count_within_it(blocking: float, minutes: int, share: float) -> None:
    memory, decision, counts = Memory(), None, []
    for until, rate in ((4 * 3600, 1.5), (4 * 3600 + minutes * 60, 4.5), (9 * 3600, 4.5)):
        for at in range(int(memory.last_time or 0) + 5, until, 5):
            taken = sample(float(at), replicas=8, rate=rate, blocking=blocking)
            memory, decision = decide(memory, taken, replace(WISH, most=50))
        assert decision is not None
        counts.append(decision.wanted)
    quiet, busy, settled = counts
    assert busy - quiet > share * (settled - quiet) > 0


def test_replicas_go_only_after_the_wish_for_them_is_old_and_a_few_at_a_time() -> None:
    memory, busy = steady(300, replicas=6, rate=10.0)
    at = 300.0
    decision = busy
    while decision.replicas >= 6 and at < 3000:
        memory, decision = decide(memory, sample(at, replicas=6, rate=1.0), WISH)
        at += 5
    assert at - 300 > WISH.hold / 2
    assert 6 - WISH.down_step <= decision.replicas < 6


def test_holding_says_for_how_long() -> None:
    memory, _ = steady(300, replicas=6, rate=10.0)
    for at in range(300, 500, 5):
        memory, decision = decide(memory, sample(float(at), replicas=6, rate=1.0), WISH)
    assert decision.constraint == "Holding"
    assert decision.next_change is not None
    assert 0 < decision.next_change <= WISH.hold


def test_nothing_goes_while_something_starts() -> None:
    memory, _ = steady(3000, replicas=8, rate=1.0)
    _, decision = decide(memory, sample(3000.0, replicas=8, rate=1.0, starting=1), WISH)
    assert (decision.replicas, decision.constraint) == (9, "Starting")


def test_an_outage_of_metrics_freezes_and_says_so() -> None:
    memory, _ = steady(600, replicas=4, rate=8.0)
    blind = LoadSample(600.0, (None,) * 4, 0, 0, None)
    after, decision = decide(memory, blind, WISH)
    assert (decision.replicas, decision.constraint) == (4, "MetricsMissing")
    assert after == memory


def test_a_missing_replica_does_not_stop_help_from_coming() -> None:
    memory, _ = steady(120, replicas=2, rate=10.0)
    seen = sample(120.0, replicas=2, rate=10.0)
    _, decision = decide(memory, replace(seen, replicas=(*seen.replicas, None)), WISH)
    assert decision.replicas > 3


def test_wishes_beyond_the_cluster_stop_at_what_fits_and_say_what_is_missing() -> None:
    wish = replace(WISH, room=Room(4, "Atlas 800I A2"))
    _, decision = steady(120, replicas=4, rate=15.0, wish=wish)
    assert (decision.replicas, decision.constraint) == (4, "Capacity")
    assert decision.reason == f"wants {decision.wanted}, room for 4 (Atlas 800I A2)"


def test_room_that_shrinks_takes_nothing_away() -> None:
    wish = replace(WISH, room=Room(2, "ResourceQuota npus"))
    assert steady(120, replicas=4, rate=15.0, wish=wish)[1].replicas == 4


def test_a_floor_of_the_schedule_holds_against_a_quiet_hour() -> None:
    wish = replace(WISH, floor=5, floor_reason="office-hours asks for 5")
    _, decision = steady(120, replicas=2, rate=0.4, wish=wish)
    assert (decision.replicas, decision.constraint, decision.reason) == (5, "Schedule", "office-hours asks for 5")


def test_a_service_that_may_stop_does_so_when_nobody_asks() -> None:
    wish = replace(WISH, least=0)
    memory = steady(300, replicas=1, rate=1.0, wish=wish)[0]
    quiet = LoadSample(0, (ReplicaLoad(0, 0, 0.0),), 0, 0, Traffic(5.0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0))
    at, decision = 300.0, None
    while at < 4000 and (decision is None or decision.replicas):
        memory, decision = decide(memory, replace(quiet, time=at), wish)
        at += 5
    assert decision is not None
    assert (decision.replicas, decision.constraint) == (0, "Idle")
    assert at - 300 >= wish.idle


def test_a_request_held_at_zero_starts_the_first_replica() -> None:
    wish = replace(WISH, least=0)
    empty = LoadSample(0.0, (), 0, 0, None)
    assert decide(Memory(), empty, wish)[1].replicas == 0
    assert decide(Memory(), replace(empty, queued=3), wish)[1].replicas == 1


def test_an_engine_slower_than_its_profile_is_found_out() -> None:
    spent = PROFILE.base + PROFILE.sequence * 25 + PROFILE.token * 25 * 1100
    true = spent / (1 - 10 / 6 * (PROFILE.prefill + PROFILE.prefill_pass / 1000))
    wrong = replace(WISH, profile=PROFILE.scaled(0.6))
    memory = Memory()
    for at in range(0, 3600, 5):
        memory, _ = decide(memory, sample(float(at), replicas=6, rate=10.0, step=true), wrong)
    assert learned(memory, wrong.profile).prefill == pytest.approx(PROFILE.prefill, rel=0.15)


def test_misses_buy_replicas() -> None:
    memory, calm = steady(7200, replicas=6, rate=8.0)
    late = memory._replace(missed=memory.missed._replace(amount=memory.missed.weight * 0.03))
    assert decide(late, sample(7200.0, replicas=6, rate=8.0), WISH)[1].wanted > calm.wanted


def test_misses_that_a_limit_causes_are_not_counted() -> None:
    wish = replace(WISH, room=Room(2, "free devices"))
    memory, decision = steady(600, replicas=2, rate=15.0, wish=wish)
    assert decision.wanted > decision.replicas
    seen = sample(600.0, replicas=2, rate=15.0)
    assert seen.traffic is not None
    late = replace(seen, traffic=replace(seen.traffic, late=50.0))
    assert decide(memory, late, wish)[0].missed == memory.missed


@pytest.mark.parametrize(("output", "least", "most"), [(200, 25, 25), (4000, 60, 600)])
def test_a_wish_for_one_more_has_to_last_and_where_answers_are_long_for_longer(
    output: int, least: int, most: int
) -> None:
    rate, wanted = 1600 / output, 8
    memory = Memory()
    for at in range(0, 7200, 5):
        memory, decision = decide(memory, sample(at, replicas=wanted, rate=rate, output=output), WISH)
        wanted = decision.wanted
    short = sample(7200, replicas=wanted - 1, rate=rate, output=output)
    memory, decision = decide(memory, short, WISH)
    assert decision.wanted == wanted
    assert (decision.constraint, decision.replicas) == ("Holding", wanted - 1)
    assert decision.next_change is not None
    assert least <= decision.next_change <= most
    memory, decision = decide(memory, replace(short, time=7200 + decision.next_change), WISH)
    assert decision.replicas == wanted


def test_a_wish_for_one_more_need_not_last_where_more_requests_come_than_chance_makes() -> None:
    memory, before = steady(1200, replicas=3, rate=5.0)
    assert before.wanted == 3
    _, decision = decide(memory, sample(1200.0, replicas=3, rate=11.0, step=60.0), WISH)
    assert (decision.wanted, decision.replicas) == (4, 4)


def test_what_a_single_look_shows_is_ordered_at_once_and_not_held() -> None:
    memory, _ = steady(1200, replicas=4, rate=10.0)
    memory, decision = decide(memory, sample(1200.0, replicas=4, rate=25.0), WISH)
    assert decision.replicas > 4
    assert decision.arrivals > 12.0
    assert max(count for _, count in memory.wishes) < decision.wanted


def test_a_restart_causes_no_jump() -> None:
    memory, before = steady(3600, replicas=4, rate=8.0)
    restarted = from_digest(digest(memory), now=50.0)
    _, after = decide(restarted, sample(55.0, replicas=4, rate=8.0), WISH)
    assert abs(after.wanted - before.wanted) <= 1


def test_a_steady_service_writes_no_digest() -> None:
    memory, _ = steady(3600, replicas=4, rate=8.0)
    again, _ = decide(memory, sample(3600.0, replicas=4, rate=8.0), WISH)
    assert not worth_writing(digest(memory), digest(again))
    assert worth_writing(digest(memory), digest(memory._replace(cold_start=memory.cold_start * 2)))
