"""Laws of counting: whatever replicas show, in whatever order they are there, missing or new."""

from __future__ import annotations

from dataclasses import astuple, fields
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from npuserve.autoscale.counting import Counting
from npuserve.autoscale.load import Traffic
from npuserve.autoscale.objectives import USUAL
from npuserve.autoscale.page import Page
from npuserve.autoscale.profile import EngineProfile
from tests.unit.autoscale.pages import Served, page

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 100_000)
SUMS = ("prompt_tokens", "generated", "finished", "finished_prompt", "finished_output")

requests = st.builds(
    Served,
    prompt=st.integers(1, 90_000),
    output=st.integers(1, 400),
    wait=st.floats(0.01, 300),
    time=st.floats(300, 900),
)


@st.composite
def looks(draw, *, gaps: bool) -> list[dict[str, Page | None]]:
    """What three replicas show, look after look: each serves on, is missing for a while, or begins anew."""
    served: dict[str, list[Served]] = {"a": [], "b": [], "c": []}
    shown: list[dict[str, Page | None]] = []
    for _ in range(draw(st.integers(2, 6))):
        look: dict[str, Page | None] = {}
        for uid, done in served.items():
            if gaps and draw(st.integers(0, 9)) == 0:
                done.clear()
            done.extend(draw(st.lists(requests, max_size=3)))
            what = draw(st.integers(0, 9)) if gaps else 9
            if what > 0:
                look[uid] = (
                    None if what == 1 else page(*done, running=draw(st.integers(0, 9)), waiting=draw(st.integers(0, 9)))
                )
        shown.append(look)
    return shown


def counted(shown: list[dict[str, Page | None]]) -> list[Traffic | None]:
    counting, found = Counting(PROFILE, USUAL), []
    for number, look in enumerate(shown):
        counting, loads, traffic = counting.take(look, time=100.0 + 5 * number)
        assert [load is None for load in loads] == [one is None for one in look.values()]
        found.append(traffic)
    return found


@given(looks(gaps=True))
@settings(max_examples=60, deadline=None)
def test_traffic_is_finite_and_never_negative_and_there_is_some_only_where_a_page_was_read(shown) -> None:
    for look, traffic in zip(shown, counted(shown), strict=True):
        assert (traffic is None) == all(one is None for one in look.values())
        assert traffic is None or all(isfinite(value) and value >= 0 for value in astuple(traffic))


@given(looks(gaps=False))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_nothing_invented_between_the_first_look_and_the_last(shown) -> None:
    found = [traffic for traffic in counted(shown) if traffic is not None]
    whole = counted([shown[0], shown[-1]])[-1]
    assert whole is not None
    for field in fields(Traffic):
        if field.name in SUMS:
            assert round(sum(getattr(traffic, field.name) for traffic in found), 6) == round(
                getattr(whole, field.name), 6
            )
