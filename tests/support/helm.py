"""Helm 3 and 4 as functions: the chart of the tree rendered into objects, or installed on a local cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries
from tests.cluster.kubectl import Object

CHART = Path(__file__).parents[2] / "charts" / "npuserve"
RELEASE = "npuserve"
TIMEOUT_SECONDS = 180.0


class HelmFailed(Exception):
    """Helm ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Helm:
    """Calling it runs Helm and returns what it printed; raises HelmFailed. `home` takes what Helm keeps on disk."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 the word of subprocess.run
        answer = subprocess.run(
            [str(self.program), *arguments],
            input=input,
            env=os.environ | self.environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if answer.returncode:
            raise HelmFailed(f"helm {' '.join(arguments)}: {answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout

    def environment(self) -> dict[str, str]:
        """The variables by which it keeps to its folder and its cluster."""
        kept = {f"HELM_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        return kept | ({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {})

    def text(self, values: Mapping[str, Any] | None = None, *, namespace: str = RELEASE, chart: Path = CHART) -> str:
        """What `helm template` prints."""
        words = ("template", RELEASE, str(chart), f"--namespace={namespace}", "--values=-")
        return self(*words, input=json.dumps(values or {}))

    def render(
        self, values: Mapping[str, Any] | None = None, *, namespace: str = RELEASE, chart: Path = CHART
    ) -> list[Object]:
        """The objects of the chart in the order in which Helm applies them."""
        return [item for item in yaml.safe_load_all(self.text(values, namespace=namespace, chart=chart)) if item]

    def install(
        self, values: Mapping[str, Any] | None = None, *words: str, namespace: str = RELEASE, chart: Path = CHART
    ) -> str:
        """Install the release, or upgrade it."""
        command = ("upgrade", "--install", RELEASE, str(chart), f"--namespace={namespace}", "--create-namespace")
        return self(*command, "--values=-", *words, input=json.dumps(values or {}))


def helm(home: Path, *, version: int = 4, kubeconfig: Path | None = None) -> Helm:
    """Helm of this major version."""
    name = "helm" if version == 4 else f"helm{version}"
    return Helm(binaries.ensure([name])[name], home, kubeconfig)
