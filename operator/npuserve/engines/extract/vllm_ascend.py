"""The table of one vLLM-Ascend version: where in vLLM and in the plugin its facts are found.

Flags come from vLLM's own `serve` parser, with the choices that the plugin adds at start-up; keys of
`--additional-config`, quantized kernels and most environment variables from the plugin. vLLM-Ascend X.Y.Z[rcN][.postN] runs on vLLM X.Y.Z
exactly (va@0.30.0rc2:docs/source/community/versioning_policy.md).
"""

from __future__ import annotations

import re
from typing import Any

from npuserve.engines.extract.architectures import read_architectures
from npuserve.engines.extract.environment import read_directly, read_environment
from npuserve.engines.extract.launch_flags import read_flags
from npuserve.engines.extract.metrics import read_metrics
from npuserve.engines.extract.nested_keys import read_nested
from npuserve.engines.extract.packages import Package
from npuserve.engines.extract.schemes import read_schemes
from npuserve.engines.extract.sources import Definition, Library, Module
from npuserve.engines.extract.values import ClassRef, reference
from npuserve.engines.extract.widening import widened_choices

ENGINE = "vllm-ascend"
SERVER, PLUGIN = "vllm", "vllm_ascend"
"""Import names of the two packages."""
DISTRIBUTIONS = {SERVER: "vllm", PLUGIN: "vllm-ascend"}
"""Import name to the name under which the package is published."""


def server_version(version: str) -> str:
    """The vLLM version that the plugin version runs on: `server_version("0.23.0.post1") == "0.23.0"`."""
    found = re.match(r"\d+(\.\d+)*", version)
    if found is None:
        raise ValueError(f"{version!r} is no version of {ENGINE}")
    return found[0]


def build_table(server: Package, plugin: Package) -> dict[str, Any]:
    """The table as JSON data (see `engines.arguments` for its shape)."""
    files = {**server.files, **plugin.files}
    library = Library(files, widened_choices(Library(files), f"{PLUGIN}/patch/"))
    entry = _module(library, f"{SERVER}.entrypoints.cli.serve")
    server_variables = read_environment(
        library, _module(library, f"{SERVER}.envs"), registry="environment_variables", build_script=server.build_script
    )
    plugin_variables = read_environment(
        library, _module(library, f"{PLUGIN}.envs"), registry="env_variables", build_script=plugin.build_script
    )
    nested = read_nested(
        library,
        root=_class(library, f"{PLUGIN}.ascend_config", "AscendConfig"),
        argument="additional_config",
        package=f"{PLUGIN}/",
    )
    return {
        "engine": ENGINE,
        "version": plugin.version,
        "versions": {SERVER: server.version, PLUGIN: plugin.version},
        "python": {SERVER: server.requires_python, PLUGIN: plugin.requires_python},
        "source": f"v@{server.version}, va@{plugin.version} (source distributions, Apache-2.0), read by `npuserve generate`",
        "flags": read_flags(library, entry),
        "architectures": read_architectures(
            library,
            _module(library, f"{SERVER}.model_executor.models.registry"),
            table="_VLLM_MODELS",
            plugin=f"{PLUGIN}/",
        ),
        "schemes": read_schemes(library, plugin=f"{PLUGIN}/", families=("310P",)),
        "additional_config": nested,
        "metrics": read_metrics(library, f"{SERVER}/v1/metrics/", prefix="vllm:"),
        "environment": read_directly(library, f"{PLUGIN}/") | server_variables | plugin_variables,
    }


def _module(library: Library, name: str) -> Module:
    module = library.module(name)
    if module is None:
        raise LookupError(
            f"the packages have no module {name}: this version is laid out differently, extend the generator"
        )
    return module


def _class(library: Library, module: str, name: str) -> ClassRef:
    found = library.resolve(_module(library, module), name)
    match reference(found) if isinstance(found, Definition) else None:
        case ClassRef() as cls:
            return cls
    raise LookupError(f"{module} has no class {name}: this version is laid out differently, extend the generator")
