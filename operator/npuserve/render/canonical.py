"""The one form of a value: quantities as the API server writes them back, and digests of whole objects.

Rule for quantities (apimachinery/pkg/api/resource/quantity.go, CanonicalizeBytes): the largest suffix of the same kind
that leaves a whole number; binary suffixes below 1024 and for fractions become decimal ones; a nano is the finest.
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from typing import Any

from npuserve.quantity import format_bytes, parse_quantity

_NANO = 10**9
_DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")


@lru_cache(maxsize=4096)
def quantity(text: str) -> str:
    """The canonical form: `quantity("1000m") == "1"`, `quantity("1.5Gi") == "1536Mi"`.

    Raises ValueError for what is no quantity.
    """
    number = parse_quantity(text)
    if number is None:
        raise ValueError(f"{text!r} is no quantity")
    if text[-1:] == "i" and number >= 1024 and number.denominator == 1:
        return format_bytes(int(number))
    return _decimal(number, exponential=text[-1].isdigit() and "e" in text.lower())


def byte_quantity(amount: int) -> str:
    """A number of bytes as a canonical quantity: `byte_quantity(8 << 30) == "8Gi"`."""
    return quantity(format_bytes(amount))


def digest(value: Any) -> str:
    """32 hexadecimal digits that change with any key or value of a JSON value, and not with the order of keys."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(written.encode(), digest_size=16).hexdigest()


def _decimal(number: Fraction, *, exponential: bool) -> str:
    amount, step = ceil(number * _NANO), 0
    if not amount:
        return "0"
    while amount % 1000 == 0 and step + 1 < len(_DECIMAL):
        amount, step = amount // 1000, step + 1
    power = 3 * (step - _DECIMAL.index(""))
    if not exponential:
        return f"{amount}{_DECIMAL[step]}"
    return f"{amount}e{power}" if power else str(amount)
