"""What of a digest is worth a write."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.autoscale.memory import Mean, Memory, digest
from npuserve.autoscale.worth import FACTORS, worth_writing

KNOWN = Memory(
    output=Mean(600, 20_000.0, 100.0),
    speed=Mean(3600, 950.0, 1000.0),
    usual_arrivals=Mean(24 * 3600, 4000.0, 1000.0),
    judged=3000.0,
    cold_starts=3,
    last_time=1000.0,
)


def worth(**changes: Any) -> bool:
    return worth_writing(digest(KNOWN), digest(KNOWN._replace(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"judged": 5900.0},
        {"cold_starts": 4},
        {"cold_start": KNOWN.cold_start * 1.05},
        {"arrivals": Mean(60, 900.0, 30.0)},
        {"wishes": ((990.0, 5), (1000.0, 3))},
        {"speed": Mean(3600, 1900.0, 2000.0)},
    ],
)
def test_what_is_learned_again_within_minutes_is_worth_none(changes: dict[str, Any]) -> None:
    assert not worth(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"judged": 6100.0},
        {"cold_starts": 6},
        {"cold_start": KNOWN.cold_start * 1.2},
        {"usual_error": KNOWN.usual_error * 2},
        {"level": 2.5},
        {"output": Mean(600, 40_000.0, 100.0)},
        {"usual_arrivals": Mean(24 * 3600, 8000.0, 1000.0)},
        {"speed": Mean(3600, 1200.0, 1000.0)},
    ],
)
def test_what_decides_for_hours_is_worth_one(changes: dict[str, Any]) -> None:
    assert worth(**changes)


@pytest.mark.parametrize("kept", ["", "{}", "[]", "no digest", '{"version": 0}', '{"version": 1}'])
def test_what_is_no_digest_of_this_version_is_written_over(kept: str) -> None:
    assert worth_writing(kept, digest(KNOWN))


def test_errors_below_the_spread_that_is_counted_on_in_any_case_are_alike() -> None:
    _, least = FACTORS["usual_error"]
    calm = KNOWN._replace(usual_error=least, recent_error=least)
    assert not worth_writing(digest(calm), digest(calm._replace(usual_error=least / 5, recent_error=least / 9)))
