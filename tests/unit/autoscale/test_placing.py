"""Which replicas are taken back for want of a place, and when they are asked for again."""

from __future__ import annotations

from npuserve.autoscale.placing import FIRST_PAUSE, LONGEST_PAUSE, Placing, place

GRACE = 120.0


def looked(*looks: tuple[float, int, int], room: int = 9, begin: Placing | None = None) -> Placing:
    """The state after looks at (time, ordered, placed)."""
    state = begin or Placing()
    for now, ordered, placed in looks:
        state = place(state, ordered=ordered, placed=placed, room=room, now=now, grace=GRACE)
    return state


def test_replicas_that_find_their_place_in_time_stay() -> None:
    assert looked((0, 4, 2), (100, 4, 3), (200, 4, 4)).cap is None


def test_those_that_wait_longer_are_taken_back_to_what_has_a_place() -> None:
    state = looked((0, 4, 2), (119, 4, 2), (121, 4, 2))
    assert (state.cap, state.until) == (2, 121 + FIRST_PAUSE)


def test_one_that_finds_a_place_gives_the_others_more_time() -> None:
    assert looked((0, 4, 2), (100, 4, 3), (215, 4, 3)).cap is None
    assert looked((0, 4, 2), (100, 4, 3), (221, 4, 3)).cap == 3


def test_they_are_asked_for_again_after_a_pause_and_the_next_pause_is_twice_as_long() -> None:
    state = looked((0, 4, 2), (120, 4, 2))
    assert looked((119 + FIRST_PAUSE, 2, 2), begin=state) == state
    again = looked((121 + FIRST_PAUSE, 2, 2), begin=state)
    assert again.cap is None
    vain = looked((500, 4, 2), (620, 4, 2), begin=again)
    assert vain.until - 620 == 2 * FIRST_PAUSE


def test_more_room_than_there_was_ends_the_pause_at_once() -> None:
    state = looked((0, 4, 2), (120, 4, 2), room=2)
    assert looked((121, 2, 2), room=2, begin=state).cap == 2
    assert looked((122, 2, 2), room=3, begin=state).cap is None


def test_the_pause_has_an_end_and_a_success_forgets_the_failures() -> None:
    state = Placing(in_vain=50)
    assert looked((0, 4, 2), (120, 4, 2), begin=state).until == 120 + LONGEST_PAUSE
    assert looked((0, 4, 2), (60, 4, 4), begin=state).in_vain == 0
