"""The schemas of a shape: as JSON schema for editors and hints, and as the structural schema that a CRD carries.

Rule: references are inlined, `X or null` is X, and each field is described by the string under it. The structural
schema gives no field of a spec a default, because one would rewrite what users stored, which GitOps reports as drift.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from pydantic import BaseModel

from npuserve.api.shape import Shape

Schema = dict[str, Any]
FieldDocs = Callable[[type[BaseModel]], Mapping[str, str]]

# What Kubernetes has no place for, or says in its own way (`x-kubernetes-int-or-string` instead of `anyOf`).
_NOT_STRUCTURAL = frozenset({"additionalProperties", "anyOf", "examples", "propertyNames"})


@cache
def field_docs(shape: type[BaseModel]) -> Mapping[str, str]:
    """Return the string under each field of a class as one paragraph, by the field's name on the wire.

    Read from the source when something is generated, so that the operator does not pay for it at each start.
    """
    parents = (base for base in reversed(shape.__mro__) if issubclass(base, BaseModel) and base.model_fields)
    return {name: text for parent in parents for name, text in _own_docs(parent).items()}


def _own_docs(shape: type[BaseModel]) -> Mapping[str, str]:
    (definition,) = ast.parse(inspect.getsource(shape)).body
    assert isinstance(definition, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[shape.model_fields[name].alias or name] = " ".join(doc.split())
    return docs


def no_docs(_: type[BaseModel]) -> Mapping[str, str]:
    """Return no documentation: for those who need the bounds only."""
    return {}


def json_schema(shape: type[BaseModel], docs: FieldDocs = field_docs, *, root: type[BaseModel] = Shape) -> Schema:
    """Return the JSON schema of `shape` with references inlined and without nulls, defaults and titles.

    `root` is the class of which `shape` and all that it holds are subclasses.
    """
    raw = shape.model_json_schema()
    shapes = {known.__name__: known for known in _below(root)}
    definitions = {
        name: _described(definition, docs(shapes[name]))
        for name, definition in {**raw.get("$defs", {}), shape.__name__: raw}.items()
    }
    return _inlined(definitions[shape.__name__], definitions)


def structural(schema: Schema) -> Schema:
    """Return what a CustomResourceDefinition can carry of a JSON schema."""
    kept: Schema = {key: schema[key] for key in ("description", "type") if key in schema}
    for key, value in schema.items():
        match key, value:
            case "properties", _:
                kept[key] = {name: structural(field) for name, field in value.items()}
            case "items", _:
                # kubectl explain would print it after the description of the list.
                kept[key] = {part: held for part, held in structural(value).items() if part != "description"}
            case "additionalProperties", dict():
                kept[key] = structural(value)
            case _ if key not in _NOT_STRUCTURAL:
                kept[key] = value
    if kept.get("type") == "integer":
        kept["format"] = "int32" if kept["maximum"] < 2**31 else "int64"
    return kept


def _below(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for narrower in shape.__subclasses__():
        yield narrower
        yield from _below(narrower)


def _described(definition: Schema, docs: Mapping[str, str]) -> Schema:
    fields = definition.get("properties", {})
    described = {
        name: {**field, "description": docs[name]} if name in docs else field for name, field in fields.items()
    }
    return {**definition, "properties": described}


def _inlined(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    match schema:
        case {"$ref": str(reference), **beside}:
            return _inlined({**definitions[reference.rpartition("/")[2]], **beside}, definitions)
        case {"anyOf": [wanted, {"type": "null"}], **beside}:
            return _inlined({**wanted, **beside}, definitions)
    inline = partial(_inlined, definitions=definitions)
    parts: Schema = {"description": " ".join(schema["description"].split())} if "description" in schema else {}
    for key, value in schema.items():
        match key, value:
            case (("title" | "default" | "description" | "$defs"), _):
                pass
            case "properties", _:
                parts[key] = {name: inline(field) for name, field in value.items()}
            case (("items" | "additionalProperties"), dict()):
                parts[key] = inline(value)
            case "patternProperties", _:
                ((pattern, values),) = value.items()
                parts["additionalProperties"] = inline(values)
                parts["propertyNames"] = {**schema.get("propertyNames", {}), "pattern": pattern}
            case "propertyNames", _ if "patternProperties" in schema:
                pass
            case _:
                parts[key] = value
    return parts
