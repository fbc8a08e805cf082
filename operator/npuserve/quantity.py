"""Quantities as Kubernetes writes them, as exact numbers and back.

Grammar: number, then one of m, nothing, k M G T P E, Ki Mi Gi Ti Pi Ei, or a decimal exponent
(apimachinery/pkg/api/resource/quantity.go).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

_QUANTITY = re.compile(r"^\+?(?P<number>\d+(\.\d*)?|\.\d+)(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$")
_FACTORS = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
_FACTORS |= {unit: Fraction(1000 ** (power + 1)) for power, unit in enumerate("kMGTPE")}
_FACTORS |= {f"{unit}i": Fraction(1024 ** (power + 1)) for power, unit in enumerate("KMGTPE")}
_BINARY = tuple((f"{unit}i", 1024 ** (power + 1)) for power, unit in reversed(list(enumerate("KMGTPE"))))


def parse_quantity(value: Any) -> Fraction | None:
    """The exact number; None when `value` is no quantity. `parse_quantity("1500m") == Fraction(3, 2)`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value)
    found = _QUANTITY.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    suffix = found["suffix"] or ""
    number = Fraction(found["number"])
    if suffix in _FACTORS:
        return number * _FACTORS[suffix]
    exponent = int(suffix[1:])
    return number * Fraction(10) ** exponent


def whole(value: Any) -> int:
    """The quantity rounded down to a whole number; 0 when `value` is no quantity."""
    number = parse_quantity(value)
    return 0 if number is None else int(number)


def format_bytes(amount: int) -> str:
    """The canonical binary form, as the API server writes it back: `format_bytes(8 << 30) == "8Gi"`."""
    for unit, size in _BINARY:
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)
