"""The CustomResourceDefinition and the editors' JSON schema, both from the types of this folder."""

from collections.abc import Callable
from typing import Any

from npuserve.api.resource import (
    API_VERSION,
    CATEGORIES,
    GROUP,
    KIND,
    PLURAL,
    PRINTER_COLUMNS,
    SHORT_NAMES,
    SINGULAR,
    VERSION,
    InferenceService,
)
from npuserve.api.schema import Schema, json_schema, structural
from npuserve.api.spec import InferenceServiceSpec
from npuserve.api.status import NOT_YET, InferenceServiceStatus


def custom_resource_definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition of InferenceService, ready to be applied."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": list(SHORT_NAMES),
                "categories": list(CATEGORIES),
            },
            "versions": [_version()],
            # The API server would add it, and a comparison with Git would show that.
            "conversion": {"strategy": "None"},
        },
    }


def resource_schema() -> Schema:
    """Return the structural schema of an InferenceService: what the API server checks and `kubectl explain` prints."""
    whole = json_schema(InferenceService)
    spec = _with_nulls(structural(json_schema(InferenceServiceSpec)), _nullable)
    # Without this default GET on the scale subresource answers 500 for a service that names no replicas.
    # Nullable, it would keep a null and that answer: a null is replaced by the default.
    del spec["properties"]["replicas"]["nullable"]
    spec["properties"]["replicas"]["default"] = InferenceServiceSpec.model_fields["replicas"].default
    status = _tolerant(structural(json_schema(InferenceServiceStatus)))
    status["default"] = {"observedGeneration": NOT_YET}
    return {
        "description": whole["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            # Any text: a later version of this resource carries another one.
            "apiVersion": _any_text(whole["properties"]["apiVersion"]),
            "kind": _any_text(whole["properties"]["kind"]),
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


def editor_schema() -> Schema:
    """Return a JSON schema (draft 7) of what users write, for yaml-language-server, kubeconform and the like."""
    schema = json_schema(InferenceService)
    fields = {
        **schema["properties"],
        "metadata": {"type": "object", "required": ["name"]},
        "spec": _with_nulls(schema["properties"]["spec"], _or_null),
        "status": {"type": "object"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"{KIND} ({API_VERSION})",
        **schema,
        "properties": fields,
    }


def _any_text(schema: Schema) -> Schema:
    return {"description": schema["description"], "type": "string", "maxLength": 64}


def _with_nulls(schema: Schema, allow: Callable[[Schema], Schema]) -> Schema:
    """Return the schema with null allowed wherever a field may be absent."""
    changed = dict(schema)
    if "properties" in schema:
        required = schema.get("required", ())
        below = {name: _with_nulls(part, allow) for name, part in schema["properties"].items()}
        changed["properties"] = {name: part if name in required else allow(part) for name, part in below.items()}
    if "items" in schema:
        changed["items"] = _with_nulls(schema["items"], allow)
    return changed


def _nullable(schema: Schema) -> Schema:
    """Return the structural schema with null allowed: server-side apply refuses `hardware:` without.

    Enumerations stay as they are: the API server finds no null among their values, whatever `nullable` says.
    """
    return schema if "enum" in schema else {**schema, "nullable": True}


def _or_null(schema: Schema) -> Schema:
    """Return the JSON schema with null allowed."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **choices, "type": [schema["type"], "null"]}


def _tolerant(schema: Schema) -> Schema:
    """Return the schema with nothing required outside lists, so that a status written by another version stays valid."""
    parts = {name: _tolerant(part) for name, part in schema.get("properties", {}).items()}
    kept = {key: value for key, value in schema.items() if key != "required"}
    return {**kept, "properties": parts} if parts else kept


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [dict(column) for column in PRINTER_COLUMNS],
        "schema": {"openAPIV3Schema": resource_schema()},
    }
