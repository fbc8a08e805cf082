"""Installs the operator and what it needs into a folder: what the build stage of the Dockerfile runs.

    install.py SOURCE TARGET

TARGETARCH (amd64 or arm64; this machine's when it is empty) names the processor. Nothing that is installed is started, so
any machine builds for both. Wheels come from the folder `wheels` beside this file where there is one, else from the index
that pip knows; either way the lock files name each by its hash. The same source gives the same bytes.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROCESSORS = {"amd64": "x86_64", "arm64": "aarch64"}
MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


def main(source: Path, target: Path, architecture: str) -> None:
    """Fill `target`."""
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder) / "tools"
        _pip("--require-hashes", f"--target={tools}", f"--requirement={HERE / 'build.lock'}")
        _pip(
            "--require-hashes",
            "--only-binary=:all:",
            *platforms(architecture),
            f"--target={target}",
            f"--requirement={HERE / 'requirements.lock'}",
        )
        shutil.rmtree(target / "bin", ignore_errors=True)
        _pip("--no-build-isolation", f"--target={target}", str(source), tools=tools)
    (target / "bin" / "kubectl-npuserve").unlink()
    _compile(target)


def platforms(architecture: str) -> list[str]:
    """pip's options for wheels of a processor; none for this machine's own."""
    if not architecture:
        architecture = next(name for name, machine in PROCESSORS.items() if machine == platform.machine())
    return [f"--platform={kind}_{PROCESSORS[architecture]}" for kind in MANYLINUX]


def _pip(*words: str, tools: Path | None = None) -> None:
    wheels = HERE / "wheels"
    offline = ["--no-index", f"--find-links={wheels}"] if wheels.is_dir() else []
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-compile", "--no-deps"]
    subprocess.run(
        [*command, "--disable-pip-version-check", "--root-user-action=ignore", *offline, *words],
        env=os.environ | ({"PYTHONPATH": str(tools)} if tools else {}) | {"SOURCE_DATE_EPOCH": "315532800"},
        check=True,
    )


def _compile(target: Path) -> None:
    """Byte code that depends on the source alone: the file system of a pod is read-only, so that none is added later."""
    words = [
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode=unchecked-hash",
        "-s",
        str(target),
        "-p",
        "/app",
        str(target),
    ]
    subprocess.run([sys.executable, *words], env=os.environ | {"PYTHONHASHSEED": "0"}, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), os.environ.get("TARGETARCH", ""))
