"""The kinds of value that the resource is built from, each with its bounds.

Rule: a bound that OpenAPI can say is written once, here or on the field, and holds for the API server and for Python
alike. Patterns keep to what RE2 (Go) and Rust's regex both read. A name that becomes a path segment, a host name or a
command-line argument cannot start with a dash and cannot contain `..`.
"""

from collections.abc import Hashable, Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

# The largest integer that JSON readers keep exact in a float64.
LARGEST_EXACT_INTEGER = 2**53 - 1

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
# kubernetes: apimachinery/pkg/api/resource/quantity.go, without signs and fractions such as ".5".
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE]\+?[0-9]{1,2})?$"
_QUANTITY_MAX_LENGTH = 32

ObjectName = Annotated[str, Field(pattern=f"^{_SUBDOMAIN}$", min_length=1, max_length=253)]
"""The name of a Kubernetes object (RFC 1123 subdomain)."""

OptionalObjectName = Annotated[str, Field(pattern=f"^({_SUBDOMAIN})?$", max_length=253)]
"""The name of a Kubernetes object, or empty for none."""

LabelKey = Annotated[
    str,
    Field(pattern=rf"^({_SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$", max_length=317),
]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$", max_length=63)]
AnnotationValue = Annotated[str, Field(max_length=4096)]

ParallelSize = Annotated[int, Field(ge=1, le=1024)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Generation = Annotated[int, Field(ge=0, le=LARGEST_EXACT_INTEGER)]
Bytes = Annotated[int, Field(ge=0, le=LARGEST_EXACT_INTEGER)]


def _auto_when_empty(value: str) -> str:
    return value or "auto"


NameOrAuto = Annotated[str, Field(max_length=64), AfterValidator(_auto_when_empty)]
"""A name that the plan looks up; empty means `auto`."""


def _whole_number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


Quantity = Annotated[
    str,
    Field(pattern=_QUANTITY, max_length=_QUANTITY_MAX_LENGTH),
    BeforeValidator(_whole_number_as_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": _QUANTITY,
            "maxLength": _QUANTITY_MAX_LENGTH,
        }
    ),
]
"""A Kubernetes quantity such as `500m`, `8Gi` or `4`; a whole number may be written without quotes."""


def _cut_to(max_length: int) -> BeforeValidator:
    def cut(value: Any) -> Any:
        return value[: max_length - 1] + "…" if isinstance(value, str) and len(value) > max_length else value

    return BeforeValidator(cut)


# Texts of the operator's own: cut, not refused, so that a long message never stops a status from being written.
Sentence = Annotated[str, Field(max_length=512), _cut_to(512)]
Message = Annotated[str, Field(max_length=4096), _cut_to(4096)]
Argument = Annotated[str, Field(max_length=20480), _cut_to(20480)]


Entry = TypeVar("Entry")


def no_two_share(key: str) -> AfterValidator:
    """Return the check that list-maps get from the API server: two entries never have the same value of `key`."""

    def check(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        twice = _first_repeated(getattr(entry, key) for entry in entries)
        if twice is not None:
            raise ValueError(f"has two entries with {key} {twice!r}; keep one of them")
        return entries

    return AfterValidator(check)


def _first_repeated(values: Iterable[Hashable]) -> Hashable | None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


MAX_FREE_DEPTH = 8
MAX_FREE_VALUES = 1024
MAX_FREE_CHARACTERS = 16384


def _bounded_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return `value` when it is JSON of bounded depth and size; raise ValueError with the fix when it is not."""
    pending: list[tuple[Any, int]] = [(value, 0)]
    values = characters = 0
    while pending:
        item, depth = pending.pop()
        values += 1
        match item:
            case dict():
                pending.extend((part, depth + 1) for pair in item.items() for part in pair)
                if not all(isinstance(key, str) for key in item):
                    raise ValueError("has a key that is not a string; put the key in quotes")
            case list():
                pending.extend((part, depth + 1) for part in item)
            case str():
                characters += len(item)
            case bool() | None:
                pass
            case int() | float() if abs(item) < 2**63:
                pass
            case int():
                raise ValueError("holds a number beyond 64 bits; put it in quotes")
            case _:
                raise ValueError(f"holds {item!s:.40}, which JSON has no form for; put it in quotes")
        if depth > MAX_FREE_DEPTH or values > MAX_FREE_VALUES or characters > MAX_FREE_CHARACTERS:
            raise ValueError(
                f"is too large; keep to {MAX_FREE_VALUES} values, {MAX_FREE_CHARACTERS} characters and {MAX_FREE_DEPTH} levels"
            )
    return value


FreeObject = Annotated[
    dict[str, Any],
    Field(max_length=64, json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
    AfterValidator(_bounded_json),
]
"""An object whose keys another table knows; its size is bounded."""


def list_map(key: str) -> dict[str, Any]:
    """Return the schema extension that makes a list a map keyed by `key`: managers own entries, not the whole list."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
