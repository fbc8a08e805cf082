"""Quantities as Kubernetes writes them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from npuserve.quantity import format_bytes, parse_quantity, whole


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", Fraction(1)),
        (8, Fraction(8)),
        ("1500m", Fraction(3, 2)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("2.", Fraction(2)),
        ("+3", Fraction(3)),
        ("1k", Fraction(1000)),
        ("1Ki", Fraction(1024)),
        ("1.5Gi", Fraction(3 << 29)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(1 << 60)),
        ("1e3", Fraction(1000)),
        ("1E3", Fraction(1000)),
        ("12e-1", Fraction(12, 10)),
        ("100n", Fraction(1, 10**7)),
    ],
)
def test_a_quantity_is_the_exact_number(written: Any, number: Fraction) -> None:
    assert parse_quantity(written) == number


@pytest.mark.parametrize(
    "written", ["", "x", "1 Gi", "Gi", "1gi", "1KiB", "--1", "-1", "1e1000", True, None, 1.5, [], {}]
)
def test_anything_else_is_none_and_counts_nothing(written: Any) -> None:
    assert parse_quantity(written) is None
    assert whole(written) == 0


def test_whole_rounds_down() -> None:
    assert whole("1999m") == 1
    assert whole("1.9Ki") == 1945


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "0"),
        (1, "1"),
        (1000, "1000"),
        (1024, "1Ki"),
        (8 << 30, "8Gi"),
        (1536 << 20, "1536Mi"),
        (1 << 60, "1Ei"),
        ((8 << 30) + 1, "8589934593"),
    ],
)
def test_bytes_are_written_with_the_largest_binary_suffix_that_leaves_a_whole_number(amount: int, written: str) -> None:
    assert format_bytes(amount) == written
