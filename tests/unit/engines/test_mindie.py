"""MindIE: what runs where, the traps of its config.json, and its start script run for real against a stand-in server."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.chips import PRODUCTS, by_id
from npuserve.configuration import Configuration
from npuserve.engines.arguments import default_tree, load_table
from npuserve.engines.contract import Choice, ContextWindow, Fault, Parallelism
from npuserve.engines.launch import FILES_DIR, Literally, OwnAddress
from npuserve.engines.mindie import ENGINE
from npuserve.engines.mindie_reserved import OWNED
from npuserve.engines.weights import HubWeights, VolumeWeights
from npuserve.plan.description import known
from npuserve.plan.plan import Plan
from tests.support.clusters import A2_64G, A3, DUO, cluster
from tests.support.services import a_service, planned, refused, variable

A2, CARDS = cluster(A2_64G), cluster(DUO)
QWEN = "pvc://w/Qwen/Qwen3-8B"
OWN_A3_IMAGE = Configuration.model_validate({"images": {"overrides": [{"engine": "mindie", "image": "own:a3"}]}})
TABLE = load_table("mindie", "3.0.0")


def choice(
    path: str = "Qwen/Qwen3-8B", product: str = "Atlas 800I A2 64G", *, scheme: str = "none", served: str = "served"
) -> Choice:
    model, row = known(path).facts, by_id(product)
    assert model is not None
    assert row is not None
    return Choice(model, scheme, row, "3.0.0", VolumeWeights("w", path), served)


def plan(uri: str = QWEN, on: Any = A2, configuration: Configuration = OWN_A3_IMAGE, **spec: Any) -> Plan:
    return planned(a_service(uri, backend="mindie", **spec), on, configuration)


def written(found: Plan) -> dict[str, Any]:
    """The config.json of a plan."""
    value: dict[str, Any] = json.loads(next(file.content for file in found.launch.files if file.name == "config.json"))
    return value


def sections(found: Plan) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """ServerConfig, BackendConfig, ModelDeployConfig, ModelConfig, ScheduleConfig."""
    tree = written(found)
    backend = tree["BackendConfig"]
    deploy = backend["ModelDeployConfig"]
    (model,) = deploy["ModelConfig"]
    return tree["ServerConfig"], backend, deploy, model, backend["ScheduleConfig"]


def faults(
    arguments: dict[str, Any],
    *,
    variables: dict[str, str] | None = None,
    api_key: bool = False,
    remote_code: bool = False,
) -> tuple[Fault, ...]:
    return ENGINE.faults(
        choice(), arguments=arguments, variables=variables or {}, api_key=api_key, remote_code=remote_code
    )


# What runs where


def test_only_the_products_of_its_list_are_served() -> None:
    served = {row.id for row in PRODUCTS if ENGINE.obstacle(choice(product=row.id)) is None}
    assert served == {
        "Atlas 800I A2 64G", "Atlas 800I A2 32G", "Atlas 800I A3 64G", "Atlas 800T A3 64G", "Atlas 900 A3 SuperPoD 64G", "Atlas 300I Duo 96G",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "about"),
    [
        (replace(choice(), weights=HubWeights("modelscope", "a/b", "", "", None)), "source"),
        (choice(served="-x"), "served-name"),
        (choice(served="a/b"), "served-name"),
        (choice(served="x" * 257), "served-name"),
        (choice("openai/gpt-oss-20b"), "model"),
        (choice("deepseek-ai/DeepSeek-V3.1", "Atlas 300I Duo 96G", scheme="W8A8"), "model"),
        (choice(scheme="FP8"), "quantization"),
        (choice(scheme="W8A8SC"), "quantization"),
        (choice(scheme="W4A8"), "quantization"),
        (choice(product="Atlas 300I Duo 96G", scheme="W8A16"), "quantization"),
    ],
)
def test_what_it_cannot_serve_is_told_apart(asked: Choice, about: str) -> None:
    blocked = ENGINE.obstacle(asked)
    assert blocked is not None
    assert blocked.about == about


@pytest.mark.parametrize(
    "asked",
    [
        choice(scheme="W8A8"),
        choice(product="Atlas 300I Duo 96G", scheme="W8A8SC"),
        choice(product="Atlas 300I Duo 96G", scheme="W16A16SC"),
        choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G", scheme="W4A8"),
        choice(served="Qwen3.5-27B_x"),
    ],
)
def test_what_its_documents_list_is_served(asked: Choice) -> None:
    assert ENGINE.obstacle(asked) is None


@pytest.mark.parametrize(("tensor", "legal"), [(1, True), (2, True), (4, True), (8, True), (16, False)])
def test_sizes_of_the_plan_divide_the_key_value_heads(tensor: int, *, legal: bool) -> None:
    assert (ENGINE.tensor_obstacle(choice(), Parallelism(tensor, 1, 1, 1), named=False) is None) is legal


@pytest.mark.parametrize(("tensor", "legal"), [(16, True), (12, False)])
def test_sizes_that_the_service_names_may_be_any_power_of_two(tensor: int, *, legal: bool) -> None:
    assert (ENGINE.tensor_obstacle(choice(), Parallelism(tensor, 1, 1, 1), named=True) is None) is legal


def test_heads_that_do_not_divide_are_filled_up_where_the_size_is_named() -> None:
    named = a_service("pvc://w/Qwen/Qwen2.5-7B-Instruct", backend="mindie", parallelism={"tensor": 8})
    assert planned(named, A2).parallelism.tensor == 8
    counted = a_service("pvc://w/Qwen/Qwen2.5-7B-Instruct", backend="mindie", hardware={"devices": 8})
    assert planned(counted, A2).parallelism.tensor == 8


def test_there_is_no_pipeline() -> None:
    answer = refused(
        a_service("pvc://w/Qwen/Qwen3-32B", backend="mindie", parallelism={"tensor": 2, "pipeline": 2}), A2
    )
    assert answer.reason is Reason.ILLEGAL_PARALLELISM
    assert "pipeline" in answer.message


def test_a_key_for_clients_is_refused_with_a_way_out() -> None:
    answer = refused(a_service(QWEN, backend="mindie", auth={"apiKeySecretRef": {"name": "k"}}), A2)
    assert (answer.reason, answer.field) == (Reason.UNSUPPORTED_AUTH, "spec.auth.apiKeySecretRef")
    assert "gateway" in answer.message


@pytest.mark.parametrize(("data", "gibibytes"), [(1, 2), (2, 2), (4, 3), (8, 5), (16, 9)])
def test_shared_memory_grows_with_data_parallelism_as_the_documents_say(data: int, gibibytes: int) -> None:
    assert ENGINE.shared_memory(Parallelism(1, 1, data, 1)) == gibibytes << 30


# The traps of config.json


def test_the_whole_default_file_is_written_because_the_server_dies_on_missing_keys() -> None:
    def keys(tree: Any, above: str = "") -> set[str]:
        match tree:
            case dict():
                return {f"{above}/{key}" for key in tree} | {
                    path for key, inner in tree.items() for path in keys(inner, f"{above}/{key}")
                }
            case list():
                return {path for item in tree for path in keys(item, above)}
        return set()

    assert keys(default_tree(TABLE)) <= keys(written(plan()))


def test_addresses_are_the_pods_own_and_no_port_listens_everywhere() -> None:
    server, *_ = sections(plan())
    assert server["allowAllZeroIpListening"] is False
    assert (server["port"], server["managementPort"], server["metricsPort"]) == (1025, 1026, 1027)
    assert variable(plan(), "MIES_CONTAINER_IP") == OwnAddress()
    assert variable(plan(), "MIES_CONTAINER_MANAGEMENT_IP") == OwnAddress()


def test_tls_is_off_everywhere_because_its_certificates_cannot_be_mounted() -> None:
    server, backend, *_ = sections(plan())
    assert (server["httpsEnabled"], server["interCommTLSEnabled"], backend["interNodeTLSEnabled"]) == (
        False,
        False,
        False,
    )


def test_keys_that_are_read_unconditionally_are_written_out() -> None:
    server, backend, *_ = sections(plan())
    assert server["distDPServerEnabled"] is False
    assert server["inferMode"] == "standard"
    assert (backend["multiNodesInferEnabled"], backend["multiNodesInferPort"]) == (False, 1120)
    assert server["HealthCheckConfig"]["npuUsageThreshold"] == 0


def test_devices_are_numbered_as_the_container_sees_them() -> None:
    _, backend, _, model, _ = sections(plan("pvc://w/Qwen/Qwen3-32B"))
    assert backend["npuDeviceIds"] == [[0, 1, 2, 3]]
    assert (backend["modelInstanceNumber"], model["worldSize"], model["tp"], model["dp"]) == (1, 4, 4, 1)


def test_experts_and_their_slices_make_the_world() -> None:
    found = plan("pvc://w/Qwen/Qwen3-30B-A3B", parallelism={"tensor": 4})
    model = sections(found)[3]
    assert model["moe_ep"] * model["moe_tp"] == model["worldSize"] == 4
    assert sections(plan("pvc://w/Qwen/Qwen3-30B-A3B", parallelism={"tensor": 4, "expert": False}))[3]["moe_ep"] == 1


def test_a_latent_cache_is_spread_over_data_parallel_ranks() -> None:
    model = known("deepseek-ai/DeepSeek-V3.1").facts
    assert model is not None
    service = a_service(
        "pvc://w/own/v31", facts=replace(model, quantization=None), backend="mindie", quantization="W8A8"
    )
    found = planned(service, cluster(A3), OWN_A3_IMAGE)
    written_model = sections(found)[3]
    assert written_model["dp"] * written_model["tp"] == written_model["worldSize"] == 16
    assert written_model["dp"] > 1


def test_a_prefill_step_holds_the_longest_input() -> None:
    *_, deploy, _, schedule = sections(plan())
    assert deploy["maxSeqLen"] == deploy["maxInputTokenLen"] == 32_768
    assert schedule["maxPrefillTokens"] >= deploy["maxInputTokenLen"]
    short = sections(plan(context={"maxModelLen": 4096}))
    assert short[4]["maxPrefillTokens"] == 8192


def test_batches_are_within_the_number_of_requests() -> None:
    schedule = sections(plan(context={"maxSequences": 8}))[4]
    assert schedule["maxBatchSize"] == 8
    assert schedule["maxPrefillBatchSize"] <= 8
    assert schedule["maxIterTimes"] == 32_768


def test_the_model_is_served_under_its_name_from_its_folder() -> None:
    model = sections(plan(model={"servedName": "chat"}))[3]
    assert (model["modelName"], model["modelWeightPath"]) == ("chat", "/models/Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    "arguments",
    [
        {"ScheduleConfig.maxPrefillBatchSize": 8},
        {"ScheduleConfig": {"maxPrefillBatchSize": 8}},
        {"BackendConfig.ScheduleConfig.maxPrefillBatchSize": 8},
        {"scheduleconfig.maxprefillbatchsize": 8},
    ],
)
def test_the_users_value_stands_however_its_path_is_written(arguments: dict[str, Any]) -> None:
    assert sections(plan(engineArgs=arguments))[4]["maxPrefillBatchSize"] == 8


def test_a_users_shorter_input_and_smaller_steps_stand() -> None:
    found = sections(
        plan(
            engineArgs={
                "ModelDeployConfig.maxInputTokenLen": 4096,
                "ScheduleConfig.maxPrefillTokens": 4096,
                "ScheduleConfig.maxIterTimes": 100,
            }
        )
    )
    assert (found[2]["maxInputTokenLen"], found[4]["maxPrefillTokens"], found[4]["maxIterTimes"]) == (4096, 4096, 100)


def test_values_of_the_user_yield_to_the_sizes_of_the_plan() -> None:
    arguments = {
        "ModelDeployConfig.maxInputTokenLen": 100_000,
        "ScheduleConfig.maxPrefillTokens": 100,
        "ScheduleConfig.maxIterTimes": 100_000,
        "ScheduleConfig.maxPrefillBatchSize": 9999,
    }
    found = sections(plan(engineArgs=arguments))
    assert (
        found[2]["maxInputTokenLen"],
        found[4]["maxPrefillTokens"],
        found[4]["maxIterTimes"],
        found[4]["maxPrefillBatchSize"],
    ) == (32_768, 32_768, 32_768, 64)


def test_a_larger_prefill_step_is_paid_for_in_memory() -> None:
    def needed(**arguments: int) -> int:
        named = {f"ScheduleConfig.{name}": value for name, value in arguments.items()}
        return ENGINE.overhead(
            choice(), Parallelism(1, 1, 1, 1), context=ContextWindow(4096, 64), arguments=named, variables={}
        ).activations

    assert needed(maxPrefillTokens=16_384) > needed() == needed(maxPrefillTokens=8192)


def test_free_settings_of_the_user_are_written() -> None:
    found = written(
        plan(engineArgs={"ServerConfig.e2eTimeout": 3600, "ModelConfig.plugin_params": {"plugin_type": "prefix_cache"}})
    )
    assert found["ServerConfig"]["e2eTimeout"] == 3600
    assert found["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["plugin_params"] == {
        "plugin_type": "prefix_cache"
    }


@pytest.mark.parametrize(
    "name",
    [
        "ServerConfig.ipAddress", "ServerConfig.port", "serverconfig.PORT", "ServerConfig.httpsEnabled", "BackendConfig.npuDeviceIds", "ModelConfig.tp",
        "ModelConfig.modelWeightPath", "BackendConfig.ModelDeployConfig.ModelConfig[0].modelWeightPath", "BackendConfig.ModelDeployConfig.ModelConfig.0.tp",
        "ModelConfig.trustRemoteCode", "ModelDeployConfig.LoraModules", "BackendConfig.kvPoolConfig.configPath", "kvPoolConfig.configPath",
        "ScheduleConfig.maxBatchSize", "ModelConfig.modelInstanceType",
    ],
)  # fmt: skip
def test_what_the_plan_owns_is_reserved_however_it_is_written(name: str) -> None:
    found = faults({name: "x"})
    assert [fault.kind for fault in found] == ["reserved"]


def test_a_reserved_field_inside_a_section_is_reserved_too() -> None:
    (found,) = faults({"ServerConfig": {"port": 80}})
    assert (found.kind, found.field) == ("reserved", "spec.engineArgs.ServerConfig.port")


def test_every_reserved_field_exists() -> None:
    fields = {name.lower() for name in TABLE.fields} | {
        ".".join(s for s in field.path if isinstance(s, str)).lower() for field in TABLE.fields.values()
    }
    for name in OWNED:
        assert any(field == name.lower() or field.startswith(f"{name.lower()}.") for field in fields), name


def test_settings_that_the_server_refuses_together_are_refused() -> None:
    (found,) = faults({"ScheduleConfig.maxPreemptCount": 4})
    assert (found.kind, "ModelConfig.cpuMemSize" in found.message) == ("invalid", True)
    assert faults({"ScheduleConfig.maxPreemptCount": 4, "ModelConfig.cpuMemSize": 5}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "MIES_CONTAINER_IP",
        "NPU_MEMORY_FRACTION",
        "RANK_TABLE_FILE",
        "MINDIE_LOG_PATH",
        "ASCEND_RT_VISIBLE_DEVICES",
        "LD_PRELOAD",
    ],
)
def test_variables_that_are_the_plans_or_unknown_are_refused(name: str) -> None:
    (found,) = faults({}, variables={name: "x"})
    assert found.field == f"spec.template.env.{name}"


def test_metrics_are_on_logs_go_to_the_container_and_mounted_weights_are_read() -> None:
    found = plan()
    assert variable(found, "MIES_SERVICE_MONITOR_MODE") == Literally("1")
    assert variable(found, "MINDIE_LOG_TO_STDOUT") == Literally("1")
    assert variable(found, "MINDIE_CHECK_INPUTFILES_PERMISSION") == Literally("0")
    assert variable(found, "NPU_MEMORY_FRACTION") == Literally("0.8")
    assert found.memory.utilization == 0.8


def test_load_is_read_from_the_port_that_the_server_is_told() -> None:
    found, source = plan(), ENGINE.metrics("3.0.0")
    assert sections(found)[0]["metricsPort"] == source.port == 1027
    assert found.launch.drain[3] == f"env:MIES_CONTAINER_IP:{source.port}{source.path}"


def test_a_replica_is_ready_when_its_clients_port_answers_and_alive_by_the_management_port() -> None:
    launch = plan().launch
    assert (launch.started.path, launch.ready.path, launch.ready.port) == ("/v1/models", "/v1/models", launch.port)
    assert (launch.alive.path, launch.alive.port) == ("/v2/health/live", 1026)
    assert launch.drain[3:] == (
        "env:MIES_CONTAINER_IP:1027/metrics",
        *("120", "5", "6"),
        "num_requests_running,num_requests_waiting,num_requests_swapped",
        "request_received_total",
    )


def test_on_cards_a_copy_of_the_weights_that_says_float16_is_served() -> None:
    found = plan(on=CARDS, hardware={"product": "Atlas 300I Duo 96G"})
    assert found.dtype == "float16"
    assert sections(found)[3]["modelWeightPath"] == "/tmp/npuserve/model"
    assert sections(plan())[3]["modelWeightPath"] == "/models/Qwen/Qwen3-8B"


# The start script


class Sandbox:
    """The start script of a plan in a folder of its own: files, weights, a stand-in server, /dev/shm."""

    def __init__(self, root: Path, found: Plan, *, server: str) -> None:
        self.root, self.prepared, self.weights, self.shm = root, root / "prepared", root / "weights", root / "shm"
        files = root / "files"
        for folder in (files, self.weights, self.shm, root / "bin", root / "home" / "conf"):
            folder.mkdir(parents=True)
        source = found.weights.path
        for file in found.launch.files:
            text = (
                file.content.replace(FILES_DIR, str(files))
                .replace(source, str(self.weights))
                .replace("/dev/shm", str(self.shm))
            )
            (files / file.name).write_text(text)
            (files / file.name).chmod(0o444)
        (self.weights / "config.json").write_text('{"torch_dtype": "bfloat16", "vocab_size": 151936}')
        (self.weights / "model.safetensors").write_text("weights")
        executable = root / "bin" / "mindie_llm_server"
        executable.write_text(f"#!/bin/bash\n{server}")
        executable.chmod(0o755)
        (root / "home" / "conf" / "config.json").write_text(
            '{"OnlyInTheImage": 1, "ServerConfig": {"port": 1, "own": 2}}'
        )
        self.script = files / "start.sh"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "NPUSERVE_PREPARED": str(self.prepared),
            "MINDIE_LLM_HOME_PATH": str(self.root / "home"),
            "RANK_TABLE_FILE": "/left/over",
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/bin/bash", str(self.script)],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


TELL = 'echo "config=$MIES_CONFIG_JSON_PATH rank=${RANK_TABLE_FILE-unset}"\n'


def test_the_script_is_bash_that_parses() -> None:
    script = next(file.content for file in plan().launch.files if file.name == "start.sh")
    assert plan().launch.command == ("/bin/bash", f"{FILES_DIR}/start.sh")
    subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True)


def test_the_server_finds_a_configuration_of_its_own_with_the_mode_it_demands(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, plan(), server=TELL)
    process = box.start()
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert f"config={box.prepared}/config.json rank=unset" in said
    config = box.prepared / "config.json"
    assert not config.is_symlink()
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert config.stat().st_uid == os.getuid()


def test_what_only_the_image_knows_stays_and_ours_goes_over_it(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, plan(), server=TELL)
    box.start().communicate(timeout=30)
    read = json.loads((box.prepared / "config.json").read_text())
    assert read["OnlyInTheImage"] == 1
    assert (read["ServerConfig"]["port"], read["ServerConfig"]["own"]) == (1025, 2)


def test_leftovers_of_the_process_before_are_removed_from_shared_memory(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, plan(), server=TELL)
    for name in ("x_llm_backend_1", "llm_tokenizer_shared_memory_2", "someone_elses"):
        (box.shm / name).write_text("x")
    box.start().communicate(timeout=30)
    assert [file.name for file in box.shm.iterdir()] == ["someone_elses"]


def test_another_type_makes_a_real_config_json_among_links(tmp_path: Path) -> None:
    found = plan(on=CARDS, hardware={"product": "Atlas 300I Duo 96G"})
    box = Sandbox(tmp_path, found, server=TELL)
    for _ in range(2):  # a container that restarts finds what was there
        process = box.start()
        said, _unused = process.communicate(timeout=30)
        assert process.returncode == 0, said
    copy = box.prepared / "model"
    config = copy / "config.json"
    assert json.loads(config.read_text()) == {"torch_dtype": "float16", "vocab_size": 151936}
    assert not config.is_symlink()
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert (copy / "model.safetensors").is_symlink()
    assert (copy / "model.safetensors").read_text() == "weights"
    assert json.loads((box.weights / "config.json").read_text())["torch_dtype"] == "bfloat16"


def test_the_same_type_copies_nothing(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, plan(), server=TELL)
    box.start().communicate(timeout=30)
    assert not (box.prepared / "model").exists()


@pytest.mark.parametrize("code", [0, 1, 134, 137])
def test_the_exit_code_is_the_servers_own(tmp_path: Path, code: int) -> None:
    process = Sandbox(tmp_path, plan(), server=f"exit {code}\n").start()
    process.communicate(timeout=30)
    assert process.returncode == code


def test_the_order_to_stop_reaches_the_server_and_its_end_is_waited_for(tmp_path: Path) -> None:
    server = "trap 'echo told; sleep 0.5; echo ended; exit 134' TERM\necho up\nwhile :; do sleep 0.1; done\n"
    process = Sandbox(tmp_path, plan(), server=server).start()
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert "told" in said
    assert said.endswith("ended\n")
    assert process.returncode == 134


def test_weights_without_a_config_json_end_the_start_with_the_reason(tmp_path: Path) -> None:
    found = plan(on=CARDS, hardware={"product": "Atlas 300I Duo 96G"})
    box = Sandbox(tmp_path, found, server=TELL)
    (box.weights / "config.json").unlink()
    process = box.start()
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "config.json" in said
