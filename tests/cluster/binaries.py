"""Which binaries the control plane consists of, and how they are built from the pinned modules in `tools/`.

A cache entry's name holds the module's version and a hash of everything that shapes the binaries: go.mod, go.sum, the
Go version, the platform and the build command. Versions are written in go.mod alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cache, toolchain
from tests.cluster.progress import Report, Steps
from tests.cluster.toolchain import Go, ToolsUnavailable

_TOOLS = Path(__file__).with_name("tools")
_STAMP = "k8s.io/component-base/version"
"""Without these values /version answers v0.0.0, and version-skew checks of clients misbehave."""

_HELM3_STAMP = "helm.sh/helm/v3/pkg/chartutil"
_NOT_FROM_A_CHECKOUT = {"gitCommit": "0000000", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class ToolSet:
    """One wrapper module: its folder below tools/, the module that gives the version, and package per binary."""

    name: str
    module: str
    packages: Mapping[str, str]
    stages: str = ""
    """A folder of the module whose YAML files are kept beside the binaries."""
    tags: str = ""
    """Build tags, separated by commas."""

    @property
    def folder(self) -> Path:
        return _TOOLS / self.name

    def version(self) -> str:
        """The pinned version, e.g. v1.36.4."""
        return self._required(self.module)

    def _required(self, module: str) -> str:
        required = (self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(module)} (v\S+)", required, flags=re.MULTILINE)
        if found is None:
            raise ToolsUnavailable(f"{self.folder}/go.mod requires no {module}.")
        return found.group(1)

    def link_flags(self) -> str:
        stamps = [f"-X {name}={value}" for name, value in self._stamps().items()]
        return " ".join(["-s -w", *stamps])

    def _stamps(self) -> dict[str, str]:
        """What the project's own release process writes into the binaries, as far as they behave differently without it."""
        if self.name == "kubernetes":
            major, minor, _ = self.version().removeprefix("v").split(".", 2)
            values = {"gitVersion": self.version(), "gitMajor": major, "gitMinor": minor} | _NOT_FROM_A_CHECKOUT
            return {f"{_STAMP}.{key}": value for key, value in values.items()}
        if self.name == "helm3":
            # Without it charts are rendered for v1.20. Helm 4 reads it off its own dependencies.
            minor = self._required("k8s.io/client-go").split(".")[1]
            return {f"{_HELM3_STAMP}.k8sVersionMajor": "1", f"{_HELM3_STAMP}.k8sVersionMinor": minor}
        return {}

    def key(self, go_version: str) -> str:
        """The name of the cache entry."""
        files = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        rest = [go_version, platform.system(), platform.machine(), self.link_flags(), dict(self.packages), self.stages]
        rest += [self.tags] if self.tags else []
        digest = hashlib.sha256(b"\0".join([*files, json.dumps(rest).encode()])).hexdigest()
        return f"{self.name}-{self.version()}-{digest[:16]}"


TOOL_SETS = (
    ToolSet(name="etcd", module="go.etcd.io/etcd/server/v3", packages={"etcd": "go.etcd.io/etcd/server/v3"}),
    ToolSet(
        name="kubernetes",
        module="k8s.io/kubernetes",
        packages={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
    ),
    ToolSet(
        name="kwok", module="sigs.k8s.io/kwok", packages={"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, stages="kustomize/stage"
    ),
    ToolSet(name="helm4", module="helm.sh/helm/v4", packages={"helm": "helm.sh/helm/v4/cmd/helm"}),
    ToolSet(name="helm3", module="helm.sh/helm/v3", packages={"helm3": "helm.sh/helm/v3/cmd/helm"}),
    ToolSet(
        name="kubeconform",
        module="github.com/yannh/kubeconform",
        packages={"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
    ),
    ToolSet(
        name="kube-score",
        module="github.com/zegl/kube-score",
        packages={"kube-score": "github.com/zegl/kube-score/cmd/kube-score"},
    ),
    ToolSet(
        name="gopher-lua",
        module="github.com/yuin/gopher-lua",
        packages={"glua": "github.com/yuin/gopher-lua/cmd/glua"},
    ),
    ToolSet(
        name="buildah",
        module="github.com/containers/buildah",
        packages={"buildah": "github.com/containers/buildah/cmd/buildah"},
        tags="containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_overlay",
    ),
)


def ensure(names: Iterable[str] | None = None, *, steps: Steps | None = None) -> dict[str, Path]:
    """Path per binary (default: all), built where the cache lacks it. Raises ToolsUnavailable."""
    wanted = set(names) if names is not None else {name for tools in TOOL_SETS for name in tools.packages}
    needed = [tools for tools in TOOL_SETS if wanted & tools.packages.keys()]
    go_version = toolchain.version()
    folders = {tools.name: _built(tools, go_version, steps or Steps()) for tools in needed}
    return {name: folders[tools.name] / name for tools in needed for name in tools.packages if name in wanted}


def missing() -> list[str]:
    """The binaries that `ensure` would build."""
    go_version = toolchain.version()
    absent = [tools for tools in TOOL_SETS if not (cache.root() / tools.key(go_version)).is_dir()]
    return [name for tools in absent for name in tools.packages]


def kubectl() -> Path:
    """kubectl of the Python environment that runs this."""
    path = Path(sys.executable).with_name("kubectl")
    if not path.exists():
        raise ToolsUnavailable(f"{path} is missing; run `make setup`, which installs it.")
    return path


def stage_files(kwok: Path, folders: Iterable[str]) -> list[Path]:
    """kwok's own Stage files of the folders named, e.g. `pod/fast`, from beside its binary."""
    return [file for folder in folders for file in sorted((kwok.parent / "stages" / folder).glob("*.yaml"))]


def _built(tools: ToolSet, go_version: str, steps: Steps) -> Path:
    return cache.entry(tools.key(go_version), lambda into: _build(tools, into, steps), waiting=steps.say)


def _build(tools: ToolSet, into: Path, steps: Steps) -> None:
    go = toolchain.obtain(steps)
    for name, package in tools.packages.items():
        with steps.step(f"Building {name} {tools.version()}") as report:
            _compile(go, tools, ["-o", str(into / name), package], report)
    if tools.stages:
        _keep_stages(go, tools, into / "stages")


def _compile(go: Go, tools: ToolSet, target: list[str], report: Report) -> None:
    flags = ["-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", tools.tags, "-ldflags", tools.link_flags()]
    command = [go.command, "build", *flags, *target]
    said: deque[str] = deque(maxlen=40)
    count: Counter[str] = Counter()
    with subprocess.Popen(command, cwd=tools.folder, env=go.environment(), stderr=subprocess.PIPE, text=True) as build:
        try:
            for line in build.stderr or ():
                said.append(line)
                count["modules downloaded" if line.startswith("go: ") else "packages compiled"] += 1
                report(", ".join(f"{number} {kind}" for kind, number in sorted(count.items())))
        except BaseException:
            build.terminate()
            raise
    if build.returncode:
        raise ToolsUnavailable(_explain("".join(said)))


def _keep_stages(go: Go, tools: ToolSet, into: Path) -> None:
    listed = [go.command, "list", "-m", "-mod=readonly", "-f", "{{.Dir}}", tools.module]
    answer = subprocess.run(listed, cwd=tools.folder, env=go.environment(), capture_output=True, text=True, check=True)
    source = Path(answer.stdout.strip()) / tools.stages
    for file in source.glob("*/*/*.yaml"):
        if file.name != "kustomization.yaml":
            kept = into / file.relative_to(source)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept)


_REMEDIES = (
    (
        r"no space left on device",
        "The disk is full: a first build needs 5 GB in Go's caches; free some, or set GOMODCACHE and GOCACHE elsewhere.",
    ),
    (
        r"signal: killed|cannot allocate memory",
        "The compiler ran out of memory: it needs 2.5 GB; close other programs and run this again.",
    ),
    (
        r"SECURITY ERROR|checksum mismatch",
        "A downloaded module differs from the one that go.sum names: set GOPROXY to another Go module proxy.",
    ),
    (
        r"dial tcp|i/o timeout|no such host|proxyconnect|TLS handshake|x509:|module lookup disabled|: [45]\d\d ",
        "Go modules could not be fetched: set GOPROXY (or HTTPS_PROXY) to a Go module proxy that this machine reaches.",
    ),
)


def _explain(said: str) -> str:
    """One sentence with the remedy where the cause is known, and the compiler's last words."""
    known = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, said))
    return f"{next(known, 'Go could not build a component.')} Go said: {said.strip()[-800:]}"
