"""What holds of every decision on the number of replicas, whatever the samples say."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from npuserve.autoscale.decision import Decision, decide
from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.memory import Memory, digest, from_digest
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Room, Settings

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)

counts = st.integers(0, 300)
loads = st.builds(ReplicaLoad, running=counts, waiting=counts, cached=st.floats(0, 600_000))


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    arrivals, finished = draw(counts), draw(counts)
    output = draw(st.integers(1, 4000))
    return Traffic(
        seconds=draw(st.sampled_from([5.0, 15.0, 900.0])),
        arrivals=arrivals,
        prompt_tokens=arrivals * draw(st.integers(1, 30_000)),
        generated=draw(st.integers(0, 20_000)),
        finished=finished,
        finished_prompt=finished * draw(st.integers(1, 30_000)),
        finished_output=finished * output,
        finished_output_squares=finished * output * output,
        blocking=finished * draw(st.floats(0, 1)),
        late=draw(st.integers(0, finished)),
    )


@st.composite
def samples(draw: st.DrawFn, *, missing: bool = True) -> LoadSample:
    one = st.one_of(st.none(), loads) if missing else loads
    return LoadSample(
        time=draw(st.floats(0, 1e6)),
        replicas=tuple(draw(st.lists(one, max_size=8))),
        starting=draw(st.integers(0, 4)),
        draining=draw(st.integers(0, 4)),
        traffic=draw(st.one_of(st.none(), traffics()) if missing else traffics()),
        queued=draw(st.integers(0, 50)),
    )


@st.composite
def asked(draw: st.DrawFn) -> Settings:
    least = draw(st.integers(0, 6))
    return Settings(
        PROFILE,
        least=least,
        most=draw(st.integers(max(1, least), 20)),
        share=draw(st.sampled_from([0.98, 0.99, 0.995])),
        floor=draw(st.integers(0, 6)),
        room=draw(st.one_of(st.none(), st.builds(Room, st.integers(0, 20), st.just("free devices")))),
    )


def run(series: list[LoadSample], wish: Settings) -> tuple[Memory, list[Decision]]:
    memory, decisions = Memory(), []
    for index, sample in enumerate(sorted(series, key=lambda one: one.time)):
        memory, decision = decide(memory, replace(sample, time=sample.time + index), wish)
        decisions.append(decision)
    return memory, decisions


series = st.lists(samples(), min_size=1, max_size=12)


ALL_LATE = LoadSample(
    time=0.0,
    replicas=(ReplicaLoad(1, 0, 0.0),),
    starting=0,
    draining=0,
    traffic=Traffic(5.0, 0, 0, 600, 10, 6000, 2000, 400_000, 0.0, 10),
)
"""The end of a load that was too much: nothing arrives any more, and all that ends is late."""


@given(series, asked())
@example([ALL_LATE], Settings(PROFILE, share=0.995))
def test_every_sample_gets_the_same_answer_twice_and_never_an_error(taken: list[LoadSample], wish: Settings) -> None:
    assert run(taken, wish) == run(taken, wish)


@given(series, asked())
def test_decisions_stay_within_the_limits_of_the_service(taken: list[LoadSample], wish: Settings) -> None:
    for decision in run(taken, wish)[1]:
        assert 0 <= decision.replicas <= wish.most


@given(series, asked())
def test_no_more_replicas_are_asked_for_than_the_cluster_has_room_for(taken: list[LoadSample], wish: Settings) -> None:
    room = wish.most if wish.room is None else wish.room.replicas
    ordered = sorted(taken, key=lambda one: one.time)
    for sample, decision in zip(ordered, run(taken, wish)[1], strict=True):
        assert decision.replicas <= max(room, sample.current)


@given(series, samples(), asked())
def test_a_sample_with_missing_replicas_takes_nothing_away(
    before: list[LoadSample], last: LoadSample, wish: Settings
) -> None:
    memory, _ = run(before, wish)
    blind = replace(last, time=2e6, replicas=(*last.replicas, None))
    assert decide(memory, blind, wish)[1].replicas >= min(blind.current, wish.most)


@given(series, samples(missing=False), st.integers(1, 500), asked())
def test_more_waiting_requests_never_mean_fewer_replicas(
    before: list[LoadSample], last: LoadSample, more: int, wish: Settings
) -> None:
    memory, _ = run(before, wish)
    last = replace(last, time=2e6, replicas=(*last.replicas, ReplicaLoad(0, 0, 0.0)))
    first, *others = last.replicas
    assert first is not None
    busier = replace(last, replicas=(replace(first, waiting=first.waiting + more), *others))
    assert decide(memory, busier, wish)[1].replicas >= decide(memory, last, wish)[1].replicas


@given(series, asked())
def test_a_digest_brings_back_what_matters(taken: list[LoadSample], wish: Settings) -> None:
    memory, _ = run(taken, wish)
    again = from_digest(digest(memory), now=memory.last_time or 0.0)
    assert digest(again) == digest(memory)


@given(st.text(max_size=200) | st.dictionaries(st.text(max_size=8), st.integers()).map(str))
@settings(max_examples=50)
def test_no_text_is_too_broken_for_a_fresh_start(text: str) -> None:
    assert from_digest(text, now=0.0) == Memory()
