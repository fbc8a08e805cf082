"""What the schema knows about a place in an object: its bounds, its examples, and which field was probably meant.

A place is a tuple of field names, list indices and map keys, as pydantic reports it; `[key]` at its end is the key
itself. Read only when something is wrong.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache

from npuserve.api.resource import InferenceService
from npuserve.api.schema import Schema, json_schema, no_docs

Place = Sequence[int | str]

KEY = "[key]"


def path_of(place: Place) -> str:
    """Return the place as users write it: `spec.template.env[0].name`, `spec.hardware.nodeSelector['a/b']`."""
    path = ""
    for step in place:
        if isinstance(step, str) and step.isidentifier():
            path += f".{step:.80}" if path else f"{step:.80}"
        elif step != KEY:
            path += f"[{step!r:.80}]"
    return path or "the object"


def schema_at(place: Place) -> Schema:
    """Return the schema of what belongs at a place; empty where the resource knows no such place."""
    schema = _resource()
    for step in place:
        if isinstance(step, int):
            schema = schema.get("items", {})
        elif step == KEY:
            schema = schema.get("propertyNames", {})
        elif step in schema.get("properties", {}):
            schema = schema["properties"][step]
        else:
            values = schema.get("additionalProperties")
            # A key of the map stands before its `[key]`: look on from the map itself.
            schema = {**values, "propertyNames": schema.get("propertyNames", {})} if isinstance(values, dict) else {}
    return schema


def examples_at(place: Place) -> tuple[str, ...]:
    """Return how a value at this place may be written."""
    return tuple(schema_at(place).get("examples", ()))


def meant_by(place: Place) -> str:
    """Return what the user of an unknown field may have meant, as the second half of a sentence."""
    *above, name = place
    siblings = {sibling.lower(): sibling for sibling in schema_at(above).get("properties", {})}
    plain = str(name).replace("_", "").replace("-", "").lower()
    if plain not in siblings:
        elsewhere = [path for path in _field_paths() if path.rpartition(".")[2].lower() == plain]
        if len(elsewhere) == 1:
            return f"did you mean {elsewhere[0]}?"
    close = get_close_matches(plain, siblings, n=1)
    if close:
        return f"did you mean {path_of([*above, siblings[close[0]]])}?"
    return f"{path_of(above)} has {', '.join(sorted(siblings.values()))}"


@cache
def _resource() -> Schema:
    return json_schema(InferenceService, no_docs)


@cache
def _field_paths() -> tuple[str, ...]:
    def below(schema: Schema, path: str) -> Iterator[str]:
        for name, field in schema.get("properties", {}).items():
            yield f"{path}.{name}"
            yield from below(field, f"{path}.{name}")

    return tuple(below(_resource()["properties"]["spec"], "spec"))
