"""Quantities as the API server writes them back, and digests."""

from __future__ import annotations

import pytest

from npuserve.render.canonical import byte_quantity, digest, quantity


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1000m", "1"),
        ("500m", "500m"),
        ("0.5", "500m"),
        ("4", "4"),
        ("4000", "4k"),
        ("1500", "1500"),
        ("1.5k", "1500"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("0.9765625Ki", "1k"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("15e2", "1500"),
        ("1E", "1E"),
        ("1Ei", "1Ei"),
        ("0.1n", "1n"),
        ("256Gi", "256Gi"),
    ],
)
def test_a_quantity_is_written_as_the_api_server_stores_it(written: str, stored: str) -> None:
    assert quantity(written) == stored
    assert quantity(stored) == stored


def test_what_is_no_quantity_is_an_error() -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantity("lots")


@pytest.mark.parametrize(("amount", "stored"), [(8 << 30, "8Gi"), (3 << 19, "1536Ki"), (2000, "2k"), (0, "0")])
def test_bytes_are_written_in_the_largest_whole_unit(amount: int, stored: str) -> None:
    assert byte_quantity(amount) == stored


def test_a_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1, "b": [1, 2]}) != digest({"a": 1, "b": [2, 1]})
    assert digest({"a": 1}) != digest({"a": "1"})
