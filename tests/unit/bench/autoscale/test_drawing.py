"""Drawn days follow the published rates, are bunched as their clients are, and are the same on every machine."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.bench.autoscale.drawing import BIN, BINS, DRAWS, REASONING, TEXT, Draw, drawn
from tests.bench.autoscale.traces import found, rows_of


@pytest.fixture(scope="module")
def light() -> Draw:
    return Draw(replace(TEXT, mean=0.5), 9, 1)


def counts(rows: list[tuple[float, int, int]], width: float) -> list[int]:
    found = [0] * int(BINS * BIN / width)
    for at, _, _ in rows:
        found[int(at // width)] += 1
    return found


def test_a_day_has_the_mean_asked_for_and_the_peak_of_its_rates(light: Draw) -> None:
    rows = drawn(light)
    hours = counts(rows, 3600.0)
    assert len(rows) == pytest.approx(0.5 * 86_400, rel=0.05)
    assert max(hours) > 2 * min(hours)
    assert all(0 <= before[0] <= after[0] < 86_400 for before, after in pairwise(rows))


def test_the_same_seed_draws_the_same_day_and_another_one_does_not(light: Draw) -> None:
    assert drawn(light) == drawn(light)
    assert drawn(light) != drawn(replace(light, seed=2))


def test_requests_come_in_bunches(light: Draw) -> None:
    minutes = counts(drawn(light), 60.0)
    smooth = [sum(minutes[max(0, at - 15) : at + 15]) / len(minutes[max(0, at - 15) : at + 15]) for at in range(1440)]
    spread = sum((count - mean) ** 2 for count, mean in zip(minutes, smooth, strict=True)) / sum(minutes)
    assert spread > 2


def test_lengths_stay_within_their_pool() -> None:
    rows = drawn(Draw(replace(REASONING, mean=0.2), 0, 5))
    prompts, outputs = ([row[index] for row in rows] for index in (1, 2))
    assert REASONING.prompts[0] <= min(prompts)
    assert max(prompts) <= REASONING.prompts[-1]
    assert REASONING.outputs[0] <= min(outputs)
    assert max(outputs) <= REASONING.outputs[-1]


def test_without_a_folder_the_drawn_days_are_the_traces() -> None:
    assert found(None) == list(DRAWS)
    assert found(None, holding="reasoning") == ["reasoning", "reasoning, other draw"]
    assert len(rows_of("reasoning")) > 200_000
