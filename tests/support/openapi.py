"""The JSON schemas of an API server's own version and resources, in the layout that kubeconform reads.

`/openapi/v2` is the source, so that the CRDs that are installed are among them. Strict: a field that is not there is
refused, as kubectl does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.api import Api

LOCATION = "{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
_EITHER: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}]}
_LOOSE = ("Quantity", "IntOrString")


def write_schemas(api: Api, folder: Path) -> str:
    """One file per kind; returns what kubeconform takes as `-schema-location`."""
    definitions = api.ask("GET", "/openapi/v2")["definitions"]
    whole = {name: _strict(name, definition) for name, definition in definitions.items()}
    (folder / "definitions.json").write_text(json.dumps({"definitions": whole}))
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            schema = {"$ref": f"definitions.json#/definitions/{name}"}
            (folder / _file(kind)).write_text(json.dumps(schema))
    return LOCATION.format(folder=folder)


def _file(kind: Mapping[str, str]) -> str:
    group = kind["group"].partition(".")[0]
    return "-".join(part.lower() for part in (kind["kind"], group, kind["version"]) if part) + ".json"


def _strict(name: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    if name.endswith(_LOOSE):
        return _EITHER
    return dict(_checked(definition))


def _checked(schema: Any) -> Any:
    match schema:
        case {"x-kubernetes-int-or-string": True}:
            return _EITHER
        case {"x-kubernetes-preserve-unknown-fields": True}:
            return {key: value for key, value in schema.items() if not key.startswith("x-")}
        case {"properties": dict(properties)}:
            fields = {key: _checked(value) for key, value in properties.items()}
            return {**schema, "properties": fields, "additionalProperties": False}
        case {"$ref": str(reference)}:
            return {"$ref": reference}
        case dict():
            return {
                key: _checked(value) if key in ("items", "additionalProperties") else value
                for key, value in schema.items()
            }
    return schema
