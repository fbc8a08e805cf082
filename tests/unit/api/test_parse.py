"""From an object to a typed service, or to a message that names the field and the fix."""

from collections import UserDict
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from npuserve.api.parse import InvalidSpec, parse
from npuserve.api.resource import InferenceService
from npuserve.api.serving import Context

WHOLE = """
model: {uri: modelscope://Qwen/Qwen3-32B, revision: "", servedName: "", secretRef: {name: hub-token}, \
cache: {claimName: weights}, configMapRef: {name: ""}}
quantization: auto
backend: auto
backendVersion: "0.23.0"
hardware: {product: Atlas 800I A2 64G, chip: 910B3, devices: 4, resourceName: huawei.com/Ascend910, nodeSelector: {}, \
topology: {numa: preferred, cpuPinning: true, hugepages: {size: 2Mi, amount: 8Gi}}}
parallelism: {tensor: 4, pipeline: 1, data: 1, expert: false}
context: {maxModelLen: 32768, maxSequences: 64}
engineArgs: {enable-prefix-caching: true, additional-config: {enable_cpu_binding: true}}
auth: {apiKeySecretRef: {name: ""}}
replicas: 1
template: {labels: {team: search}, annotations: {a.io/b: c}, imagePullSecrets: [{name: r}], \
resources: {cpu: 40, memory: 256Gi}, env: [{name: A, value: b}], tolerations: [{key: npu, operator: Exists}], \
priorityClassName: p, nodeAffinity: [{key: z, operator: In, values: [a]}]}
"""


def resource(spec: Any, **beside: Any) -> dict[str, Any]:
    return {
        "apiVersion": "npuserve.io/v1alpha1",
        "kind": "InferenceService",
        "metadata": {"name": "a"},
        "spec": spec,
        **beside,
    }


def service(fields: str = "{}", uri: str = "hf://Qwen/Qwen3-32B") -> dict[str, Any]:
    return resource({"model": {"uri": uri}, **yaml.safe_load(fields)})


def parsed(obj: dict[str, Any]) -> InferenceService:
    answer = parse(obj)
    assert isinstance(answer, InferenceService), answer
    return answer


def refused(obj: Any) -> InvalidSpec:
    answer = parse(obj)
    assert isinstance(answer, InvalidSpec), answer
    return answer


def test_the_whole_shape_is_read() -> None:
    spec = parsed(resource(yaml.safe_load(WHOLE))).spec
    assert spec.model.secret_ref.name == "hub-token"
    assert spec.hardware.topology.hugepages is not None
    assert spec.hardware.topology.hugepages.amount == "8Gi"
    assert spec.template.resources.cpu == "40"
    assert spec.template.env[0].value == "b"
    assert spec.template.node_affinity[0].values == ("a",)
    assert spec.engine_args["additional-config"] == {"enable_cpu_binding": True}


def test_the_model_alone_is_enough() -> None:
    spec = parsed(service()).spec
    assert (spec.quantization, spec.backend, spec.backend_version, spec.replicas) == ("auto", "auto", "", 1)
    assert spec.hardware.devices is spec.parallelism.tensor is spec.context.max_model_len is None


def test_an_empty_quantization_or_backend_means_auto() -> None:
    spec = parsed(service('{quantization: "", backend: ""}')).spec
    assert (spec.quantization, spec.backend) == ("auto", "auto")


@pytest.mark.parametrize(
    "fields",
    [
        "{hardware: }",
        "{engineArgs: , replicas: , template: }",
        "{hardware: {devices: , nodeSelector: , topology: {numa: , hugepages: }}}",
        "{template: {env: , tolerations: , resources: {cpu: }}}",
    ],
)
def test_a_key_with_nothing_under_it_counts_as_absent(fields: str) -> None:
    assert parsed(service(fields)).spec == parsed(service()).spec


def test_a_null_inside_engine_arguments_stays() -> None:
    assert parsed(service("{engineArgs: {flag: }}")).spec.engine_args == {"flag": None}


def test_a_view_of_an_object_is_read_like_the_object() -> None:
    assert parse(UserDict(service())) == parse(service())


def test_what_another_version_wrote_into_the_status_refuses_nothing() -> None:
    assert parsed({**service(), "status": {"phase": 7}}).status == {"phase": 7}


def test_python_names_are_unknown_on_the_wire_and_welcome_in_python() -> None:
    assert refused(service("{context: {max_model_len: 1}}")).field == "spec.context.max_model_len"
    assert Context(max_model_len=1).to_wire() == {"maxModelLen": 1}


@pytest.mark.parametrize(
    "uri",
    [
        "modelscope://Qwen/Qwen3-32B",
        "hf://gpt2",
        "pvc://weights/team/qwen3_32b/.cache",
        "oci://registry.example.com:5000/m/q:1.0",
        "oci://r/q@sha256:00",
        "s3://bucket/prefix/",
    ],
)
def test_a_source_of_every_scheme_is_read(uri: str) -> None:
    model = parsed(service(uri=uri)).spec.model
    assert f"{model.scheme}://{model.path}" == uri.rstrip("/")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "Qwen/Qwen3-32B",
        "http://x",
        "pvc://",
        "hf://../x",
        "hf://a/..",
        "pvc://c/a..b",
        "hf://-a/b",
        "hf://a//b",
        "hf://a b",
        "hf://a/b;c",
        "hf://a/$(b)",
        "hf://a/b\n",
        "file:///etc",
        "hf://" + "a" * 1024,
    ],
)
def test_a_source_that_could_reach_elsewhere_is_refused(uri: str) -> None:
    assert refused(service(uri=uri)).field == "spec.model.uri"


@pytest.mark.parametrize("quantity", ["4", "500m", "8Gi", "1.5G", "12e6"])
def test_a_quantity_is_read(quantity: str) -> None:
    assert (
        parsed(service(f"{{template: {{resources: {{cpu: '{quantity}'}}}}}}")).spec.template.resources.cpu == quantity
    )


@pytest.mark.parametrize("quantity", ["", "8GB", "-1", "1,5", "1 Gi", "Gi"])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    assert (
        refused(service(f"{{template: {{resources: {{cpu: '{quantity}'}}}}}}")).field == "spec.template.resources.cpu"
    )


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("{hardware: {device: 4}}", "spec.hardware.device", "is unknown; did you mean spec.hardware.devices?"),
        ("{tensor: 4}", "spec.tensor", "is unknown; did you mean spec.parallelism.tensor?"),
        ("{served_name: a}", "spec.served_name", "is unknown; did you mean spec.model.servedName?"),
        ("{auth: {oidc: 1}}", "spec.auth.oidc", "is unknown; spec.auth has apiKeySecretRef"),
        ("{hardware: {devices: 5000}}", "spec.hardware.devices", "is the number 5000; use 1 to 1024"),
        ("{replicas: -1}", "spec.replicas", "is the number -1; use 0 to 1000"),
        (
            "{hardware: {devices: '4'}}",
            "spec.hardware.devices",
            "is the text '4' where a whole number belongs; write digits without quotes; use 1 to 1024",
        ),
        (
            "{backendVersion: 0.23}",
            "spec.backendVersion",
            "is the number 0.23 where a string belongs; put the value in quotes",
        ),
        (
            "{parallelism: {expert: 'on'}}",
            "spec.parallelism.expert",
            "is the text 'on' where a boolean belongs; write true or false without quotes",
        ),
        ("{hardware: [4]}", "spec.hardware", "is a list where an object belongs; write its fields below it"),
        (
            "{template: {tolerations: {}}}",
            "spec.template.tolerations",
            "is an object where a list belongs; write each entry after a dash",
        ),
        (
            "{hardware: {topology: {numa: always}}}",
            "spec.hardware.topology.numa",
            "is 'always'; use 'none', 'preferred' or 'required'",
        ),
        (
            "{hardware: {resourceName: nvidia.com/gpu}}",
            "spec.hardware.resourceName",
            "is 'nvidia.com/gpu', which is not allowed here; write for example huawei.com/Ascend910 or huawei.com/Ascend310P",
        ),
        (
            "{hardware: {topology: {hugepages: {size: 2Mi}}}}",
            "spec.hardware.topology.hugepages.amount",
            "is required; write for example 8Gi",
        ),
        (
            "{template: {env: [{name: A}, {name: 1A}]}}",
            "spec.template.env[1].name",
            "is '1A', which is not allowed here; write for example VLLM_LOGGING_LEVEL",
        ),
        (
            "{template: {env: [{name: A}, {name: A}]}}",
            "spec.template.env",
            "has two entries with name 'A'; keep one of them",
        ),
        (
            "{template: {labels: {a/b: 1}}}",
            "spec.template.labels['a/b']",
            "is the number 1 where a string belongs; put the value in quotes",
        ),
        (
            "{template: {labels: {1: a}}}",
            "spec.template.labels[1]",
            "is a key that is not a string; put the key in quotes",
        ),
        (
            "{engineArgs: {a: 2026-01-01}}",
            "spec.engineArgs",
            "holds 2026-01-01, which JSON has no form for; put it in quotes",
        ),
        (
            "{engineArgs: {a: 9223372036854775808}}",
            "spec.engineArgs",
            "holds a number beyond 64 bits; put it in quotes",
        ),
        ("{engineArgs: {a: .inf}}", "spec.engineArgs", "holds inf, which JSON has no form for; put it in quotes"),
        (
            "{engineArgs: {a: [[[[[[[[1]]]]]]]]}}",
            "spec.engineArgs",
            "is too large; keep to 1024 values, 16384 characters and 8 levels",
        ),
        ("{chip: " + "x" * 40 + "}", "spec.chip", "is unknown; did you mean spec.hardware.chip?"),
        ("{hardware: {chip: " + "x" * 40 + "}}", "spec.hardware.chip", "has 40 characters; use at most 32"),
        ("{1: 2}", "spec[1]", "is a key that is not a string; put the key in quotes"),
    ],
)
def test_a_message_names_the_field_and_the_fix(fields: str, field: str, message: str) -> None:
    answer = refused(service(fields))
    assert (answer.field, answer.message) == (field, f"{field} {message}")


def test_a_label_key_that_kubernetes_would_refuse_is_refused() -> None:
    answer = refused(service("{template: {labels: {'not a key': a}}}"))
    assert answer.field == "spec.template.labels['not a key']"
    assert "is a key that is not allowed here" in answer.message


def test_several_faults_are_told_at_once_and_the_rest_counted() -> None:
    answer = refused(service("{a1: 1, b1: 1, c1: 1, d1: 1, e1: 1}"))
    assert answer.field == "spec.a1"
    assert answer.message.count("is unknown") == 3
    assert answer.message.endswith("; and 2 more")


def test_a_missing_model_is_answered_with_an_example_of_each_scheme() -> None:
    answer = refused(resource({"model": {}}))
    assert answer.field == "spec.model.uri"
    assert all(f"{scheme}://" in answer.message for scheme in ("modelscope", "hf", "pvc", "oci", "s3"))


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        ([], "the object"),
        (None, "the object"),
        ({}, "apiVersion"),
        (resource({}) | {"kind": "Pod"}, "kind"),
        (resource({}) | {"apiVersion": "v1"}, "apiVersion"),
        (service() | {"metadata": {"name": "Not_A_Name"}}, "metadata.name"),
        (service() | {"metadata": {}}, "metadata.name"),
        (service() | {"specs": {}}, "specs"),
        (resource(None), "spec"),
        (resource({}), "spec.model"),
    ],
)
def test_what_is_no_service_at_all_gets_an_answer_too(obj: Any, field: str) -> None:
    assert refused(obj).field == field


def test_a_message_stays_short_whatever_it_quotes() -> None:
    answer = refused(service() | {"spec": {"model": {"uri": "x" * 100_000}, "y" * 100_000: 1, "replicas": 10**5000}})
    assert len(answer.message) < 2000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(date(2026, 1, 1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=12,
)
FIELD_NAMES = ("model", "uri", "hardware", "topology", "template", "env", "labels", "engineArgs", "replicas", "context")


@given(
    st.dictionaries(st.sampled_from(FIELD_NAMES) | st.text(max_size=6), json_values, max_size=4),
    st.sampled_from(FIELD_NAMES),
)
def test_whatever_yaml_can_hold_gets_an_answer(value: dict[Any, Any], place: str) -> None:
    for obj in (value, resource(value), resource({"model": {"uri": "hf://a"}, place: value})):
        answer = parse(obj)
        assert isinstance(answer, InferenceService) or (answer.field and answer.message.startswith(answer.field))
