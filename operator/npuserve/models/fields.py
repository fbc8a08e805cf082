"""How a JSON object is read when nothing about it can be trusted: typed, by any of several names, with a sentence when
it does not fit.

Every getter either answers with the type it promises or raises `UnreadableError`, whose text names the field and what
it should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LARGEST = 2**40
"""No dimension of a model comes near; larger numbers are mistakes."""


class UnreadableError(Exception):
    """The object does not describe a model; the text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object, and the values of the library class for what the object leaves out."""

    values: Mapping[str, object]
    defaults: Mapping[str, int]

    def has(self, *names: str) -> bool:
        return any(self.values.get(name) is not None for name in names)

    def size(self, *names: str) -> int:
        """A positive whole number, which must be there."""
        found = self.count(*names)
        if found:
            return found
        raise UnreadableError(f"{_listed(names)} is missing or 0; a positive whole number is needed")

    def count(self, *names: str, default: int = 0) -> int:
        """A whole number of at least 0."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                return _whole(name, value)
        for name in names:
            if name in self.defaults:
                return self.defaults[name]
        return default

    def counts(self, name: str) -> tuple[int, ...] | None:
        """A list of whole numbers; None when the field is absent or no list."""
        value = self.values.get(name)
        if not isinstance(value, list):
            return None
        return tuple(_whole(name, item) for item in value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of strings; None when the field is absent or no list."""
        value = self.values.get(name)
        if not isinstance(value, list):
            return None
        return tuple(item for item in value if isinstance(item, str))

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
            return None
        return value

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def text(self, *names: str) -> str:
        return next((value for name in names if isinstance(value := self.values.get(name), str)), "")

    def table(self, *names: str) -> Fields | None:
        """A nested object."""
        found = next((value for name in names if isinstance(value := self.values.get(name), dict)), None)
        return None if found is None else Fields(found, {})


def _whole(name: str, value: object) -> int:
    if isinstance(value, list) and value and all(item == value[0] for item in value):
        # Hunyuan writes one number per layer, all the same.
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
        raise UnreadableError(f'"{name}" is {_shown(value)}; a whole number is needed')
    return value


def _shown(value: object) -> str:
    match value:
        case list():
            return "a list"
        case dict():
            return "an object"
        case int() if abs(value) >= LARGEST:
            return "far too large"
        case _:
            text = repr(value)
            return text if len(text) <= 40 else f"{text[:37]}..."


def _listed(names: tuple[str, ...]) -> str:
    return " / ".join(f'"{name}"' for name in names)
