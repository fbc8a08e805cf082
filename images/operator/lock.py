"""Writes the lock files of the image from the project's own: the same versions, without what is only for development.

The official Kubernetes client stays out: it serves kubeconfigs with `exec` plug-ins, and a pod has its service account.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LEFT_OUT = "kubernetes"
_COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--constraint", str(ROOT / "requirements.lock"), "-"),
)


def main() -> None:
    """Write both."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [item for item in project["project"]["dependencies"] if not item.startswith(LEFT_OUT)]
    for name, wanted in (("requirements.lock", needed), ("build.lock", project["build-system"]["requires"])):
        uv = Path(sys.executable).with_name("uv")
        command = [str(uv), *_COMPILE, "--output-file", str(HERE / name)]
        subprocess.run(command, input="\n".join(wanted), text=True, check=True)


if __name__ == "__main__":
    main()
