"""Images built without root, registry, container engine or C compiler: buildah in a user namespace, on a base made of this
machine's Python.

The base has what a slim Python image has: the interpreter, its standard library, pip, the libraries they are linked with,
and a user database. A buildah that is compiled without C runs no command, so the commands of a stage that others copy from
are run here, in a root file system that was made of its base, and buildah gets the outcome under the stage's name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import binaries

BASE = "localhost/base:1"
_LEFT_OUT = ("test", "idlelib", "lib2to3", "tkinter", "turtledemo", "site-packages", "config-*", "*.a")
_ALSO_LOADED = tuple(
    f"lib{name}"
    for name in (
        "dl.so.2",
        "gcc_s.so.1",
        "nss_dns.so.2",
        "nss_files.so.2",
        "pthread.so.0",
        "resolv.so.2",
        "rt.so.1",
        "util.so.1",
    )
)
"""Of the C library, and what wheels are linked with beside it."""


class BuildFailed(Exception):
    """buildah ended with an error; the message is what it said."""


def can_build() -> bool:
    """Whether this machine lets its users make user namespaces."""
    return subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False).returncode == 0


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a folder in OCI layout."""

    folder: Path

    def config(self) -> dict[str, Any]:
        """What the image says about how it is run."""
        found: dict[str, Any] = self._blob(self._manifest()["config"]["digest"])["config"]
        return found

    def layers(self) -> list[str]:
        """The digests of its layers."""
        return [layer["digest"] for layer in self._manifest()["layers"]]

    def megabytes(self, *, above: int = 0) -> float:
        """Compressed, as a registry counts, without the lowest layers."""
        return float(sum(layer["size"] for layer in self._manifest()["layers"][above:])) / 1e6

    def unpack(self, into: Path) -> Path:
        """Its root file system."""
        into.mkdir()
        for digest in self.layers():
            with tarfile.open(self._path(digest)) as layer:
                layer.extractall(into, filter="tar")
        return into

    def _manifest(self) -> dict[str, Any]:
        index = json.loads((self.folder / "index.json").read_text())
        return self._blob(index["manifests"][0]["digest"])

    def _blob(self, digest: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._path(digest).read_text())
        return found

    def _path(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/")


class Builder:
    """buildah with a store of its own below `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        helpers = home / "helpers"
        helpers.mkdir()
        # buildah looks for a program that sets up networks, and calls none where a build shares the host's.
        (helpers / "netavark").symlink_to("/bin/true")
        (home / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        (home / "containers.conf").write_text(f'[engine]\nhelper_binaries_dir = ["{helpers}"]\n')
        store = f'[storage]\ndriver = "vfs"\ngraphroot = "{home}/store"\nrunroot = "{home}/run"\n'
        # A user namespace of one user: files of others become its own.
        (home / "storage.conf").write_text(store + '[storage.options.vfs]\nignore_chown_errors = "true"\n')

    def build(self, context: Path, name: str, *words: str) -> None:
        """Build a Dockerfile; files get the time 0."""
        options = ("--network=host", "--timestamp=0", "--pull=never", f"--tag={name}")
        self("build", f"--signature-policy={self._home}/policy.json", *options, *words, str(context))

    def push(self, name: str, folder: Path) -> Image:
        """The image as a folder."""
        self("push", f"--signature-policy={self._home}/policy.json", name, f"oci:{folder}")
        return Image(folder)

    def __call__(self, *words: str) -> str:
        own = {
            "CONTAINERS_CONF": f"{self._home}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self._home}/storage.conf",
            "_CONTAINERS_USERNS_CONFIGURED": "done",
            "TMPDIR": str(self._home),
        }
        command = ["unshare", "--map-root-user", "--mount", str(binaries.ensure(["buildah"])["buildah"]), *words]
        answer = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise BuildFailed(f"buildah {' '.join(words)}: {answer.stdout[-2000:]}{answer.stderr[-2000:]}")
        return answer.stdout


def in_root(root: Path, *command: str, shown: tuple[Path, ...] = ()) -> list[str]:
    """The command line that runs a command with `root` as its root file system, which it cannot write to where `shown` is
    given: folders of this machine that it sees at their own places."""
    script = ['mount --bind "$0" "$0"', 'mount --rbind /dev "$0/dev"']
    for folder in shown:
        script += [f'mkdir -p "$0{folder}"', f'mount --bind "{folder}" "$0{folder}"']
    script += ['mount -o remount,bind,ro "$0"'] if shown else []
    return [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-ec",
        "\n".join([*script, 'exec chroot "$0" "$@"']),
        str(root),
        *command,
    ]


def run_stage(dockerfile: Path, context: Path, root: Path, **arguments: str) -> None:
    """Do what the first stage of a Dockerfile does, whose base lies in `root`: COPY, and RUN with its words in brackets."""
    lines = dockerfile.read_text().replace("\\\n", " ").splitlines()
    stages = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    for line in lines[stages[0] + 1 : stages[1]]:
        match line.split(maxsplit=1):
            case ["COPY", words]:
                *sources, target = words.split()
                for source in sources:
                    place = root / target.lstrip("/")
                    _copy_tree(context / source, place / Path(source).name if target.endswith("/") else place)
            case ["RUN", words]:
                environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **arguments}
                subprocess.run(in_root(root, *json.loads(words)), env=environment, check=True)
            case ["ARG", _] | []:
                pass
            case _:
                raise BuildFailed(f"{dockerfile}: {line!r} is not understood here")


def _copy_tree(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def make_base(builder: Builder, folder: Path) -> Path:
    """An image BASE with this machine's Python as `python3`; returns its root file system."""
    root = folder / "root"
    for path in _python_files():
        _copy(path, root)
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/local/bin/python3").symlink_to(_interpreter())
    for name, mode in (("tmp", 0o1777), ("proc", 0o755), ("dev", 0o755), ("etc", 0o755)):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(mode)
    (root / "etc/passwd").write_text("root:x:0:0::/:\nnobody:x:65534:65534::/:\n")
    (folder / "Dockerfile").write_text(
        'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\nCMD ["python3"]\n'
    )
    builder.build(folder, BASE)
    return root


def _interpreter() -> Path:
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _python_files() -> Iterator[Path]:
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix}))
    yield library
    pip = Path(sysconfig.get_path("purelib")) / "pip"
    yield pip
    programs = [_interpreter(), *library.glob("lib-dynload/*.so")]
    yield _interpreter()
    yield from _linked(programs)


def _linked(programs: list[Path]) -> list[Path]:
    """Every library that these load, and the loader."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", said)}
    libc = next(path for path in found if path.name.startswith("libc.so"))
    return sorted(found | {path for name in _ALSO_LOADED if (path := libc.with_name(name)).exists()})


def _copy(path: Path, root: Path) -> None:
    """To the same place below `root`; pip to the interpreter's own packages."""
    if path.name == "pip":
        place = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})) / "site-packages" / "pip"
    else:
        place = path
    target = root / str(place).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
    else:
        shutil.copy2(path.resolve(), target)
