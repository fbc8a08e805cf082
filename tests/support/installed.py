"""The operator on a local cluster as users run it: CRD and RBAC applied, a process of its own under its own
credentials."""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster import ports
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import Running
from tests.support.waiting import NotYet, until

ROOT = Path(__file__).parents[2]
DEFINITION = "inferenceservices.npuserve.io"
CRD = ROOT / "crds" / f"{DEFINITION}.yaml"
ACCESS = ROOT / "charts" / "rbac.yaml"
SAMPLES = ROOT / "crds" / "samples"
NAMESPACE = ACCOUNT = "npuserve"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
RUN = (str(Path(sys.executable).parent / "npuserve"), "run")
LIVE_SECONDS = 30.0


class OperatorFailed(Exception):
    """The operator ended or did not come up; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A running operator, the port of its health and metrics, and how it logs in."""

    process: Running
    port: int
    kubeconfig: Path

    @property
    def credential(self) -> str:
        """The identity of its token, as audit events name it (`user.extra`,
        authentication.kubernetes.io/credential-id)."""
        token: str = yaml.safe_load(self.kubeconfig.read_text())["users"][0]["user"]["token"]
        claims = token.split(".")[1]
        return f"JTI={json.loads(base64.urlsafe_b64decode(claims + '=' * (-len(claims) % 4)))['jti']}"

    def answer(self, path: str) -> tuple[int, str]:
        """Code and body of a GET on its HTTP port; raises OSError where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def get(self, path: str) -> str:
        """The body of an answer of 200; raises OSError where there is another one or none."""
        code, body = self.answer(path)
        if code != 200:
            raise OSError(f"{path} answers {code}: {body}")
        return body

    def wait_until_live(self) -> None:
        """Return once /healthz answers 200."""
        end = time.monotonic() + LIVE_SECONDS
        while time.monotonic() < end:
            if self.process.exit_code is not None:
                raise OperatorFailed(f"it ended with {self.process.exit_code}:\n{self.process.last_lines()}")
            try:
                self.get("/healthz")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise OperatorFailed(f"it is not healthy after {LIVE_SECONDS:.0f} s:\n{self.process.last_lines()}")


def wait_until_served(cluster: ControlPlane) -> None:
    """Return once the API server serves the resource of the CRD that was applied.

    `kubectl wait` fails where no condition exists yet.
    """

    def established() -> bool | NotYet:
        # A CRD that is just being taken has conditions that are null.
        conditions = cluster.kubectl.get("crd", DEFINITION).get("status", {}).get("conditions") or []
        found = any((item["type"], item["status"]) == ("Established", "True") for item in conditions)
        return found or NotYet(f"{DEFINITION} is not established: {conditions}")

    until(established, within=LIVE_SECONDS)


def install(cluster: ControlPlane) -> None:
    """Apply the CRD, the namespace and the operator's account with its rights."""
    cluster.kubectl("apply", "--server-side", "--filename", str(CRD))
    wait_until_served(cluster)
    cluster.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    cluster.kubectl("apply", "--filename", str(ACCESS))


def start_operator(
    cluster: ControlPlane,
    *,
    name: str = "operator",
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = RUN,
) -> Operator:
    """Start the operator's own command under a token of the account and wait until it is live.

    `name` is what it signs with, as a pod's name is. Each start has a token of its own, by which the audit log tells
    processes apart.
    """
    (port,) = ports.free(1)
    kubeconfig = cluster.kubeconfig_for(ACCOUNT, NAMESPACE).rename(cluster.folder / f"{name}-{port}.kubeconfig")
    settings = {
        "KUBECONFIG": str(kubeconfig),
        "NPUSERVE_NAMESPACE": NAMESPACE,
        "NPUSERVE_HTTP_ADDRESS": "127.0.0.1",
        "NPUSERVE_HTTP_PORT": str(port),
        "POD_NAME": name,
        **(environment or {}),
    }
    operator = Operator(cluster.spawn(name, command, environment=settings), port, kubeconfig)
    operator.wait_until_live()
    return operator
