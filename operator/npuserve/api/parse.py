"""From an object as Kubernetes or a file holds it to a typed service, or to a message about what is wrong with it.

Rule: a message names each field as users write it (`spec.template.env[0].name`) and the fix. Whatever JSON or YAML can
hold gets an answer, never an exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from npuserve.api.hints import KEY, Place, examples_at, meant_by, path_of, schema_at
from npuserve.api.resource import InferenceService

# Further faults are counted, not told.
TOLD_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class InvalidSpec:
    """The first field that the resource does not allow as it is, and a message about every such field with its fix."""

    field: str
    message: str


def parse(obj: Mapping[str, Any]) -> InferenceService | InvalidSpec:
    """Return the service that `obj` (camelCase, as on the wire) describes, or what is wrong with it."""
    try:
        # Views such as kopf's bodies are mappings, and pydantic reads dicts.
        plain = dict(obj) if isinstance(obj, Mapping) else obj
        return InferenceService.model_validate(plain, by_alias=True, by_name=False)
    except ValidationError as refused:
        return _invalid(refused.errors(include_url=False))


def _invalid(errors: list[ErrorDetails]) -> InvalidSpec:
    told = [f"{path_of(error['loc'])} {_fault(error)}" for error in errors[:TOLD_AT_ONCE]]
    untold = len(errors) - len(told)
    return InvalidSpec(
        field=path_of(errors[0]["loc"]),
        message="; ".join(told) + (f"; and {untold} more" if untold else ""),
    )


def _fault(error: ErrorDetails) -> str:  # noqa: C901, PLR0912 - a table: one case per kind of fault
    """Return what is wrong and the fix: the sentence after the field's name."""
    place, given, context = error["loc"], error["input"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"is required{_for_example(place)}"
        case "extra_forbidden":
            return f"is unknown; {meant_by(place)}"
        case "invalid_key":
            return "is a key that is not a string; put the key in quotes"
        case "string_type" if place[-1] == KEY:
            return "is a key that is not a string; put the key in quotes"
        case "string_type":
            return f"is {_kind(given)} where a string belongs; put the value in quotes"
        case "int_type" | "int_from_float" | "int_parsing_size":
            return f"is {_kind(given)} where a whole number belongs; write digits without quotes{_bounds(place)}"
        case "bool_type":
            return f"is {_kind(given)} where a boolean belongs; write true or false without quotes"
        case "model_type" | "dict_type":
            return f"is {_kind(given)} where an object belongs; write its fields below it"
        case "tuple_type":
            return f"is {_kind(given)} where a list belongs; write each entry after a dash"
        case "greater_than_equal" | "less_than_equal":
            return f"is {_kind(given)}{_bounds(place)}"
        case "literal_error":
            return f"is {given!r:.80}; use {context['expected']}"
        case "string_too_long":
            return f"has {len(given)} characters; use at most {context['max_length']}"
        case "too_long":
            return f"has {context['actual_length']} entries; use at most {context['max_length']}"
        case "string_pattern_mismatch" | "string_too_short":
            subject = "is a key that" if place[-1] == KEY else f"is {given!r:.80}, which"
            return f"{subject} is not allowed here{_for_example(place) or _pattern(place)}"
        case "value_error":
            return str(context["error"])
    return f"is not allowed as it is: {error['msg']}"


def _kind(given: Any) -> str:
    match given:
        case bool():
            return f"the boolean {str(given).lower()}"
        case int() if abs(given) >= 2**63:
            return "a number beyond 64 bits"
        case int() | float():
            return f"the number {given}"
        case str():
            return f"the text {given!r:.80}"
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "empty"
    return f"a {type(given).__name__}"


def _bounds(place: Place) -> str:
    schema = schema_at(place)
    return f"; use {schema['minimum']} to {schema['maximum']}" if "minimum" in schema and "maximum" in schema else ""


def _for_example(place: Place) -> str:
    examples = examples_at(place)
    return f"; write for example {' or '.join(map(str, examples))}" if examples else ""


def _pattern(place: Place) -> str:
    return f"; its form is {schema_at(place).get('pattern', 'not empty')}"
