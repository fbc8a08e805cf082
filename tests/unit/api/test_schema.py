"""The schema that the API server enforces: structural, bounded, documented, and free of defaults."""

from collections.abc import Iterator

import pytest

from npuserve.api.crd import custom_resource_definition, editor_schema, resource_schema
from npuserve.api.schema import Schema, field_docs
from npuserve.api.spec import InferenceServiceSpec

SCHEMA = resource_schema()

# kubernetes: apiextensions-apiserver/pkg/apiserver/schema, the keywords that a structural schema may use here.
STRUCTURAL_KEYWORDS = {
    *("type", "description", "properties", "required", "items", "additionalProperties", "nullable", "default"),
    *("enum", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "maxItems", "maxProperties"),
    *("x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
    "x-kubernetes-preserve-unknown-fields",
}


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from nodes(part, f"{path}.{name}")
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in schema:
            yield from nodes(schema[keyword], path + mark)


NODES = dict(nodes(SCHEMA))
FIELDS = {
    path: node for path, node in NODES.items() if path.startswith((".spec.", ".status.")) and path[-1] not in "]}"
}


@pytest.mark.parametrize("path", NODES)
def test_every_node_uses_only_what_a_structural_schema_may(path: str) -> None:
    node = NODES[path]
    assert set(node) <= STRUCTURAL_KEYWORDS
    assert node.get("x-kubernetes-int-or-string") or isinstance(node["type"], str)


@pytest.mark.parametrize("path", [path for path in NODES if path != ".metadata"])
def test_every_node_is_bounded(path: str) -> None:
    node = NODES[path]
    match node.get("type", "quantity"):
        case "string":
            assert "enum" in node or node["maxLength"] <= 20480
        case "quantity":
            assert node["maxLength"] <= 32
        case "integer":
            assert node["minimum"] <= node["maximum"]
            assert (node["format"] == "int32") == (node["maximum"] < 2**31)
        case "array":
            assert node["maxItems"] <= 256
        case "object":
            assert "properties" in node or node["maxProperties"] <= 64
        case kind:
            assert kind == "boolean"


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_described(path: str) -> None:
    assert FIELDS[path]["description"].endswith(".")


@pytest.mark.parametrize("path", [path for path in FIELDS if path.startswith(".spec.")])
def test_every_field_of_the_spec_says_what_happens_when_it_is_empty(path: str) -> None:
    above, _, name = path.rpartition(".")
    parent = NODES[above]
    expected = "Required" if name in parent.get("required", ()) else "Empty:"
    assert expected in FIELDS[path]["description"]


def test_only_replicas_and_the_status_of_a_new_service_have_defaults() -> None:
    assert {path: node["default"] for path, node in NODES.items() if "default" in node} == {
        ".spec.replicas": 1,
        ".status": {"observedGeneration": -1},
    }


def test_a_null_stands_for_an_absent_field_everywhere_but_in_replicas_and_enumerations() -> None:
    for path, node in FIELDS.items():
        above, _, name = path.rpartition(".")
        if path.startswith(".spec."):
            required = name in NODES[above].get("required", ())
            assert node.get("nullable", False) == (not required and path != ".spec.replicas" and "enum" not in node)


def test_nothing_in_the_status_is_required_outside_lists() -> None:
    demanding = [path for path, node in NODES.items() if path.startswith(".status") and "required" in node]
    assert demanding == [".status.conditions[]", ".status.plan.env[]"]


def test_conditions_are_a_map_keyed_by_type() -> None:
    conditions = NODES[".status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def test_only_engine_arguments_keep_unknown_fields() -> None:
    free = [path for path, node in NODES.items() if node.get("x-kubernetes-preserve-unknown-fields")]
    assert free == [".spec.engineArgs"]


def test_documentation_is_keyed_by_the_name_on_the_wire() -> None:
    assert field_docs(InferenceServiceSpec)["backendVersion"].startswith("Version of the engine")


def test_the_resource_scales_and_has_a_status_of_its_own() -> None:
    (version,) = custom_resource_definition()["spec"]["versions"]
    assert version["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def test_every_printer_column_reads_a_field_that_exists() -> None:
    (version,) = custom_resource_definition()["spec"]["versions"]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].replace('[?(@.type=="Ready")]', "[]")
        assert path in NODES or path == ".metadata.creationTimestamp"
    names = [column["name"].upper() for column in version["additionalPrinterColumns"]]
    assert names == ["READY", "BACKEND", "NPUS", "REPLICAS", "MODEL", "AGE", "REASON", "SCALING"]


def test_the_editors_schema_refuses_unknown_fields_and_takes_an_empty_key() -> None:
    schema = editor_schema()
    hardware = schema["properties"]["spec"]["properties"]["hardware"]
    assert schema["additionalProperties"] is hardware["additionalProperties"] is False
    assert hardware["type"] == ["object", "null"]
    assert None in hardware["properties"]["topology"]["properties"]["numa"]["enum"]
