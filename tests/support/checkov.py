"""checkov, which brings its own versions of what the operator uses: installed from its own lock file, beside the other
tools and outside the environment of the tests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster import cache
from tests.cluster.progress import Steps

LOCK = Path(__file__).parents[1] / "chart" / "checkov.lock"


def ensure(steps: Steps) -> Path:
    """The folder it is installed in."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]

    def fill(folder: Path) -> None:
        with steps.step("Installing checkov (260 MB)"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--require-hashes", "--target", str(folder), "-r", str(LOCK)], check=True)

    return cache.entry(f"checkov-{digest}", fill, waiting=steps.say)


def failed_checks(file: Path, framework: str) -> list[tuple[str, str]]:
    """Check and object of everything that it finds wrong with a file, without asking anything of a network.

    `framework` is checkov's word for what the file holds: kubernetes or dockerfile.
    """
    words = ["--file", str(file), "--framework", framework, "--skip-download", "--compact", "--output", "json"]
    answer = subprocess.run(
        [sys.executable, "-m", "checkov.main", *words],
        env=os.environ | {"PYTHONPATH": str(ensure(Steps())), "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    if not found["summary"]["passed"]:
        raise AssertionError(f"checkov checked nothing: {answer.stdout[-400:]}{answer.stderr[-400:]}")
    return sorted((item["check_id"], item["resource"]) for item in found["results"]["failed_checks"])
