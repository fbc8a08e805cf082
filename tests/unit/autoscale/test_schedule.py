"""How many replicas a schedule keeps at a moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from npuserve.api.autoscaling import AutoscalingFloor
from npuserve.autoscale.schedule import floor_at, schedule_fault

OFFICE = AutoscalingFloor(name="office-hours", start="0 8 * * 1-5", end="0 18 * * 1-5", min_replicas=4)


@pytest.mark.parametrize(
    ("moment", "replicas"),
    [
        (datetime(2026, 3, 2, 7, 59, 59, tzinfo=UTC), 0),
        (datetime(2026, 3, 2, 8, 0, tzinfo=UTC), 4),
        (datetime(2026, 3, 2, 17, 59, tzinfo=UTC), 4),
        (datetime(2026, 3, 2, 18, 0, tzinfo=UTC), 0),
        (datetime(2026, 3, 7, 12, 0, tzinfo=UTC), 0),
    ],
)
def test_a_floor_holds_from_its_start_to_its_end(moment: datetime, replicas: int) -> None:
    assert floor_at([OFFICE], moment)[0] == replicas


def test_hours_are_those_of_the_floors_own_time_zone() -> None:
    there = OFFICE.model_copy(update={"time_zone": "Asia/Shanghai"})
    assert floor_at([there], datetime(2026, 3, 2, 0, 30, tzinfo=UTC))[0] == 4
    assert floor_at([there], datetime(2026, 3, 2, 12, 0, tzinfo=UTC))[0] == 0


def test_the_highest_of_several_floors_counts_and_is_named() -> None:
    sale = AutoscalingFloor(name="sale", start="0 9 2 3 *", end="0 21 2 3 *", min_replicas=7)
    assert floor_at([OFFICE, sale], datetime(2026, 3, 2, 10, tzinfo=UTC)) == (7, "sale asks for 7 replicas")


def test_no_schedule_keeps_nothing() -> None:
    assert floor_at([], datetime(2026, 3, 2, tzinfo=UTC)) == (0, "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"start": "0 25 * * *"}, "start"),
        ({"end": "a b c d e"}, "end"),
        ({"start": "0 0 31 2 *"}, "start"),
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
    ],
)
def test_what_cron_or_the_zones_do_not_know_is_named(change: dict[str, str], field: str) -> None:
    found = schedule_fault(OFFICE.model_copy(update=change))
    assert found is not None
    assert found[0] == field
    assert schedule_fault(OFFICE) is None
