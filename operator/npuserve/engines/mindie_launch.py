"""How MindIE's server is started: the whole config.json, the script that places it, and the environment.

Every documented key is rendered, because the server dies on missing ones, and laid at start over the file that the image
carries, which knows the rest; the result is written by the server's own user, because it refuses symlinks, foreign owners
and modes above 0640 (L:src/utils/log/file_utils.cpp), which a mounted file cannot meet. L = Ascend/MindIE-LLM 3.0.x.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from npuserve.engines.arguments import apply_config_paths, load_table
from npuserve.engines.contract import Choice, ContextWindow, LaunchRequest
from npuserve.engines.launch import FILES_DIR, File, Literally, OwnAddress, Variable

NAME = "mindie"
PORT, MANAGEMENT_PORT, METRICS_PORT = 1025, 1026, 1027
_COPIED_MODEL = "/tmp/npuserve/model"  # noqa: S108  the replica's own scratch space


def values_given(choice: Choice, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The user's checked values by `Section.key`, however their paths are written."""
    fields = load_table(NAME, choice.version).fields
    tree = apply_config_paths(load_table(NAME, choice.version), arguments, tree={})
    found = {name: _at(tree, field.path) for name, field in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a place of the file; None where there is none."""
    node = tree
    for step in path:
        match node, step:
            case dict(), str():
                node = node.get(step)
            case list(), int() if step < len(node):
                node = node[step]
            case _:
                return None
    return node


def _longest_input(context: ContextWindow, given: Mapping[str, Any]) -> int:
    wanted: int = given.get("ModelDeployConfig.maxInputTokenLen", context.max_model_len)
    return min(wanted, context.max_model_len)


def prefill_tokens(context: ContextWindow, given: Mapping[str, Any]) -> int:
    """ScheduleConfig.maxPrefillTokens: at least the longest input, or the server refuses its configuration; requests
    cut in parts (Mix) need no such room."""
    chosen: int = given.get("ScheduleConfig.maxPrefillTokens", 8192)
    return chosen if given.get("ScheduleConfig.templateType") == "Mix" else max(chosen, _longest_input(context, given))


def _configuration(request: LaunchRequest) -> dict[str, Any]:
    """The version's default file, the user's values, and the plan's over both."""
    table = load_table(NAME, request.choice.version)
    own = apply_config_paths(table, request.arguments)
    fitted = _fitted(request.context, values_given(request.choice, request.arguments))
    return apply_config_paths(table, {**_planned(request), **fitted}, tree=own)


def _fitted(context: ContextWindow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are the user's, within what the sizes of the plan allow."""
    return {
        "ModelDeployConfig.maxInputTokenLen": _longest_input(context, given),
        "ScheduleConfig.maxPrefillTokens": prefill_tokens(context, given),
        "ScheduleConfig.maxPrefillBatchSize": min(
            context.max_sequences, given.get("ScheduleConfig.maxPrefillBatchSize", 50)
        ),
        "ScheduleConfig.maxIterTimes": min(
            context.max_model_len, given.get("ScheduleConfig.maxIterTimes", context.max_model_len)
        ),
    }


def _planned(request: LaunchRequest) -> dict[str, Any]:
    split, context, choice = request.parallelism, request.context, request.choice
    planned: dict[str, Any] = {
        "ServerConfig.port": PORT,
        "ServerConfig.managementPort": MANAGEMENT_PORT,
        "ServerConfig.metricsPort": METRICS_PORT,
        "ServerConfig.allowAllZeroIpListening": False,
        "ServerConfig.httpsEnabled": False,
        "ServerConfig.interCommTLSEnabled": False,
        "ServerConfig.inferMode": "standard",
        "ServerConfig.distDPServerEnabled": False,
        "BackendConfig.npuDeviceIds": [list(range(split.devices))],
        "BackendConfig.modelInstanceNumber": 1,
        "BackendConfig.multiNodesInferEnabled": False,
        "BackendConfig.interNodeTLSEnabled": False,
        "ModelDeployConfig.maxSeqLen": context.max_model_len,
        "ModelConfig.modelName": choice.served_name,
        "ModelConfig.modelWeightPath": _COPIED_MODEL if _rewrites_dtype(request) else choice.weights.path,
        "ModelConfig.worldSize": split.devices,
        "ModelConfig.tp": split.tensor,
        "ModelConfig.dp": split.data,
        "ScheduleConfig.maxBatchSize": context.max_sequences,
    }
    if choice.model.experts:
        planned["ModelConfig.moe_ep"] = split.expert
        planned["ModelConfig.moe_tp"] = split.devices // split.expert
    return planned


def _rewrites_dtype(request: LaunchRequest) -> bool:
    """The server takes the type from the weights' own config.json, so another type needs a changed copy of it."""
    return request.dtype != request.choice.model.dtype


def files(request: LaunchRequest) -> tuple[File, ...]:
    """The configuration, and the script that places it and starts the server."""
    start = _packaged("mindie-start.sh")
    dtype = request.dtype if _rewrites_dtype(request) else ""
    for mark, value in {"@FILES@": FILES_DIR, "@WEIGHTS@": request.choice.weights.path, "@DTYPE@": dtype}.items():
        start = start.replace(mark, value)
    return (
        File("config.json", json.dumps(_configuration(request), indent=2)),
        File("prepare.py", _packaged("mindie_prepare.py")),
        File("start.sh", start),
    )


def _packaged(name: str) -> str:
    return (resources.files("npuserve.engines") / "files" / name).read_text(encoding="utf-8")


def environment(request: LaunchRequest) -> Iterator[Variable]:
    """The variables of a replica, the user\'s over the defaults."""
    yield Variable("MIES_CONTAINER_IP", OwnAddress())
    yield Variable("MIES_CONTAINER_MANAGEMENT_IP", OwnAddress())
    yield Variable("MIES_SERVICE_MONITOR_MODE", Literally("1"))
    yield Variable("MINDIE_CHECK_INPUTFILES_PERMISSION", Literally("0"))
    yield Variable("NPU_MEMORY_FRACTION", Literally(str(request.utilization)))
    given = dict(request.variables)
    defaults = {"MINDIE_LOG_TO_STDOUT": "1", "OMP_NUM_THREADS": "1", "BIND_CPU": "1" if request.bind_cpus else "0"}
    for name, value in {**defaults, **given}.items():
        yield Variable(name, Literally(value))
