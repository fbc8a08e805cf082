"""What of a status an older definition of the resource has no field for, and the status without it.

Server-side apply refuses the whole object for one such field, and names the fields by their paths:
`.status.plan.image: field not declared in schema` (sigs.k8s.io/structured-merge-diff: typed/helpers.go). An entry of a
list stands in brackets; the same field of every entry is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FieldPath = tuple[str, ...]

WORDS = "field not declared in schema"
_FIELD = re.compile(rf"\.status((?:\.[A-Za-z0-9_-]+|\[[^\]]*\])+): {WORDS}")
_ENTRY = re.compile(r"\[[^\]]*\]")


def undeclared(message: str) -> frozenset[FieldPath]:
    """The fields below `status` that a refusal of the API server names; none for another refusal."""
    found = (_ENTRY.sub("", path) for path in _FIELD.findall(message))
    return frozenset(tuple(path.strip(".").split(".")) for path in found)


def without(status: Mapping[str, Any], fields: frozenset[FieldPath]) -> dict[str, Any]:
    """The status without these fields."""
    kept = {}
    for name, value in status.items():
        below = frozenset(path[1:] for path in fields if path[0] == name)
        if () not in below:
            kept[name] = _below(value, below) if below else value
    return kept


def _below(value: Any, fields: frozenset[FieldPath]) -> Any:
    match value:
        case dict():
            return without(value, fields)
        case list():
            return [_below(entry, fields) for entry in value]
        case _:
            return value
