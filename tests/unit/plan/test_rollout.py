"""How replicas are replaced, by the room there is."""

from __future__ import annotations

import pytest

from npuserve.plan.rollout import choose_rollout


@pytest.mark.parametrize(
    ("replicas", "room", "surge", "unavailable", "recreate"),
    [
        (1, 1, 1, 0, False),
        (3, 5, 1, 0, False),
        (0, 2, 1, 0, False),
        (1, 0, 0, 1, True),
        (0, 0, 0, 1, True),
        (2, 0, 0, 1, False),
        (1, None, 0, 1, True),
        (4, None, 0, 1, False),
    ],
)
def test_room_for_one_more_surges_and_a_full_cluster_goes_one_down(
    replicas: int, room: int | None, surge: int, unavailable: int, *, recreate: bool
) -> None:
    found = choose_rollout(replicas, room)
    assert (found.surge, found.unavailable, found.recreate) == (surge, unavailable, recreate)
    assert found.reason.startswith("rollout: ")
