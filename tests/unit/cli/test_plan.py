"""`npuserve plan` and `npuserve explain`: what services would get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.clusters import A3, HAMI, a_node
from tests.support.clusters import named as called
from tests.unit.cli.conftest import Run, Write

API = "npuserve.io/v1alpha1"


def a_service(
    name: str = "qwen", uri: str = "modelscope://Qwen/Qwen3-8B", *, namespace: str = "", **spec: Any
) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": API,
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"model": {"uri": uri}, **spec},
    }


def test_an_accepted_service_is_shown_with_its_devices_and_command(run: Run, write: Write) -> None:
    result = run("plan", "-f", write("s.yaml", a_service()))
    assert result.exit_code == 0
    assert "default/qwen  accepted" in result.stdout
    assert "1 x Atlas 800I A2 64G (huawei.com/Ascend910: 1)" in result.stdout
    assert "vllm serve Qwen/Qwen3-8B" in result.stdout


def test_a_part_of_a_device_is_shown_as_one(run: Run, write: Write) -> None:
    small = a_service(uri="modelscope://Qwen/Qwen3-1.7B", hardware={"memory": "16Gi"})
    result = run("plan", "-f", write("s.yaml", small), cluster=write("hami.yaml", {**HAMI, "kind": "Node"}))
    assert "16384 MiB of 1 x Atlas 800I A2 64G (huawei.com/Ascend910B4-1: 1)" in result.stdout


def test_what_a_host_is_asked_for_is_shown_in_one_line(run: Run, write: Write) -> None:
    topology = {"cpuPinning": True, "numa": "preferred", "hugepages": {"size": "2Mi", "amount": "8Gi"}}
    result = run("plan", "-f", write("s.yaml", a_service(hardware={"topology": topology})))
    assert "5 CPUs pinned, 16Gi memory, NUMA preferred, 8Gi of 2Mi pages" in result.stdout


def test_a_refused_service_is_shown_with_reason_field_and_message_and_ends_with_2(run: Run, write: Write) -> None:
    result = run("plan", "-f", write("s.yaml", a_service(backend="vllm")))
    assert result.exit_code == 2
    assert all(
        word in result.stdout for word in ("refused", "UnknownBackend", "spec.backend", "did you mean vllm-ascend?")
    )


def test_json_is_a_list_of_answers_in_the_order_asked(run: Run, write: Write) -> None:
    result = run(
        "plan",
        "-o",
        "json",
        "-f",
        write("b.yaml", a_service("b", backend="odd")),
        "-f",
        write("a.yaml", a_service("a", namespace="team-a")),
    )
    refused, accepted = json.loads(result.stdout)
    assert result.exit_code == 2
    assert {key: refused[key] for key in ("name", "namespace", "accepted", "reason", "field")} == {
        "name": "b", "namespace": "default", "accepted": False, "reason": "UnknownBackend", "field": "spec.backend",
    }  # fmt: skip
    assert set(refused) == {"name", "namespace", "accepted", "reason", "field", "message"}
    assert set(accepted) == {"name", "namespace", "accepted", "plan"}
    assert (accepted["name"], accepted["namespace"], accepted["accepted"]) == ("a", "team-a", True)
    assert accepted["plan"]["parallelism"] == {"tensor": 1, "pipeline": 1, "data": 1, "expert": 1}
    assert set(accepted["plan"]) >= {
        "backend", "backendVersion", "image", "product", "resourceName", "schedulerName", "devices", "nodes", "parallelism", "dtype", "quantization",
        "memory", "context", "topology", "args", "env", "reasons",
    }  # fmt: skip


def test_yaml_says_the_same_as_json(run: Run, write: Write) -> None:
    file = write("s.yaml", a_service())
    assert yaml.safe_load(run("plan", "-o", "yaml", "-f", file).stdout) == json.loads(
        run("plan", "-o", "json", "-f", file).stdout
    )


def test_each_service_is_planned_on_its_own_against_the_whole_cluster(run: Run, write: Write) -> None:
    services = [a_service(f"s{number}", hardware={"devices": 8}) for number in range(3)]
    result = run("plan", "-o", "json", "-f", write("s.yaml", *services))
    assert [answer["plan"]["devices"] for answer in json.loads(result.stdout)] == [8, 8, 8]


def test_folders_are_searched_and_other_kinds_passed_over(run: Run, write: Write) -> None:
    file = write("all/deep/s.yml", {"kind": "Deployment"}, a_service("one"), None)
    write("all/two.json", json.dumps(a_service("two")))
    write("all/readme.md", "no: [yaml")
    write(
        "all/kserve.yaml",
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "theirs"},
            "spec": {"predictor": {}},
        },
    )
    result = run("plan", "-o", "json", "-f", str(Path(file).parents[1]))
    assert [answer["name"] for answer in json.loads(result.stdout)] == ["one", "two"]


def test_lists_as_kubectl_prints_them_are_opened(run: Run, write: Write) -> None:
    of_kubectl = write("l.yaml", {"apiVersion": "v1", "kind": "List", "items": [a_service("a"), a_service("b")]})
    typed = write(
        "t.yaml",
        {
            "apiVersion": API,
            "kind": "InferenceServiceList",
            "items": [{"metadata": {"name": "c"}, "spec": a_service()["spec"]}],
        },
    )
    result = run("plan", "-o", "json", "-f", of_kubectl, "-f", typed)
    assert [answer["name"] for answer in json.loads(result.stdout)] == ["a", "b", "c"]


def test_standard_input_is_read(run: Run) -> None:
    result = run("plan", "-o", "json", "-f", "-", stdin=yaml.safe_dump(a_service()))
    assert json.loads(result.stdout)[0]["accepted"]


def test_an_unknown_field_is_refused_with_the_nearest_name(run: Run, write: Write) -> None:
    result = run("plan", "-o", "json", "-f", write("s.yaml", a_service(quantisation="W8A8")))
    (answer,) = json.loads(result.stdout)
    assert (answer["reason"], answer["field"]) == ("InvalidSpec", "spec.quantisation")
    assert "did you mean spec.quantization?" in answer["message"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"replicas": "three"}, "spec.replicas"),
        ({"model": {"uri": "ftp://x/y"}}, "spec.model.uri"),
        ({"model": None}, "spec.model"),
        ({"hardware": {"devices": 0}}, "spec.hardware.devices"),
        ({"template": {"env": [{"name": "1x"}]}}, "spec.template.env[0].name"),
    ],
)
def test_what_the_api_server_would_refuse_is_refused_by_its_field(
    run: Run, write: Write, spec: dict[str, Any], field: str
) -> None:
    result = run("plan", "-o", "json", "-f", write("s.yaml", a_service(**spec)))
    assert result.exit_code == 2
    assert json.loads(result.stdout)[0]["field"] == field


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("kind: [", "is no YAML"),
        ("kind: Deployment", "no InferenceService in"),
        ("just text", "no InferenceService in"),
        ("", "no InferenceService in"),
    ],
)
def test_files_that_hold_no_service_end_the_command_with_their_name(
    run: Run, write: Write, document: str, told: str
) -> None:
    result = run("plan", "-f", write("odd.yaml", document))
    assert result.exit_code == 1
    assert told in result.stderr
    assert "odd.yaml" in result.stderr


def test_a_path_that_is_not_there_ends_the_command(run: Run) -> None:
    result = run("plan", "-f", "/nowhere/s.yaml")
    assert (result.exit_code, "/nowhere/s.yaml is not there" in result.stderr) == (1, True)


def test_a_file_of_other_bytes_ends_the_command_with_its_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    result = run("plan", "-f", str(tmp_path / "b.yaml"))
    assert (result.exit_code, "b.yaml" in result.stderr) == (1, True)


def test_odd_metadata_is_answered(run: Run, write: Write) -> None:
    nameless = {"apiVersion": API, "kind": "InferenceService", "metadata": None, "spec": a_service()["spec"]}
    result = run("plan", "-o", "json", "-f", write("s.yaml", nameless))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 2)


def test_the_namespace_of_services_that_name_none_is_an_option(run: Run, write: Write) -> None:
    result = run("plan", "-o", "json", "-n", "team-b", "-f", write("s.yaml", a_service()))
    assert json.loads(result.stdout)[0]["namespace"] == "team-b"


CONFIG = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "max_position_embeddings": 40960,
    "torch_dtype": "bfloat16",
}  # fmt: skip


def test_a_folder_of_models_is_asked_before_the_catalogue(run: Run, write: Write) -> None:
    own = write("models/own--chat.json", json.dumps(CONFIG))
    write("models/Qwen--Qwen3-32B.json", json.dumps({**CONFIG, "max_position_embeddings": 2048}))
    folder = str(Path(own).parent)
    result = run(
        "plan",
        "-o",
        "json",
        "--models",
        folder,
        "-f",
        write("s.yaml", a_service(uri="hf://own/chat"), a_service(uri="hf://Qwen/Qwen3-32B")),
    )
    first, second = json.loads(result.stdout)
    assert first["accepted"]
    assert second["plan"]["context"]["maxModelLen"] == 2048


def test_a_model_file_that_describes_nothing_is_refused_by_its_service(run: Run, write: Write) -> None:
    folder = str(Path(write("models/own--chat.json", "{}")).parent)
    (answer,) = json.loads(
        run("plan", "-o", "json", "--models", folder, "-f", write("s.yaml", a_service(uri="hf://own/chat"))).stdout
    )
    assert (answer["reason"], answer["field"]) == ("ModelUnknown", "spec.model.uri")


def test_a_folder_of_models_that_is_not_there_ends_the_command(run: Run, write: Write) -> None:
    result = run("plan", "--models", "/nowhere", "-f", write("s.yaml", a_service()))
    assert (result.exit_code, "/nowhere" in result.stderr) == (2, True)


def test_a_config_map_among_the_files_describes_a_model(run: Run, write: Write) -> None:
    service = a_service(model={"uri": "hf://own/chat", "configMapRef": {"name": "chat"}})
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "chat"},
        "data": {"config.json": json.dumps(CONFIG), "odd": 1},
    }
    assert json.loads(run("plan", "-o", "json", "-f", write("s.yaml", service, config_map)).stdout)[0]["accepted"]
    (missing,) = json.loads(run("plan", "-o", "json", "-f", write("m.yaml", service)).stdout)
    assert (missing["reason"], missing["field"]) == ("ConfigMapMissing", "spec.model.configMapRef.name")
    elsewhere = {**config_map, "metadata": {"name": "chat", "namespace": "other"}}
    assert not json.loads(run("plan", "-o", "json", "-f", write("o.yaml", service, elsewhere)).stdout)[0]["accepted"]


def test_a_configuration_file_is_obeyed_and_a_bad_one_ends_the_command(run: Run, write: Write) -> None:
    service = write("s.yaml", a_service())
    configured = run(
        "plan", "-o", "json", "--config", write("c.yaml", {"flavour": "mindcluster-volcano"}), "-f", service
    )
    assert json.loads(configured.stdout)[0]["plan"]["schedulerName"] == "volcano"
    bad = run("plan", "--config", write("bad.yaml", {"flavor": "x"}), "-f", service)
    assert (bad.exit_code, "bad.yaml" in bad.stderr, "flavor" in bad.stderr) == (1, True, True)


def test_pods_beside_the_nodes_take_their_devices(run: Run, write: Write) -> None:
    small = {**a_node(labels={"mind-cluster/npu-chip-memory": "32G"}, name="a2"), "kind": "Node"}
    pod = {
        "kind": "Pod",
        "spec": {"nodeName": "a2", "containers": [{"resources": {"limits": {"huawei.com/Ascend910": "8"}}}]},
        "status": {"phase": "Running"},
    }
    service = write("s.yaml", a_service())
    free = run(
        "plan", "-o", "json", "-f", service, cluster=write("free.yaml", small, {**called(A3, "a3"), "kind": "Node"})
    )
    full = run(
        "plan",
        "-o",
        "json",
        "-f",
        service,
        cluster=write("full.yaml", small, {**called(A3, "a3"), "kind": "Node"}, pod),
    )
    assert json.loads(free.stdout)[0]["plan"]["product"] == "Atlas 800I A2 32G"
    assert json.loads(full.stdout)[0]["plan"]["product"] == "Atlas 800I A3 64G"


def test_a_cluster_file_without_nodes_ends_the_command_with_how_to_write_one(run: Run, write: Write) -> None:
    result = run("plan", "-f", write("s.yaml", a_service()), cluster=write("c.yaml", {"kind": "Pod"}))
    assert (result.exit_code, "kubectl get nodes -o yaml" in result.stderr) == (1, True)


def test_explain_says_what_the_autoscaler_last_decided_where_the_file_is_what_the_cluster_printed(
    run: Run, write: Write
) -> None:
    told = {
        "replicas": 4,
        "wanted": 6,
        "constraint": "Capacity",
        "message": "wants 6, room for 4",
        "profile": "estimate",
    }
    condition = {"type": "Scaling", "status": "False", "reason": "CapacityLimited", "message": "add nodes"}
    service = a_service(autoscaling={"maxReplicas": 8})
    printed = {**service, "status": {"autoscaling": told, "conditions": [condition]}}
    result = run("explain", "-f", write("s.yaml", printed, a_service("new", autoscaling={"maxReplicas": 8})))
    assert result.exit_code == 0, result.output
    assert "4, 6 wanted: wants 6, room for 4" in result.output
    assert "CapacityLimited" in result.output
    assert "estimate out of chip and model" in result.output
    assert "nothing was decided yet" in result.output


def test_explain_says_why_each_value_is_what_it_is(run: Run, write: Write) -> None:
    result = run("explain", "-f", write("s.yaml", a_service(), a_service("bad", backend="odd")))
    assert result.exit_code == 2
    assert all(
        word in result.stdout
        for word in (
            "default/qwen",
            "backend",
            "the first of the preference",
            "timing",
            "default/bad",
            "UnknownBackend",
        )
    )


def test_what_comes_from_a_secret_is_never_shown(run: Run, write: Write) -> None:
    service = a_service(auth={"apiKeySecretRef": {"name": "clients"}})
    (answer,) = json.loads(run("plan", "-o", "json", "-f", write("s.yaml", service)).stdout)
    assert {"name": "VLLM_API_KEY"} in answer["plan"]["env"]
