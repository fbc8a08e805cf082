"""One step of a service's autoscaling after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from npuserve.api.autoscaling import AutoscalingFloor
from npuserve.autoscale.load import ReplicaLoad, Traffic
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.placing import FIRST_PAUSE
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Room, Settings
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.sample import fleet
from npuserve.reconcile.step import Asked, Read, Seen, State, begin, step
from tests.support.fleets import BEGAN, a_pod_of, busy, starting, traffic, waiting

SETTINGS = Settings(EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000), least=1, most=8)
ASKED = Asked("active", SETTINGS, (), charge="load", grace=120.0, starts=None)
ROOMY = Room(20, "Atlas 800I A2 64G: 80 of 96 devices free")
NEW = State(Memory(), ordered=2, began=BEGAN - 1)
TWO = (a_pod_of("one"), a_pod_of("two"))
SECOND = BEGAN + 100


def seen(pods: Sequence[ReplicaPod] = TWO, *, load: ReplicaLoad | None = None, flow: Traffic | None = None) -> Seen:
    there = fleet(pods)
    return Seen(there, Read({pod.uid: load for pod in there.asked}, flow))


def after(state: State, *, seconds: int, asked: Asked = ASKED, room: Room | None = ROOMY, **look: Any) -> State:
    """The state after looks every five seconds that all show the same."""
    for at in range(0, seconds, 5):
        state = step(state, seen(**look), asked, room=room, now=SECOND + at)
    return state


def crowded(**changes: Any) -> dict[str, Any]:
    """Twelve requests a second: more than two replicas carry."""
    return {"load": busy(90), "flow": traffic(12.0), **changes}


def test_more_load_than_the_replicas_carry_orders_more() -> None:
    state = after(NEW, seconds=60, **crowded())
    assert state.decision is not None
    assert state.ordered == state.decision.replicas > 2
    assert state.told is not None
    assert state.told.status["replicas"] == state.ordered


def test_the_first_sample_decides_nothing() -> None:
    state = after(NEW, seconds=5, load=busy(200), flow=traffic(0.0, seconds=0.0))
    assert (state.decision, state.told, state.ordered) == (None, None, 2)


def test_replicas_that_cannot_be_read_keep_their_number() -> None:
    state = after(NEW, seconds=60, load=None, flow=None)
    assert state.decision is not None
    assert (state.decision.constraint, state.ordered) == ("MetricsMissing", 2)


def test_while_the_first_replica_starts_nothing_is_missing() -> None:
    state = after(replace(NEW, ordered=1), seconds=60, pods=[starting("one")])
    assert state.decision is not None
    assert (state.decision.constraint, state.decision.reason) == ("Starting", "none serves yet, 1 start")


@pytest.mark.parametrize(("least", "left"), [(0, 0), (1, 1)])
def test_a_service_that_may_stop_does_so_after_its_idle_time_and_not_after_a_hold_besides(
    least: int, left: int
) -> None:
    asked = replace(ASKED, settings=replace(SETTINGS, least=least, idle=60.0))
    state = after(replace(NEW, ordered=1), seconds=300, asked=asked, pods=TWO[:1], load=busy(5), flow=traffic(1.0))
    numbers = []
    for at in range(300, 400, 5):
        quiet = seen(TWO[:1], load=busy(0), flow=traffic(0.0))
        state = step(state, quiet, asked, room=ROOMY, now=SECOND + at)
        numbers.append(state.ordered)
    assert numbers[:11] == [1] * 11
    assert numbers[12:] == [left] * 8


def test_an_operator_that_begins_with_an_old_digest_takes_nothing_away_that_the_last_one_had_kept() -> None:
    night = after(replace(NEW, ordered=1), seconds=900, pods=TWO[:1], load=busy(1), flow=traffic(0.4)).memory
    assert max(count for _, count in night.wishes) == 1
    state = begin(night, {"replicas": 4}, ordered=4, began=BEGAN - 1, now=SECOND)
    four = [a_pod_of(name) for name in "abcd"]
    quiet = {"pods": four, "load": busy(2), "flow": traffic(0.4)}
    assert after(state, seconds=int(SETTINGS.hold), **quiet).ordered == 4
    assert after(state, seconds=int(SETTINGS.hold) + 300, **quiet).ordered < 4


def test_a_floor_of_the_schedule_holds_at_its_time_of_day() -> None:
    always = AutoscalingFloor(name="always", start="* * * * *", end="0 0 29 2 *", min_replicas=5)
    assert after(NEW, seconds=5, asked=replace(ASKED, schedule=(always,)), load=None).ordered == 5


@pytest.mark.parametrize(
    "asked", [replace(ASKED, charge="another scaler"), replace(ASKED, mode="observe", charge="spec")]
)
def test_who_is_not_in_charge_decides_and_orders_nothing(asked: Asked) -> None:
    state = after(NEW, seconds=60, asked=asked, **crowded())
    assert state.decision is not None
    assert state.decision.replicas > 2
    assert state.ordered == 2


def test_wishes_beyond_the_room_stop_there_and_say_so() -> None:
    state = after(NEW, seconds=60, room=Room(3, "Atlas 800I A2 64G: 4 of 16 devices free"), **crowded())
    assert state.decision is not None
    assert state.ordered == 3
    full = after(replace(NEW, ordered=2), seconds=60, room=Room(2, "ResourceQuota npus: 0 of 8 pods left"), **crowded())
    assert full.decision is not None
    assert (full.decision.constraint, full.ordered) == ("Capacity", 2)
    assert full.decision.reason == f"wants {full.decision.wanted}, room for 2 (ResourceQuota npus: 0 of 8 pods left)"


def test_what_a_service_keeps_at_least_is_asked_for_without_room_too() -> None:
    asked = replace(ASKED, settings=replace(SETTINGS, least=4))
    assert after(NEW, seconds=5, asked=asked, room=Room(0, "nothing"), load=None).ordered == 4


def test_replicas_that_find_no_node_are_taken_back_and_asked_for_again() -> None:
    stuck = crowded(pods=[*TWO, waiting("three"), waiting("four")])
    state = after(replace(NEW, ordered=4), seconds=130, **stuck)
    assert state.decision is not None
    assert (state.ordered, state.decision.constraint) == (2, "Capacity")
    assert "0/3 nodes are available" in state.decision.reason
    gone = crowded()
    later = SECOND + 130
    state = step(state, seen(**gone), ASKED, room=ROOMY, now=later)
    assert state.ordered == 2
    state = step(state, seen(**gone), ASKED, room=ROOMY, now=later + FIRST_PAUSE)
    assert state.ordered > 2


def test_more_room_asks_for_them_again_at_once() -> None:
    stuck = crowded(pods=[*TWO, waiting("three")])
    state = after(replace(NEW, ordered=3), seconds=130, room=Room(8, "8 free"), **stuck)
    assert state.ordered == 2
    assert step(state, seen(**crowded()), ASKED, room=Room(12, "12 free"), now=SECOND + 135).ordered > 2


def test_starts_that_were_seen_set_the_look_ahead_and_older_ones_do_not() -> None:
    state = after(NEW, seconds=5, pods=[a_pod_of("one", ready_since=BEGAN + 240), a_pod_of("old", created=BEGAN - 50)])
    assert (state.memory.cold_start, state.memory.cold_starts) == (240.0, 1)
    again = after(state, seconds=5, pods=[a_pod_of("one", ready_since=BEGAN + 900)])
    assert again.memory.cold_starts == 1


def test_waiting_for_devices_is_no_start() -> None:
    state = after(NEW, seconds=5, pods=[waiting("one")])
    assert after(state, seconds=5, pods=[a_pod_of("one", ready_since=BEGAN + 4000)]).memory.cold_starts == 0


def test_a_rollout_with_a_surplus_orders_no_more() -> None:
    surge = [*TWO, starting("three", template="t-2")]
    calm = {"load": busy(60), "flow": traffic(8.0)}
    before = after(NEW, seconds=300, **calm)
    rolling = after(replace(before, ordered=2), seconds=300, pods=surge, **calm)
    assert before.told is not None
    assert rolling.told is not None
    assert rolling.ordered == rolling.told.status["replicas"] <= max(2, before.ordered)


def test_replicas_that_may_not_start_at_once_are_told_to_be_on_their_way() -> None:
    asked = replace(ASKED, starts=1)
    state = after(NEW, seconds=60, asked=asked, **crowded())
    assert state.decision is not None
    assert state.told is not None
    assert state.ordered == state.told.status["replicas"] == 3 < state.decision.replicas
    assert "; 1 start at a time, " in state.told.status["message"]


def test_why_replicas_cannot_be_read_is_told() -> None:
    blind = Seen(fleet(TWO), Read({}, None, "Timeout: no page within 3 s"))
    state = step(NEW, blind, ASKED, room=ROOMY, now=SECOND)
    assert state.decision is not None
    assert state.decision.reason.endswith("(Timeout: no page within 3 s)")
