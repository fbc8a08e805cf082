"""The planner meets what the vendors publish, and the page that says so is current."""

from __future__ import annotations

import pytest

from npuserve.models.catalogue import lookup
from tests.published.anchors import TOLERANCE, Anchor, anchors
from tests.published.report import README, page, tables
from tests.published.results import ACCEPTED, FAR_BELOW, WITHIN, Results
from tests.published.rows import every_row


def results(title: str) -> Results:
    return next(found for found in tables() if found.title == title)


every_table = pytest.mark.parametrize("title", [found.title for found in tables()])


@every_table
def test_published_sizes_are_accepted(title: str) -> None:
    assert results(title).accepted >= ACCEPTED, [trial.miss for trial in results(title).missed]


@every_table
def test_left_to_choose_the_planner_needs_no_more_devices_than_published(title: str) -> None:
    assert results(title).within >= WITHIN, results(title).above


@every_table
def test_left_to_choose_the_planner_seldom_takes_less_than_half_of_the_published_devices(title: str) -> None:
    assert results(title).below_half <= FAR_BELOW, results(title).far_below


@every_table
def test_most_published_rows_are_tried(title: str) -> None:
    assert len(results(title).choices) > 40


@pytest.mark.parametrize("anchor", anchors(), ids=lambda anchor: anchor.what)
def test_measured_memory_is_met(anchor: Anchor) -> None:
    assert abs(anchor.error) <= TOLERANCE


def test_every_base_model_is_in_the_catalogue() -> None:
    assert [row.model for row in every_row() if row.base is not None and lookup(row.base) is None] == []


def test_the_page_of_results_is_current() -> None:
    assert README.read_text(encoding="utf-8") == page(), "run: make generate"
