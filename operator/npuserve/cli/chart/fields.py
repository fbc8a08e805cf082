"""The chart's values as one tree: what can be set, of which type, with which default, and what it means.

Rule: read off the types in values.py and configuration.py; nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from npuserve.api.schema import Schema, json_schema
from npuserve.cli.chart.values import Values
from npuserve.configuration import Section


@dataclass(frozen=True, slots=True)
class Field:
    """One key. `default` is None where there is none: in a list's rows, whose keys are `children`."""

    path: str
    schema: Schema
    default: Any
    children: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def meaning(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def of_rows(self) -> bool:
        """Whether it is a list of objects with known keys."""
        return bool(self.children) and self.schema.get("type") == "array"

    @property
    def type(self) -> str:
        """The type in words."""
        match self.schema:
            case {"enum": choices}:
                return " or ".join(f"`{choice}`" if choice else "empty" for choice in choices)
            case {"anyOf": choices}:
                return " or ".join(choice["type"] for choice in choices)
            case {"type": "array", "items": {"type": held}}:
                return f"list of {held}s"
            case {"type": "object", "additionalProperties": {"type": held}}:
                return f"map of {held}s"
        return str(self.schema.get("type", "object"))


@cache
def values_schema() -> Schema:
    """The JSON schema of all values, references inlined."""
    return json_schema(Values, root=Section)


def fields() -> tuple[Field, ...]:
    """The top of the tree, in the order of values.py."""
    defaults = {name: _readable(value) for name, value in Values().model_dump(mode="json", by_alias=True).items()}
    return tuple(_below("", values_schema(), defaults))


def _readable(value: Any) -> Any:
    """A default without what stands for nothing inside the rows of a list."""
    match value:
        case dict():
            return {key: _readable(held) for key, held in value.items()}
        case list():
            return [
                {key: held for key, held in row.items() if held not in (None, "", [], {})}
                if isinstance(row, dict)
                else row
                for row in value
            ]
    return value


def _below(path: str, schema: Schema, default: Any) -> Iterator[Field]:
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        value = default.get(name) if isinstance(default, dict) else None
        rows = field.get("items", {}) if field.get("type") == "array" else {}
        children = _below(f"{here}[]", rows, None) if "properties" in rows else _below(here, field, value)
        yield Field(here, field, value, tuple(children))
