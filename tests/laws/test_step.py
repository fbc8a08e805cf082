"""What holds of every number that is ordered, whatever is seen and however long it goes on."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from npuserve.autoscale.memory import Memory
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Room, Settings
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.sample import fleet
from npuserve.reconcile.step import Asked, Read, Seen, State, step
from tests.support.fleets import BEGAN, a_pod_of, busy, starting, traffic, waiting

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)
KINDS = {
    "serves": a_pod_of,
    "starts": starting,
    "waits": waiting,
    "leaves": lambda name: a_pod_of(name, serving=False, draining_since=BEGAN),
    "ends": lambda name: a_pod_of(name, ending=True),
    "aside": lambda name: a_pod_of(name, serving=False),
}
limits = st.tuples(st.integers(1, 4), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))
rooms = st.one_of(st.none(), st.integers(0, 12).map(lambda count: Room(count, "nodes")))


@st.composite
def pods(draw: st.DrawFn) -> list[ReplicaPod]:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=8))
    return [KINDS[kind](f"pod-{number}") for number, kind in enumerate(kinds)]


@st.composite
def looks(draw: st.DrawFn) -> Seen:
    there = fleet(draw(pods()))
    loads = {pod.uid: draw(st.one_of(st.none(), st.integers(0, 250).map(busy))) for pod in there.asked}
    read = any(load is not None for load in loads.values())
    flow = traffic(draw(st.sampled_from([0.0, 1.0, 20.0, 200.0]))) if read else None
    return Seen(there, Read(loads, flow))


def asked(bounds: tuple[int, int], starts: int | None) -> Asked:
    settings = Settings(PROFILE, least=bounds[0], most=bounds[1])
    return Asked("active", settings, (), charge="load", grace=60.0, starts=starts)


def begun(ordered: int) -> State:
    return State(Memory(), ordered=ordered, began=BEGAN)


@given(st.lists(looks(), min_size=1, max_size=12), limits, rooms, st.one_of(st.none(), st.integers(1, 3)))
def test_what_is_ordered_is_within_the_limits_from_the_first_decision_on(
    seen: list[Seen], bounds: tuple[int, int], room: Room | None, starts: int | None
) -> None:
    state = begun(bounds[0])
    for number, look in enumerate(seen):
        plain = Seen(replace(look.fleet, aside=()), look.read)
        state = step(state, plain, asked(bounds, starts), room=room, now=BEGAN + 100 + 5 * number)
        assert bounds[0] <= state.ordered <= bounds[1]


@given(st.lists(looks(), min_size=1, max_size=8), st.integers(1, 8))
def test_what_cannot_be_read_never_takes_a_replica_away(seen: list[Seen], ordered: int) -> None:
    state = begun(ordered)
    for number, look in enumerate(seen):
        placed = replace(look.fleet, starting=tuple(replace(pod, node="a2-0") for pod in look.fleet.starting))
        blind = Seen(placed, Read(dict.fromkeys(look.read.loads), None))
        before = state.ordered
        state = step(state, blind, asked((1, 8), None), room=None, now=BEGAN + 100 + 5 * number)
        assert state.ordered >= before


@given(st.lists(looks(), min_size=1, max_size=8), st.integers(0, 8))
def test_the_same_looks_give_the_same_states(seen: list[Seen], ordered: int) -> None:
    def all_of_them() -> State:
        state = begun(ordered)
        for number, look in enumerate(seen):
            state = step(state, look, asked((1, 8), None), room=Room(4, "nodes"), now=BEGAN + 100 + 5 * number)
        return state

    assert all_of_them() == all_of_them()
