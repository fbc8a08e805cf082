"""What the API server itself refuses, and what it lets pass: types, ranges, forms, unknown fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from npuserve.controller.resources import SERVICE
from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.support.api import Api, Refused
from tests.support.manifests import a_service

LONGEST_LABEL = "a" * 63

WRONG: tuple[tuple[str, Any, str], ...] = (
    ("replicas", "two", "must be of type integer"),
    ("replicas", 1.5, "must be of type integer"),
    ("replicas", -1, "should be greater than or equal to 0"),
    ("replicas", 1001, "should be less than or equal to 1000"),
    ("model", "modelscope://Qwen/Qwen3-8B", "must be of type object"),
    ("model", {}, "Required value"),
    ("model.uri", "", "should match"),
    ("model.uri", 8, "must be of type string"),
    ("model.uri", "ftp://Qwen/Qwen3-8B", "should match"),
    ("model.uri", "pvc://weights/../secrets", "should match"),
    ("model.uri", "hf://-rf/model", "should match"),
    ("model.uri", f"hf://{'a' * 1100}", "may not be more than 1024"),
    ("model.revision", "../main", "should match"),
    ("model.servedName", "two words", "should match"),
    ("model.secretRef.name", "Not_A_Name", "should match"),
    ("quantization", 8, "must be of type string"),
    ("quantization", "x" * 65, "may not be more than 64"),
    ("backend", ["auto"], "must be of type string"),
    ("backendVersion", 0.23, "must be of type string"),
    ("backendVersion", "--help", "should match"),
    ("hardware", "Atlas 800I A2 64G", "must be of type object"),
    ("hardware.devices", "4", "must be of type int"),
    ("hardware.devices", 0, "should be greater than or equal to 1"),
    ("hardware.devices", 1025, "should be less than or equal to 1024"),
    ("hardware.resourceName", "nvidia.com/gpu", "should match"),
    ("hardware.nodeSelector", {"zone": 1}, "must be of type string"),
    ("hardware.nodeSelector", {f"key-{number}": "" for number in range(17)}, "must have at most 16 items"),
    ("hardware.topology.numa", "always", "Unsupported value"),
    ("hardware.topology.cpuPinning", "yes", "must be of type boolean"),
    ("hardware.topology.hugepages", {"size": "2Mi"}, "Required value"),
    ("hardware.topology.hugepages", {"size": "2 MB", "amount": "8Gi"}, "should match"),
    ("parallelism.tensor", 0, "should be greater than or equal to 1"),
    ("parallelism.pipeline", True, "must be of type int"),
    ("parallelism.expert", 8, "must be of type boolean"),
    ("context.maxModelLen", 0, "should be greater than or equal to 1"),
    ("context.maxModelLen", 2**31, "should be less than or equal to 16777216"),
    ("context.maxSequences", 65_537, "should be less than or equal to 65536"),
    ("engineArgs", ["--port", "9000"], "must be of type object"),
    ("engineArgs", {f"argument-{number}": 1 for number in range(65)}, "must have at most 64 items"),
    ("template.resources.cpu", "many", "should match"),
    ("template.resources.memory", True, "must be of type"),
    ("template.env", {"A": "b"}, "must be of type array"),
    ("template.env", [{"name": "1A"}], "should match"),
    ("template.env", [{"name": "A", "value": 1}], "must be of type string"),
    ("template.env", [{"name": "A"}, {"name": "A"}], "Duplicate value"),
    ("template.labels", {"team": "a b"}, "should match"),
    ("template.labels", {"team": LONGEST_LABEL + "a"}, "may not be more than 63"),
    ("template.tolerations", [{"operator": "Sometimes"}], "Unsupported value"),
    ("template.imagePullSecrets", [{}], "Required value"),
)

UNKNOWN: tuple[tuple[str, Any], ...] = (
    ("modle", {"uri": "hf://Qwen/Qwen3-8B"}),
    ("hardware.device", 4),
    ("parallelism.tensorParallelSize", 4),
    ("model.configMapRef.key", "config.json"),
    ("template.hostNetwork", True),
)


def with_value(name: str, path: str, value: Any) -> dict[str, Any]:
    """A service with one value at a dotted path of its spec."""
    *above, last = path.split(".")
    service = a_service(name)
    place = service["spec"]
    for step in above:
        place[step] = place = {**place.get(step, {})}
    place[last] = value
    return service


@pytest.fixture
def name(request: pytest.FixtureRequest, api: Api) -> Iterator[str]:
    """A name that no service has when the test begins or when it is over."""
    free = "bad-input"
    yield free
    if api.find(SERVICE, "default", free) is not None:
        api.delete(SERVICE, "default", free)


@pytest.mark.parametrize(("path", "value", "words"), WRONG, ids=lambda item: json.dumps(item)[:40])
def test_the_api_server_refuses_a_wrong_value_and_names_the_field(
    api: Api, name: str, path: str, value: Any, words: str
) -> None:
    with pytest.raises(Refused) as answer:
        api.create(SERVICE, with_value(name, path, value))
    assert answer.value.code == 422
    assert f"spec.{path}" in answer.value.words
    assert words in answer.value.words


@pytest.mark.parametrize(("path", "value"), UNKNOWN, ids=lambda item: json.dumps(item)[:40])
def test_kubectl_refuses_an_unknown_field_and_names_it(kubectl: Kubectl, name: str, path: str, value: Any) -> None:
    with pytest.raises(KubectlFailed) as answer:
        kubectl.apply(with_value(name, path, value))
    # By the API server's word a whole path, by kubectl's own, which it falls back on, the last step of it.
    assert re.search(rf'unknown field "(spec\.{path}|{path.rpartition(".")[2]})"', answer.value.words)


@pytest.mark.parametrize(("path", "value"), UNKNOWN, ids=lambda item: json.dumps(item)[:40])
def test_server_side_apply_refuses_an_unknown_field(api: Api, name: str, path: str, value: Any) -> None:
    with pytest.raises(Refused) as answer:
        api.apply(SERVICE, with_value(name, path, value))
    assert "field not declared in schema" in answer.value.words
    assert path.rpartition(".")[2] in answer.value.words


@pytest.mark.parametrize(("path", "value"), UNKNOWN, ids=lambda item: json.dumps(item)[:40])
def test_a_plain_post_drops_an_unknown_field_without_a_word(api: Api, name: str, path: str, value: Any) -> None:
    stored = api.create(SERVICE, with_value(name, path, value))
    kept: Any = stored["spec"]
    for step in path.split(".")[:-1]:
        kept = kept.get(step, {})
    assert path.rpartition(".")[2] not in kept


def test_a_stored_service_holds_what_its_user_wrote_and_the_number_of_replicas(api: Api, name: str) -> None:
    written = a_service(name)
    assert api.create(SERVICE, written)["spec"] == {**written["spec"], "replicas": 1}


@pytest.mark.parametrize("part", ["hardware", "context", "auth", "template", "engineArgs", "parallelism"])
def test_a_part_with_nothing_below_it_is_taken_as_absent(kubectl: Kubectl, name: str, part: str) -> None:
    """YAML reads `hardware:` as null."""
    kubectl.apply(a_service(name, **{part: None}))


@pytest.mark.parametrize("service", ["qwen2.5-72b", "7b", LONGEST_LABEL, "a.b.c"])
def test_a_name_with_dots_with_a_digit_in_front_or_of_63_characters_is_taken(api: Api, service: str) -> None:
    api.create(SERVICE, a_service(service))
    api.delete(SERVICE, "default", service)


@pytest.mark.parametrize("service", ["Qwen3", "qwen_3", "-qwen", "qwen-"])
def test_a_name_that_kubernetes_does_not_allow_is_refused(api: Api, service: str) -> None:
    with pytest.raises(Refused) as answer:
        api.create(SERVICE, a_service(service))
    assert "metadata.name" in answer.value.words
