"""vLLM on Ascend: what runs where, what users may set, and the command line of each version."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.chips import PRODUCTS, by_id
from npuserve.configuration import Configuration
from npuserve.engines.arguments import ArgumentTable, load_table
from npuserve.engines.contract import Choice, ContextWindow, Fault, Parallelism
from npuserve.engines.launch import Literally, SecretValue
from npuserve.engines.vllm_ascend import ENGINE, PRERELEASES, STABLE
from npuserve.engines.vllm_ascend_reserved import reserved
from npuserve.engines.weights import VolumeWeights
from npuserve.models.catalogue import lookup
from npuserve.models.facts import ModelFacts
from npuserve.plan.description import known
from npuserve.plan.plan import Plan
from tests.support.clusters import A2_64G, A3, DUO, cluster
from tests.support.services import DEFAULTS, a_service, argument, planned, refused, variable

A2, DIES, CARDS = cluster(A2_64G), cluster(A3), cluster(DUO)
QWEN = "pvc://w/Qwen/Qwen3-8B"
TABLES = {version: load_table(ENGINE.name, version) for version in ENGINE.versions}
versions = pytest.mark.parametrize("version", ENGINE.versions)


def choice(
    path: str = "Qwen/Qwen3-8B", product: str = "Atlas 800I A2 64G", *, scheme: str = "none", version: str = "0.23.0"
) -> Choice:
    model, row = known(path).facts, by_id(product)
    assert model is not None
    assert row is not None
    return Choice(model, scheme, row, version, VolumeWeights("w", path), "served")


def plan(
    uri: str = QWEN, on: Any = A2, version: str = "0.23.0", configuration: Configuration = DEFAULTS, **spec: Any
) -> Plan:
    return planned(a_service(uri, backend=ENGINE.name, backendVersion=version, **spec), on, configuration)


def faults(
    arguments: dict[str, Any],
    *,
    version: str = "0.23.0",
    variables: dict[str, str] | None = None,
    remote_code: bool = False,
) -> tuple[Fault, ...]:
    return ENGINE.faults(
        choice(version=version), arguments=arguments, variables=variables or {}, api_key=False, remote_code=remote_code
    )


# What runs where


@pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: row.id)
def test_only_the_families_with_an_image_are_served(row: Any) -> None:
    blocked = ENGINE.obstacle(choice(product=row.id))
    served = row.generation in ("A2", "A3", "310P") or (row.generation == "950" and row.image_suffix is not None)
    assert (blocked is None) is served
    if blocked is not None:
        assert blocked.about == "hardware"


def test_the_oldest_version_does_not_know_the_newest_chip() -> None:
    blocked = ENGINE.obstacle(choice(product="Atlas 850 96G", version="0.18.0"))
    assert blocked is not None
    assert "0.23.0 on" in blocked.message


def test_latent_attention_does_not_run_on_cards_and_is_refused_before_it_fails_late() -> None:
    blocked = ENGINE.obstacle(choice("moonshotai/Kimi-K2.5", "Atlas 300I Duo 96G", scheme="W8A8"))
    assert blocked is not None
    assert (blocked.about, "multi-head latent attention" in blocked.message) == ("model", True)


def test_an_architecture_without_code_is_refused_with_the_versions_that_have_it() -> None:
    newer = TABLES["0.30.0rc2"].architectures - TABLES["0.23.0"].architectures
    model = lookup("Qwen/Qwen3-8B")
    assert model is not None
    one = replace(choice(), model=replace(model, architecture=min(newer)))
    blocked = ENGINE.obstacle(one)
    assert blocked is not None
    assert "0.30.0rc2 does, set spec.backendVersion" in blocked.message
    nobody = ENGINE.obstacle(replace(choice(), model=replace(model, architecture="OddForCausalLM")))
    assert nobody is not None
    assert "set spec.backendVersion" not in nobody.message


@pytest.mark.parametrize(
    ("scheme", "product", "runs"),
    [
        ("none", "Atlas 300I Duo 96G", True),
        ("W8A8", "Atlas 300I Duo 96G", True),
        ("W8A8SC", "Atlas 300I Duo 96G", True),
        ("W4A8", "Atlas 300I Duo 96G", False),
        ("W8A8SC", "Atlas 800I A2 64G", False),
        ("W8A8", "Atlas 800I A2 64G", True),
        ("W4A8", "Atlas 800I A3 64G", True),
        ("W4A16", "Atlas 800I A2 64G", False),
        ("MXFP8", "Atlas 800I A3 64G", False),
        ("MXFP8", "Atlas 850 96G", True),
        ("FP8", "Atlas 850 96G", True),
        ("AWQ", "Atlas 800I A2 64G", False),
        ("GPTQ", "Atlas 800I A2 64G", False),
        ("GGUF", "Atlas 800I A2 64G", False),
        ("NVFP4", "Atlas 850 96G", False),
    ],
)
def test_each_chip_runs_its_own_quantizations(scheme: str, product: str, *, runs: bool) -> None:
    blocked = ENGINE.obstacle(choice(product=product, scheme=scheme))
    assert (blocked is None) is runs
    if blocked is not None:
        assert blocked.about == "quantization"


@pytest.mark.parametrize(("version", "runs"), [("0.18.0", False), ("0.23.0", False), ("0.30.0rc2", True)])
def test_fp8_checkpoints_are_unpacked_by_the_newest_version_only_and_then_take_twice_the_memory(
    version: str, *, runs: bool
) -> None:
    asked = choice("deepseek-ai/DeepSeek-V3.1", "Atlas 800I A3 64G", scheme="FP8", version=version)
    assert (ENGINE.obstacle(asked) is None) is runs
    assert ENGINE.footprint(asked, {}).scheme == "none"
    assert ENGINE.footprint(replace(asked, product=by_id("Atlas 850 96G") or asked.product), {}).scheme == "FP8"


def test_cards_split_over_one_two_or_four_and_never_over_data() -> None:
    on_cards = choice(product="Atlas 300I Duo 96G")
    possible = [
        size for size in range(1, 9) if not ENGINE.tensor_obstacle(on_cards, Parallelism(size, 1, 1, 1), named=True)
    ]
    assert possible == [1, 2, 4]
    assert ENGINE.tensor_obstacle(on_cards, Parallelism(1, 1, 2, 1), named=True) is not None
    assert ENGINE.tensor_obstacle(choice(), Parallelism(8, 1, 2, 1), named=True) is None
    assert not ENGINE.spreads_data(choice("Qwen/Qwen3-30B-A3B", "Atlas 300I Duo 96G"))


@pytest.mark.parametrize(
    ("product", "version", "kind"),
    [
        ("Atlas 800I A2 64G", "0.23.0", None),
        ("Atlas 800I A2 64G", "0.30.0rc2", "pre-release"),
        ("Atlas 300I Duo 96G", "0.23.0", "experimental"),
    ],
)
def test_what_platform_engineers_should_know_first_is_said(product: str, version: str, kind: str | None) -> None:
    row = by_id(product)
    assert row is not None
    said = ENGINE.caution(row, version)
    assert (said and said.kind) == kind


def test_versions_are_newest_first_and_every_one_has_a_table() -> None:
    assert ENGINE.versions == (*PRERELEASES, *STABLE)
    assert ENGINE.stable == STABLE == ("0.23.0", "0.18.0")


# Memory


@pytest.mark.parametrize(("version", "share"), [("0.18.0", 0.9), ("0.23.0", 0.92), ("0.30.0rc2", 0.92)])
def test_the_share_of_memory_is_the_versions_default_unless_the_user_names_one(version: str, share: float) -> None:
    assert ENGINE.utilization(version, {}) == share
    assert ENGINE.utilization(version, {"gpu_memory_utilization": 0.8}) == 0.8


def test_communication_groups_take_200_mib_each() -> None:
    def taken(split: Parallelism) -> int:
        return (
            ENGINE.overhead(
                choice("Qwen/Qwen3-30B-A3B"), split, context=ContextWindow(4096, 64), arguments={}, variables={}
            ).communication
            >> 20
        )

    assert [taken(split) for split in (Parallelism(1, 1, 1, 1), Parallelism(2, 1, 1, 1), Parallelism(4, 1, 1, 4))] == [
        0,
        200,
        400,
    ]


def test_cards_hold_a_mask_of_two_bytes_for_every_pair_of_tokens() -> None:
    def needed(length: int, product: str) -> int:
        split = Parallelism(1, 1, 1, 1)
        return ENGINE.overhead(
            choice(product=product), split, context=ContextWindow(length, 16), arguments={}, variables={}
        ).activations

    assert needed(32_768, "Atlas 300I Duo 96G") - needed(4096, "Atlas 300I Duo 96G") == 2 * (32_768**2 - 4096**2)
    assert needed(32_768, "Atlas 800I A2 64G") == needed(4096, "Atlas 800I A2 64G")


def test_a_larger_batch_needs_more_memory() -> None:
    def needed(**arguments: Any) -> int:
        return ENGINE.overhead(
            choice(), Parallelism(1, 1, 1, 1), context=ContextWindow(4096, 64), arguments=arguments, variables={}
        ).activations

    assert needed(max_num_batched_tokens=16_384) > needed() == needed(max_num_batched_tokens=8192)
    assert needed(max_num_batched_tokens="16K") == needed(max_num_batched_tokens=16_384)
    assert needed(max_num_batched_tokens="1.5k") == needed(max_num_batched_tokens=1500)


def test_a_step_holds_a_token_of_every_sequence() -> None:
    assert argument(plan(context={"maxSequences": 20_000, "maxModelLen": 512}), "--max-num-batched-tokens") == "20000"
    assert argument(plan(context={"maxSequences": 2}), "--max-num-batched-tokens") == "8192"


def test_shared_memory_is_at_least_four_gibibytes() -> None:
    assert [ENGINE.shared_memory(Parallelism(size, 1, 1, 1)) >> 30 for size in (1, 4, 16)] == [4, 4, 16]


# Launch


def test_a_dense_model_is_started_with_what_the_plan_decided() -> None:
    found = plan()
    assert found.launch.command == ()
    assert found.launch.args[4:7] == ("vllm", "serve", "/models/Qwen/Qwen3-8B")
    told = {flag: argument(found, flag) for flag in (
        "--host", "--port", "--served-model-name", "--dtype", "--tensor-parallel-size", "--max-model-len", "--max-num-seqs", "--max-num-batched-tokens",
        "--gpu-memory-utilization", "--shutdown-timeout", "--additional-config",
    )}  # fmt: skip
    assert told == {
        "--host": "0.0.0.0", "--port": "8000", "--served-model-name": "Qwen3-8B", "--dtype": "bfloat16", "--tensor-parallel-size": "1",
        "--max-model-len": "32768", "--max-num-seqs": "64", "--max-num-batched-tokens": "8192", "--gpu-memory-utilization": "0.92",
        "--shutdown-timeout": "30", "--additional-config": '{"enable_cpu_binding":false}',
    }  # fmt: skip
    assert not {
        "--quantization",
        "--pipeline-parallel-size",
        "--data-parallel-size",
        "--enable-expert-parallel",
        "--revision",
    } & {*found.launch.args}


def test_a_mixture_is_spread_and_a_pipeline_named() -> None:
    found = plan("pvc://w/Qwen/Qwen3-30B-A3B", parallelism={"tensor": 2, "pipeline": 2, "data": 2})
    told = [
        argument(found, flag)
        for flag in (
            "--tensor-parallel-size",
            "--pipeline-parallel-size",
            "--data-parallel-size",
            "--enable-expert-parallel",
        )
    ]
    assert told == ["2", "2", "2", ""]


def test_cards_run_graphs_for_decoding_only_and_without_the_compiler() -> None:
    found = plan(on=CARDS)
    assert argument(found, "--dtype") == "float16"
    assert json.loads(argument(found, "--compilation-config") or "") == {
        "cudagraph_mode": "FULL_DECODE_ONLY",
        "cudagraph_capture_sizes": [1, 2, 4, 8, 16],
    }
    assert json.loads(argument(found, "--additional-config") or "")["ascend_compilation_config"] == {
        "enable_npugraph_ex": False
    }


def test_the_users_own_keys_are_laid_over_the_plans() -> None:
    found = plan(
        on=CARDS,
        engineArgs={
            "compilation-config": {"cudagraph_capture_sizes": [1]},
            "additional_config": {"ascend_compilation_config": {"fuse_norm_quant": False}},
        },
    )
    assert json.loads(argument(found, "--compilation-config") or "") == {
        "cudagraph_mode": "FULL_DECODE_ONLY",
        "cudagraph_capture_sizes": [1],
    }
    additional = json.loads(argument(found, "--additional-config") or "")
    assert additional == {
        "ascend_compilation_config": {"enable_npugraph_ex": False, "fuse_norm_quant": False},
        "enable_cpu_binding": False,
    }


def test_the_users_own_flags_replace_the_plans_and_switches_are_written_as_the_version_reads_them() -> None:
    found = plan(engineArgs={"max_num_batched_tokens": 2048, "enable-prefix-caching": False, "enforce-eager": True})
    assert argument(found, "--max-num-batched-tokens") == "2048"
    assert {"--no-enable-prefix-caching", "--enforce-eager"} <= {*found.launch.args}


@pytest.mark.parametrize(
    ("uri", "on", "claim", "flag"),
    [
        ("pvc://w/Qwen/Qwen3-8B", A2, "W8A8", "ascend"),
        ("pvc://w/Qwen/Qwen3-8B", A2, "none", None),
        ("modelscope://vllm-ascend/Qwen3-32B-W8A8", A2, "auto", "ascend"),
        ("pvc://w/moonshotai/Kimi-K2.5", DIES, "auto", None),
    ],
)
def test_weights_made_with_msmodelslim_are_named_and_formats_that_declare_themselves_are_not(
    uri: str, on: Any, claim: str, flag: str | None
) -> None:
    assert argument(plan(uri, on, quantization=claim), "--quantization") == flag


def test_sparse_weights_are_loaded_per_rank() -> None:
    found = plan("modelscope://vllm-ascend/Qwen3-32B-w8a8sc-310-vllm-tp4", CARDS, parallelism={"tensor": 4})
    assert argument(found, "--load-format") == "sharded_state"
    assert argument(found, "--quantization") == "ascend"


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        (
            "modelscope://Qwen/Qwen3-8B",
            {"VLLM_USE_MODELSCOPE": Literally("true"), "MODELSCOPE_CACHE": Literally("/cache/modelscope")},
        ),
        ("hf://Qwen/Qwen3-8B", {"HF_HOME": Literally("/cache/huggingface"), "VLLM_USE_MODELSCOPE": None}),
        (QWEN, {"VLLM_USE_MODELSCOPE": None, "HF_HOME": None}),
    ],
)
def test_the_engine_is_told_its_hub_and_where_to_keep_what_it_downloads(uri: str, told: dict[str, Any]) -> None:
    found = plan(uri)
    assert {name: variable(found, name) for name in told} == told


@pytest.mark.parametrize(
    ("uri", "name"), [("modelscope://Qwen/Qwen3-8B", "MODELSCOPE_API_TOKEN"), ("hf://Qwen/Qwen3-8B", "HF_TOKEN")]
)
def test_a_token_is_given_by_reference(uri: str, name: str) -> None:
    assert variable(plan(uri, model={"secretRef": {"name": "hub"}}), name) == SecretValue("hub", "token")


def test_an_api_key_is_given_by_reference_and_never_written_down() -> None:
    found = plan(auth={"apiKeySecretRef": {"name": "clients"}})
    assert variable(found, "VLLM_API_KEY") == SecretValue("clients", "token")
    assert "--api-key" not in found.launch.args


def test_a_revision_of_a_hub_is_asked_for() -> None:
    assert argument(plan("hf://Qwen/Qwen3-8B", model={"revision": "v1"}), "--revision") == "v1"


def test_the_engine_waits_as_long_as_the_probe() -> None:
    found = plan("hf://Qwen/Qwen3-32B")
    assert variable(found, "VLLM_ENGINE_READY_TIMEOUT_S") == Literally(str(found.timing.startup))


def test_the_users_variables_reach_the_engine() -> None:
    assert variable(
        plan(template={"env": [{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}]}), "VLLM_LOGGING_LEVEL"
    ) == Literally("DEBUG")


@versions
def test_load_is_read_from_the_port_that_the_engine_is_told(version: str) -> None:
    found, source = plan(version=version), ENGINE.metrics(version)
    assert argument(found, "--port") == str(source.port) == "8000"
    assert found.launch.drain[3] == f"http://127.0.0.1:{source.port}{source.path}"


@versions
def test_every_name_that_load_is_read_under_is_one_that_the_version_shows(version: str) -> None:
    source, shown = ENGINE.metrics(version), TABLES[version].metrics
    assert {source.running, *source.waiting, source.cache} <= shown["gauge"]
    assert {source.prompt, source.reused, *source.generated} <= shown["counter"]
    sums = {name.removesuffix("_sum") for name in (source.finished_prompt, source.whole)}
    assert {source.first, source.gaps, source.prompts, source.outputs, *sums} <= shown["histogram"]


def test_health_and_metrics_are_asked_where_the_engine_answers() -> None:
    launch = plan().launch
    assert {check.path for check in (launch.started, launch.ready, launch.alive)} == {"/health"}
    assert launch.port == launch.ready.port == 8000
    assert launch.drain[3:] == (
        "http://127.0.0.1:8000/metrics",
        *("120", "5", "6"),
        "vllm:num_requests_running,vllm:num_requests_waiting",
        "vllm:request_success_total",
        "/dev/shm/npuserve/leaving",
    )


def test_a_replica_drains_for_longer_than_its_engine_keeps_idle_connections_open() -> None:
    slow = plan(template={"env": [{"name": "VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "value": "60"}]})
    assert slow.launch.drain[6] == "61"


@versions
@pytest.mark.parametrize("uri", [QWEN, "modelscope://Qwen/Qwen3-30B-A3B", "pvc://w/Qwen/Qwen2.5-VL-7B-Instruct"])
@pytest.mark.parametrize("on", [A2, DIES, CARDS], ids=["A2", "A3", "310P"])
def test_no_version_is_given_a_flag_or_a_key_that_it_does_not_know(version: str, uri: str, on: Any) -> None:
    found, table = plan(uri, on, version, quantization="W8A8"), TABLES[version]
    flags = {word.removeprefix("--") for word in found.launch.args if word.startswith("--")}
    assert flags <= set(table.flags) | {f"no-{name}" for name, flag in table.flags.items() if flag.negatable}
    additional = json.loads(argument(found, "--additional-config") or "{}")
    assert set(additional) <= set(table.additional_config)


# What users may not set


def test_every_reserved_name_exists_in_some_version() -> None:
    flags = {name for table in TABLES.values() for name, flag in table.flags.items() for name in (name, *flag.aliases)}
    names = reserved(remote_code=False)
    assert {name.partition(".")[0] for name in names} <= flags
    for name in (name for name in names if "." in name):
        assert any(has_path(table, name) for table in TABLES.values()), name


def has_path(table: ArgumentTable, path: str) -> bool:
    head, *inner = path.split(".")
    node = table.flags.get(head)
    for key in inner:
        node = node.keys.get(key) if node is not None and node.keys is not None else None
    return node is not None


@versions
@pytest.mark.parametrize(
    "name",
    [
        "port", "host", "uds", "grpc", "model", "served-model-name", "tensor-parallel-size", "tensor_parallel_size", "--tensor-parallel-size", "tp",
        "Tensor-Parallel-Size", "max-model-len", "dtype", "quantization", "api-key", "hf-token", "worker-cls", "kv-transfer-config", "tokenizer",
        "download-dir", "trust-remote-code", "no-trust-remote-code", "enable-expert-parallel", "no-enable-expert-parallel", "disable-log-stats", "nnodes",
        "middleware", "config", "data-parallel-size", "dp", "kv-transfer-config.kv_connector", "profiler-config.torch_profiler_dir", "allowed-local-media-path",
        "compilation-config.backend", "compilation_config.Backend", "additional-config.dump_config_path", "structured-outputs-config.reasoning_parser_plugin",
    ],
)  # fmt: skip
def test_what_the_plan_owns_or_reaches_beyond_the_service_is_reserved_however_it_is_written(
    version: str, name: str
) -> None:
    table = TABLES[version]
    head = name.lstrip("-").replace("_", "-").lower().partition(".")[0].removeprefix("no-")
    if head not in table.flags and not any(head in flag.aliases for flag in table.flags.values()):
        pytest.skip(f"{version} has no {head}")
    (found,) = faults({name: "x"}, version=version)
    assert (found.kind, found.field) == (
        "reserved" if name != "compilation_config.Backend" else found.kind,
        f"spec.engineArgs.{name}",
    )
    assert found.kind in ("reserved", "unknown")


@pytest.mark.parametrize(
    "arguments",
    [
        {"compilation-config": {"backend": "os.system"}},
        {"compilation-config": {"inductor_passes": {"a": "os.system"}}},
        {"compilation-config.inductor_passes": {"a": "os.system"}},
        {"additional-config": {"eplb_config": {"expert_map_path": "/x"}}},
        {"additional-config.eplb_config": {"expert_map_record_path": "/x"}},
        {"additional-config.eplb_config.expert_map_path": "/x"},
        {"structured-outputs-config": {"reasoning_parser_plugin": "/x.py"}},
        {"speculative-config": {"model": "/etc/passwd"}},
        {"speculative-config": {"model": "../x"}},
        {"speculative-config.model": "/etc/passwd"},
        {"speculative-config": {"draft_load_config": {"download_dir": "/x"}}},
        {"chat-template": "/etc/passwd"},
        {"chat_template": "template.jinja"},
        {"default-mm-loras": {"image": "/x"}},
    ],
)
def test_code_and_paths_are_reserved_inside_structured_values_too(arguments: dict[str, Any]) -> None:
    (found,) = faults(arguments)
    assert found.kind == "reserved"
    assert found.field.startswith("spec.engineArgs.")


@pytest.mark.parametrize(
    "arguments",
    [
        {"structured-outputs-config": {"backend": "xgrammar"}},
        {"speculative-config": {"method": "eagle3", "model": "org/draft", "num_speculative_tokens": 2}},
        {"chat-template": "{% for m in messages %}{{ m.content }}{% endfor %}"},
        {"compilation-config": {"cudagraph_mode": "PIECEWISE"}},
        {"enable-auto-tool-choice": True, "tool-call-parser": "hermes"},
    ],
)
def test_ordinary_settings_are_open(arguments: dict[str, Any]) -> None:
    assert faults(arguments) == ()


TELLING = re.compile(r"(^|[-_.])(path|dir|file|plugin|cls|port|addr|address|host|token|loras?|uds|backend-url)$")
NO_PATHS = {
    "enable-lora": "a switch",
    "specialize-active-lora": "a switch",
    "fully-sharded-loras": "a switch",
    "enable-moe-shared-loras": "a switch",
    "enable-tower-connector-lora": "a switch",
    "max-loras": "a number",
    "max-cpu-loras": "a number",
}


@versions
def test_no_flag_whose_name_tells_of_a_path_an_address_or_code_is_open(version: str) -> None:
    names = {name for name in TABLES[version].flags if TELLING.search(name)} - set(NO_PATHS)
    assert names
    open_ones = {
        name for name in names if all(fault.kind != "reserved" for fault in faults({name: "x"}, version=version))
    }
    assert open_ones == set()


@versions
def test_no_key_inside_a_flag_whose_name_tells_so_is_open(version: str) -> None:
    def paths(keys: Any, above: str) -> list[str]:
        return [
            p for name, key in (keys or {}).items() for p in (f"{above}.{name}", *paths(key.keys, f"{above}.{name}"))
        ]

    every = [path for name, flag in TABLES[version].flags.items() for path in paths(flag.keys, name)]
    telling = [path for path in every if re.search(r"(path|dir|plugin|cls|passes|module)$", path)]
    assert telling
    assert [
        path for path in telling if all(fault.kind != "reserved" for fault in faults({path: "x"}, version=version))
    ] == []


TELLING_VARIABLE = re.compile(
    r"(PATH|_DIR|_FOLDER|_SO|_IP|_IPS|_HOST|_HOSTNAME|_PORT|_ADDR|_RANK|SECRET\w*|_KEY|_KEY_ID|VISIBLE_DEVICES|_URL|_SERVER|_PLUGINS)$"
)


@versions
def test_no_variable_whose_name_tells_of_a_path_an_address_a_rank_or_a_key_is_open(version: str) -> None:
    names = {name for name in TABLES[version].environment if TELLING_VARIABLE.search(name)}
    assert len(names) > 20
    open_ones = {name for name in names if not faults({}, version=version, variables={name: "x"})}
    assert open_ones == set()


@pytest.mark.parametrize(
    "name", ["ASCEND_VISIBLE_DEVICES", "LD_PRELOAD", "PYTHONPATH", "PATH", "ASCEND_RUNTIME_OPTIONS", "VLLM_USE_ASCEND"]
)
def test_variables_that_the_engine_does_not_read_are_refused(name: str) -> None:
    (found,) = faults({}, variables={name: "x"})
    assert found.kind in ("unknown", "reserved")
    assert found.field == f"spec.template.env.{name}"


@pytest.mark.parametrize(
    "name", ["VLLM_LOGGING_LEVEL", "HCCL_BUFFSIZE", "HF_ENDPOINT", "OMP_NUM_THREADS", "TZ", "VLLM_ASCEND_ENABLE_NZ"]
)
def test_tuning_variables_are_open(name: str) -> None:
    assert faults({}, variables={name: "1"}) == ()


def test_remote_code_is_opened_by_the_platform_team_alone() -> None:
    (found,) = faults({"trust-remote-code": True})
    assert "allow.trustRemoteCode" in found.message
    assert faults({"trust-remote-code": True}, remote_code=True) == ()
    open_to_it = Configuration.model_validate({"allow": {"trustRemoteCode": True}})
    assert argument(plan(configuration=open_to_it, engineArgs={"trust-remote-code": True}), "--trust-remote-code") == ""


@pytest.mark.parametrize("share", [0.05, 0.99, 1.0])
def test_a_share_of_memory_that_leaves_no_room_is_refused(share: float) -> None:
    (found,) = faults({"gpu-memory-utilization": share})
    assert found.kind == "invalid"


@pytest.mark.parametrize(
    ("arguments", "reason", "told"),
    [
        ({"max-batched-tokens": 4096}, Reason.UNKNOWN_ARGUMENT, "did you mean max-num-batched-tokens?"),
        ({"max-num-batched-tokens": "4096 tokens"}, Reason.INVALID_ARGUMENT, "write the number without quotes"),
        (
            {"additional-config": {"fuse_muls_add": True}},
            Reason.UNKNOWN_ARGUMENT,
            "it belongs in ascend_compilation_config",
        ),
        (
            {"additional-config": {"torchair_graph_config": {}}},
            Reason.UNKNOWN_ARGUMENT,
            "torchair_graph_config does nothing",
        ),
        ({"swap-space": 4}, Reason.UNKNOWN_ARGUMENT, "swap-space does nothing"),
    ],
)
def test_what_the_engine_would_refuse_or_ignore_is_refused_with_the_fix(
    arguments: dict[str, Any], reason: Reason, told: str
) -> None:
    answer = refused(a_service(QWEN, engineArgs=arguments), A2)
    assert answer.reason is reason
    assert told in answer.message


def test_a_key_that_a_newer_version_dropped_is_refused_there_and_taken_before() -> None:
    arguments: dict[str, Any] = {"additional-config": {"weight_prefetch_config": {}}}
    assert faults(arguments) == ()
    (found,) = faults(arguments, version="0.30.0rc2")
    assert found.kind == "unknown"


def model_of(path: str) -> ModelFacts:
    found = lookup(path)
    assert found is not None
    return found


def test_models_for_embeddings_are_served_too() -> None:
    assert model_of("Qwen/Qwen3-8B").task == "generate"
    embedders = [
        path
        for path in ("Qwen/Qwen3-Embedding-8B", "Qwen/Qwen3-Embedding-0.6B", "BAAI/bge-m3")
        if lookup(path) is not None
    ]
    for path in embedders:
        assert ENGINE.obstacle(choice(path)) is None
