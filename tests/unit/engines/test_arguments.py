"""What users may set, per engine version: the committed tables, the checks, and flags as the engine reads them back."""

import argparse
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuserve.engines.arguments import (
    apply_config_paths,
    canonical_arguments,
    check_arguments,
    check_config_paths,
    check_environment,
    default_tree,
    flag_default,
    known_versions,
    load_table,
    render_flags,
)

OLD, STABLE, NEW = (load_table("vllm-ascend", version) for version in ("0.18.0", "0.23.0", "0.30.0rc2"))
TREE = load_table("mindie", "3.0.0")
RESERVED = {
    "served-model-name": "set spec.model.servedName",
    "tensor-parallel-size": "set spec.parallelism.tensor",
    "enable-expert-parallel": "set spec.parallelism.expert",
    "kv-transfer-config": "it imports code",
    "compilation-config.backend": "it imports code",
    "additional_config.dump_config_path": "it opens a path",
    "renderer-cls": "it imports code",
}


def problems(arguments, table=STABLE, reserved=RESERVED):
    return [(error.kind, error.field, error.message) for error in check_arguments(table, arguments, reserved)]


def only_message(arguments, table=STABLE, reserved=RESERVED) -> str:
    [(_, _, message)] = problems(arguments, table, reserved)
    return message


def test_versions_are_known_oldest_first_and_release_candidates_before_their_release() -> None:
    assert known_versions("vllm-ascend") == ("0.18.0", "0.23.0", "0.30.0rc2")
    assert known_versions("mindie") == ("3.0.0",)
    assert known_versions("nobody") == ()


def test_a_version_without_a_table_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(LookupError, match=r"no table for mindie 2\.3\.0; known are 3\.0\.0"):
        load_table("mindie", "2.3.0")


# Counted by hand in v@V:vllm/engine/arg_utils.py and the frontend arguments.
@pytest.mark.parametrize(("table", "count"), [(OLD, 226), (STABLE, 261), (NEW, 300)])
def test_a_table_has_every_flag_of_its_version(table, count: int) -> None:
    assert len(table.flags) == count


# va@V:vllm_ascend/ascend_config.py; 0.23.0 reads enable_hamming_sparse in attention/kvcomp_attn.
@pytest.mark.parametrize(("table", "count", "strict"), [(OLD, 20, False), (STABLE, 45, False), (NEW, 52, True)])
def test_a_table_has_every_key_of_additional_config(table, count: int, *, strict: bool) -> None:
    assert len(table.additional_config) == count
    assert table.flags["additional-config"].strict is strict


@pytest.mark.parametrize(
    ("table", "name", "default"),
    [
        (OLD, "gpu-memory-utilization", 0.9),
        (STABLE, "gpu-memory-utilization", 0.92),
        (NEW, "gpu-memory-utilization", 0.92),
        (OLD, "shutdown-timeout", 0),
        (STABLE, "port", 8000),
        (STABLE, "data-parallel-backend", "mp"),
        (STABLE, "safetensors-prefetch-block-size", 16 * 1024 * 1024),
        (STABLE, "enable-prefix-caching", None),
        (STABLE, "disable-cascade-attn", True),
        (STABLE, "max-lora-rank", 16),
        (STABLE, "kv-cache-dtype", "auto"),
        (STABLE, "no-such-flag", None),
    ],
)
def test_a_default_is_the_versions_own(table, name: str, default: object) -> None:
    assert flag_default(table, name) == default


@pytest.mark.parametrize(
    "name", ["swap-space", "task", "rope-scaling", "rope-theta", "num-redundant-experts", "device"]
)
def test_flags_of_older_servers_are_gone(name: str) -> None:
    assert all(name not in table.flags for table in (OLD, STABLE, NEW))


def test_what_the_plugin_adds_to_choices_is_there() -> None:
    assert {"int8", "mxfp8", "fp8"} <= set(NEW.flags["kv-cache-dtype"].choices)
    assert "int8" not in STABLE.flags["kv-cache-dtype"].choices
    assert "int8" in NEW.flags["attention-config"].keys["indexer_kv_dtype"].choices


@pytest.mark.parametrize(
    ("table", "name", "default", "build"),
    [
        (STABLE, "VLLM_ENGINE_READY_TIMEOUT_S", 600, False),
        (STABLE, "VLLM_ASCEND_ENABLE_NZ", 1, False),
        (STABLE, "SOC_VERSION", None, True),
        (STABLE, "MAX_JOBS", None, True),
        (NEW, "VLLM_ASCEND_ENABLE_FLASHCOMM1", "0", False),
        (STABLE, "HCCL_OP_EXPANSION_MODE", None, False),
    ],
)
def test_a_variable_is_known_with_its_default(table, name: str, default: object, *, build: bool) -> None:
    known = table.environment[name]
    assert (known.default, known.build) == (default, build)


def test_architectures_tell_versions_apart() -> None:
    assert "Qwen3ForCausalLM" in OLD.architectures
    assert "DeepseekV4ForCausalLM" in STABLE.architectures - OLD.architectures
    assert "KimiK3ForCausalLM" in NEW.architectures - STABLE.architectures


@pytest.mark.parametrize(
    "arguments",
    [
        {"max-num-batched-tokens": 8192},
        {"max-num-batched-tokens": "32k"},
        {"max-model-len": "auto"},
        {"max_model_len": "1.5m"},
        {"enable-prefix-caching": False},
        {"no-enable-prefix-caching": True},
        {"pp": 2},
        {"gpu-memory-utilization": 1},
        {"cudagraph-capture-sizes": [1, 2, 4]},
        {"lora-target-modules": "q_proj"},
        {"speculative-config": {"method": "mtp", "num_speculative_tokens": 1, "enforce_eager": True}},
        {"compilation-config": {"cudagraph_mode": "FULL_DECODE_ONLY", "cudagraph_capture_sizes": [4, 8]}},
        {"compilation_config.cudagraph_mode": "NONE"},
        {"model-loader-extra-config": {"enable_multithread_load": True}},
        {"additional-config": {"enable_cpu_binding": True, "eplb_config": {"dynamic_eplb": False}}},
        {"additional-config": {"weight_nz_mode": 2}, "enforce-eager": True},
    ],
)
def test_what_the_version_takes_is_accepted(arguments) -> None:
    assert problems(arguments) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max-num-seq": 64}, "vllm-ascend 0.23.0 has no argument max-num-seq; did you mean max-num-seqs?"),
        ({"kda-decode-backend": "triton"}, "vllm-ascend 0.23.0 has no argument kda-decode-backend; 0.30.0rc2 has it"),
        ({"task": "generate"}, "vllm-ascend 0.23.0 has no argument task"),
        (
            {"enable-prefix-caching": "true"},
            'enable-prefix-caching needs true or false, not the text "true"; write true or false without quotes',
        ),
        (
            {"max-num-seqs": "64"},
            'max-num-seqs needs a whole number, not the text "64"; write the number without quotes',
        ),
        ({"max-num-seqs": 64.0}, "max-num-seqs needs a whole number, not 64.0"),
        ({"max-num-seqs": True}, "max-num-seqs needs a whole number, not true; write 1 or 0"),
        ({"max-num-seqs": 0}, "max-num-seqs must be at least 1, not 0"),
        ({"gpu-memory-utilization": 1.2}, "gpu-memory-utilization must be at most 1, not 1.2"),
        ({"gpu-memory-utilization": math.nan}, "nan is no number"),
        ({"seed": 2**70}, "a whole number is too large for the engine"),
        ({"seed": None}, "null is no value here; leave seed out to take the engine's default"),
        ({"revision": 123}, "revision needs text, not 123; put it in quotes"),
        ({"chat-template": "a\0b"}, "text must not contain null characters or halves of surrogate pairs"),
        ({"dtype": "int8"}, 'dtype is one of auto, bfloat16, float, float16, float32, half, not the text "int8"'),
        (
            {"cudagraph-capture-sizes": [1, "x"]},
            'every value of cudagraph-capture-sizes needs a whole number, not the text "x"; write the number without quotes',
        ),
        ({"lora-target-modules": []}, "lora-target-modules needs at least one value; leave it out for none"),
        ({"lora-target-modules": ["--x"]}, "no value of lora-target-modules may start with a dash"),
        (
            {"additional-config": '{"enable_cpu_binding": true}'},
            (
                'additional-config needs a mapping, not the text "{"enable_cpu_binding": true}"; '
                "write its keys below it instead of JSON in quotes"
            ),
        ),
        (
            {"additional-config": {"enable_cpu_bindings": True}},
            (
                "vllm-ascend 0.23.0 has no key enable_cpu_bindings in additional-config and would ignore it silently; "
                "did you mean enable_cpu_binding?"
            ),
        ),
        (
            {"additional-config": {"fuse_muls_add": True}},
            (
                "vllm-ascend 0.23.0 has no key fuse_muls_add in additional-config and would ignore it silently; "
                "it belongs in ascend_compilation_config"
            ),
        ),
        (
            {"additional-config": {"rl_config": {}}},
            "vllm-ascend 0.23.0 has no key rl_config in additional-config and would ignore it silently; 0.30.0rc2 has it",
        ),
        (
            {"attention_config.indexer_kv_dtype": "int8"},
            "vllm-ascend 0.23.0 has no key indexer_kv_dtype in attention-config; 0.30.0rc2 has it",
        ),
        ({"max-num-seqs": 8, "max_num_seqs": 16}, "it is set twice, also as max-num-seqs"),
        ({"no-enforce-eager": "yes"}, 'enforce-eager needs true or false, not the text "yes"'),
        ({"seed.x": 1}, "seed has no keys below it"),
        ({"hf-overrides..x": 1}, "a key in a dotted name cannot be empty"),
    ],
)
def test_what_the_version_does_not_take_is_refused_with_the_fix(arguments, message: str) -> None:
    assert only_message(arguments) == message


def test_a_key_that_a_strict_version_dropped_names_the_versions_that_have_it() -> None:
    message = only_message({"additional-config": {"weight_prefetch_config": {"enabled": True}}}, NEW)
    assert (
        message
        == "vllm-ascend 0.30.0rc2 has no key weight_prefetch_config in additional-config; 0.23.0 and 0.18.0 have it"
    )


def test_an_error_names_the_place_as_the_user_wrote_it() -> None:
    fields = [field for _, field, _ in problems({"additional_config": {"eplb_config": {"x": 1}}, "No_Such": 1})]
    assert fields == ["spec.engineArgs.additional_config.eplb_config.x", "spec.engineArgs.No_Such"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"served-model-name": "x"},
        {"served_model_name": "x"},
        {"--served-model-name": "x"},
        {"Served-Model-Name": ["x"]},
        {"tensor_parallel_size": 2},
        {"tp": 2},
        {"-tp": 2},
        {"ep": True},
        {"no-ep": True},
        {"no_enable_expert_parallel": False},
        {"kv-transfer-config": {"kv_role": "kv_both"}},
        {"kv_transfer_config.kv_connector_module_path": "evil"},
        {"compilation-config": {"backend": "evil"}},
        {"cc.backend": "evil"},
        {"compilation_config": {"Backend": "evil"}},
        {"additional-config": {"dump_config_path": "/"}},
        {"additional_config.dump_config_path": "/"},
        {"renderer-cls": "evil"},
        {"renderer_cls.x": "evil"},
    ],
)
def test_a_reserved_name_is_refused_however_it_is_written(arguments) -> None:
    [(kind, _, reason)] = problems(arguments)
    assert kind == "reserved"
    assert reason in RESERVED.values()


def test_variables_are_refused_by_name_and_known_ones_pass() -> None:
    names = [
        "VLLM_USE_V1",
        "VLLM_RPC_TIMEOUT",
        "MAX_JOBS",
        "VLLM_ENGINE_READY_TIMEOUT",
        "VLLM_PORT",
        "TZ",
        "VLLM_LOGGING_LEVEL",
    ]
    errors = check_environment(STABLE, names, {"VLLM_PORT": "the port is fixed"}, extra=("TZ",))
    assert [(error.kind, error.field.rpartition(".")[2], error.message) for error in errors] == [
        ("unknown", "VLLM_USE_V1", "vllm-ascend 0.23.0 does not read VLLM_USE_V1"),
        ("unknown", "VLLM_RPC_TIMEOUT", "vllm-ascend 0.23.0 does not read VLLM_RPC_TIMEOUT; 0.18.0 reads it"),
        ("invalid", "MAX_JOBS", "vllm-ascend 0.23.0 reads MAX_JOBS only while its package is built"),
        (
            "unknown",
            "VLLM_ENGINE_READY_TIMEOUT",
            "vllm-ascend 0.23.0 does not read VLLM_ENGINE_READY_TIMEOUT; did you mean VLLM_ENGINE_READY_TIMEOUT_S?",
        ),
        ("reserved", "VLLM_PORT", "the port is fixed"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"enable-prefix-caching": True}, ("--enable-prefix-caching",)),
        ({"enable-prefix-caching": False}, ("--no-enable-prefix-caching",)),
        ({"no_enable_prefix_caching": True}, ("--no-enable-prefix-caching",)),
        ({"disable-log-stats": False}, ()),
        ({"max-model-len": -1}, ("--max-model-len=-1",)),
        ({"gpu_memory_utilization": 0.9}, ("--gpu-memory-utilization", "0.9")),
        ({"tp": 4, "dp": 2}, ("--data-parallel-size", "2", "--tensor-parallel-size", "4")),
        ({"cudagraph-capture-sizes": [4, 8]}, ("--cudagraph-capture-sizes", "4", "8")),
        ({"middleware": ["a", "b"]}, ("--middleware", "a", "--middleware", "b")),
        ({"additional-config": {"b": [1, 2], "a": {"c": True}}}, ("--additional-config", '{"a":{"c":true},"b":[1,2]}')),
        (
            {"cc.cudagraph_mode": "NONE", "compilation-config": {"mode": 3}},
            ("--compilation-config", '{"cudagraph_mode":"NONE","mode":3}'),
        ),
        ({"allowed-origins": ["*"]}, ("--allowed-origins", '["*"]')),
    ],
)
def test_flags_are_written_as_the_server_reads_them(arguments, words: tuple[str, ...]) -> None:
    assert render_flags(STABLE, arguments) == words


def test_an_unknown_flag_is_never_written() -> None:
    with pytest.raises(KeyError, match="has no argument task"):
        render_flags(STABLE, {"task": "generate"})


# Laws ---------------------------------------------------------------------------------------------------------------

NAMES = sorted(STABLE.flags)
ODD_NAMES = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES).map(lambda name: f"no-{name}"),
    st.sampled_from(NAMES).map(lambda name: f"{name.replace('-', '_').upper()}.x"),
    st.sampled_from([alias for flag in STABLE.flags.values() for alias in flag.aliases]),
    st.text(max_size=12),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=8), st.sampled_from(sorted(NEW.additional_config))), inner, max_size=3
        ),
    ),
    max_leaves=8,
)


@st.composite
def plausible(draw) -> dict[str, object]:
    """A few flags of the version with values of about the right kind."""
    kinds = {
        "bool": st.booleans(),
        "int": st.integers(-5, 5000),
        "float": st.floats(0, 1),
        "str": st.text(min_size=1, max_size=6),
        "list": st.lists(st.one_of(st.integers(0, 9), st.text(min_size=1, max_size=4)), max_size=3),
        "json": st.dictionaries(st.text(max_size=4), st.integers(0, 9), max_size=2),
    }
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    return {
        name: draw(st.one_of(kinds[flag.kind], st.sampled_from(flag.choices)) if flag.choices else kinds[flag.kind])
        for name, flag in ((name, STABLE.flags[name]) for name in names)
    }


def read_back(words: tuple[str, ...]) -> dict[str, object]:
    """What a parser that is built from the table understands."""
    parser = argparse.ArgumentParser(allow_abbrev=False, argument_default=argparse.SUPPRESS, add_help=False)
    kinds = {"int": str, "float": float, "str": str, "json": json.loads}
    for name, flag in STABLE.flags.items():
        action = {"dest": name}
        match flag.kind:
            case "bool":
                action["action"] = argparse.BooleanOptionalAction if flag.negatable else "store_true"
            case "list" if flag.repeated:
                action["action"] = "append"
            case "list":
                action |= {"nargs": flag.nargs, "type": str}
            case kind:
                action |= {"type": kinds[kind]} | ({"nargs": "?", "const": True} if flag.nargs == "?" else {})
        parser.add_argument(f"--{name}", **action)
    return vars(parser.parse_args(list(words)))


def as_words(value: object) -> object:
    """A value as the command line carries it: whole numbers and list members as text."""
    if isinstance(value, list):
        return [str(member) for member in value]
    return value if isinstance(value, bool | float | dict) else str(value)


@given(st.dictionaries(ODD_NAMES, VALUES, max_size=4), st.sampled_from([OLD, STABLE, NEW]))
def test_every_input_gets_an_answer(arguments, table) -> None:
    errors = check_arguments(table, arguments, RESERVED)
    assert all(error.message and error.field.startswith("spec.engineArgs.") for error in errors)


@given(st.one_of(st.dictionaries(ODD_NAMES, VALUES, max_size=3), plausible()))
def test_what_is_accepted_can_be_written(arguments) -> None:
    if not check_arguments(STABLE, arguments, RESERVED):
        "\n".join(render_flags(STABLE, arguments)).encode()


@given(plausible())
def test_the_server_reads_back_what_was_asked_for(arguments) -> None:
    accepted = {name: value for name, value in arguments.items() if not check_arguments(STABLE, {name: value}, {})}
    wanted = {name: as_words(value) for name, value in canonical_arguments(STABLE, accepted).items()}
    off = {
        n for n, flag in STABLE.flags.items() if flag.kind == "bool" and not flag.negatable and accepted.get(n) is False
    }
    lists = {
        n: [v] if STABLE.flags[n].kind == "list" and not isinstance(v, list) else v
        for n, v in wanted.items()
        if n not in off
    }
    assert read_back(render_flags(STABLE, accepted)) == lists


@given(
    st.sampled_from(["served-model-name", "tensor-parallel-size", "enable-expert-parallel"]),
    st.text("-_", max_size=2),
    st.lists(st.booleans(), min_size=30, max_size=30),
    VALUES,
)
def test_no_spelling_of_a_reserved_name_slips_through(name: str, front: str, flips: list[bool], value) -> None:
    spelled = "".join(
        ("_" if letter == "-" else letter.upper()) if flip else letter
        for letter, flip in zip(name, flips, strict=False)
    )
    assert [error.kind for error in check_arguments(STABLE, {front + spelled: value}, RESERVED)] == ["reserved"]


# Configuration files ------------------------------------------------------------------------------------------------


def path_problems(arguments, reserved=None) -> list[tuple[str, str, str]]:
    return [(error.kind, error.field, error.message) for error in check_config_paths(TREE, arguments, reserved or {})]


def test_every_documented_key_of_the_file_has_its_default() -> None:
    tree = default_tree(TREE)
    assert tree["BackendConfig"]["ScheduleConfig"]["maxPrefillTokens"] == 8192
    assert tree["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["npuMemSize"] == -1
    assert tree["ServerConfig"]["distDPServerEnabled"] is False
    assert "maxN" not in tree["BackendConfig"]["ScheduleConfig"]
    assert tree["ServerConfig"]["httpsEnabled"] is True
    assert tree["BackendConfig"]["interNodeTLSEnabled"] is True


def test_required_fields_are_all_in_the_file() -> None:
    assert [field.name for field in TREE.fields.values() if field.required and not field.in_file] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"ScheduleConfig.maxPrefillTokens": 16384},
        {"ScheduleConfig": {"maxPrefillTokens": 16384, "templateType": "Mix"}},
        {"BackendConfig.ScheduleConfig.maxQueueDelayMicroseconds": 500},
        {"BackendConfig.ModelDeployConfig.ModelConfig[0].npuMemSize": 8},
        {"ModelConfig.plugin_params": {"plugin_type": "mtp", "num_speculative_tokens": 1}},
        {"ModelConfig.plugin_params": '{"plugin_type":"mtp"}'},
        {"ModelConfig.models.deepseekv2.ep_level": 2},
        {"ModelDeployConfig.truncation": -1},
        {"ModelDeployConfig.truncation": True},
        {"ServerConfig.tokenTimeout": 3600},
    ],
)
def test_paths_of_the_file_are_accepted(arguments) -> None:
    assert path_problems(arguments) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"ScheduleConfig.maxPrefillToken": 1},
            "mindie 3.0.0 has no configuration field ScheduleConfig.maxPrefillToken; did you mean ScheduleConfig.maxPrefillTokens?",
        ),
        ({"ServerConfig.tokenTimeout": 3601}, "ServerConfig.tokenTimeout must be at most 3600, not 3601"),
        ({"ModelConfig.npuMemSize": 0}, "ModelConfig.npuMemSize cannot be 0"),
        ({"ModelConfig.backendType": "ms"}, 'ModelConfig.backendType is one of atb, torch, not the text "ms"'),
        ({"ModelDeployConfig.truncation": 2}, "ModelDeployConfig.truncation is one of -1, 0, 1, false, true, not 2"),
        (
            {"ServerConfig": {"port": "x"}},
            'ServerConfig.port needs a whole number, not the text "x"; write the number without quotes',
        ),
        ({"LogConfig": {"": {"deep": 1}}}, "mindie 3.0.0 has no configuration field LogConfig..deep"),
        (
            {"ScheduleConfig.maxN": 4, "BackendConfig.ScheduleConfig.maxN": 5},
            "it is set twice, also as ScheduleConfig.maxN",
        ),
        ({"ModelConfig.models": {"a": math.inf}}, "inf is no number"),
    ],
)
def test_other_paths_and_values_are_refused_with_the_fix(arguments, message: str) -> None:
    assert [found for _, _, found in path_problems(arguments)] == [message]


@pytest.mark.parametrize(
    "arguments",
    [
        {"ModelConfig.modelName": "x"},
        {"modelconfig.MODELNAME": "x"},
        {"ModelConfig": {"modelName": "x"}},
        {"BackendConfig": {"ModelDeployConfig": {"ModelConfig": {"modelName": "x"}}}},
        {"BackendConfig.ModelDeployConfig.ModelConfig.0.modelName": "x"},
        {"kvPoolConfig.backend": "mooncake"},
        {"BackendConfig.kvPoolConfig": {"backend": "mooncake"}},
        {"LogConfig.dynamicLogLevel": "DEBUG"},
    ],
)
def test_a_reserved_field_is_refused_however_it_is_reached(arguments) -> None:
    reserved = {"ModelConfig.modelName": "a", "BackendConfig.kvPoolConfig": "b", "LogConfig": "c"}
    assert [kind for kind, _, _ in path_problems(arguments, reserved)] == ["reserved"]


def test_values_are_put_into_a_new_file() -> None:
    before = default_tree(TREE)
    after = apply_config_paths(TREE, {"ScheduleConfig.maxN": 4, "ModelConfig": {"tp": 2, "models.a.b": 1}}, tree=before)
    assert after["BackendConfig"]["ScheduleConfig"]["maxN"] == 4
    [model] = after["BackendConfig"]["ModelDeployConfig"]["ModelConfig"]
    assert (model["tp"], model["models"]["a"], model["worldSize"]) == (2, {"b": 1}, 4)
    assert before == default_tree(TREE)


def test_an_unknown_path_is_never_written() -> None:
    with pytest.raises(KeyError, match="has no configuration field"):
        apply_config_paths(TREE, {"ScheduleConfig.nothing": 1})


FIELDS = sorted(TREE.fields)
PATHS = st.one_of(
    st.sampled_from(FIELDS), st.sampled_from(FIELDS).map(lambda path: path.partition(".")[0]), st.text(max_size=12)
)


@given(st.dictionaries(PATHS, VALUES, max_size=3))
def test_every_path_gets_an_answer_and_what_is_accepted_can_be_written(arguments) -> None:
    errors = check_config_paths(TREE, arguments, {"LogConfig": "fixed"})
    if not errors:
        json.dumps(apply_config_paths(TREE, arguments), allow_nan=False).encode()
