"""kubectl with one kubeconfig, as a function; objects go in and come out as plain dicts."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]
TIMEOUT_SECONDS = 120.0


class KubectlFailed(Exception):
    """kubectl ended with an error; `words` is what it said."""

    def __init__(self, arguments: tuple[str, ...], code: int, words: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)} ended with exit code {code}: {words.strip()}")
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Calling it runs kubectl and returns what it printed; raises KubectlFailed."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, input: str | None = None, timeout: float = TIMEOUT_SECONDS) -> str:  # noqa: A002 the word of subprocess.run
        environment = os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.kubeconfig.parent / "kubectl-cache"),
        }
        answer = subprocess.run(
            [str(self.program), *arguments],
            input=input,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if answer.returncode:
            raise KubectlFailed(arguments, answer.returncode, answer.stderr)
        return answer.stdout

    def apply(self, *objects: Object) -> str:
        """`kubectl apply` of all objects in one call."""
        return self(
            "apply", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """One object."""
        found: Object = json.loads(self("get", kind, name, "--namespace", namespace, "--output", "json"))
        return found

    def list(self, kind: str, namespace: str = "default", *, selector: str = "") -> list[Object]:
        """The objects of a kind, those that match a label selector where one is given."""
        answer = self("get", kind, "--namespace", namespace, "--selector", selector, "--output", "json")
        items: list[Object] = json.loads(answer)["items"]
        return items
