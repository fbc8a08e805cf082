"""The operator on a local cluster as users run it: the chart installed, and a process of its own with the environment,
the files and the rights that the chart gives to its pods, since no kubelet is there to start them."""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import ports
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object
from tests.cluster.processes import Running
from tests.support.helm import RELEASE, helm
from tests.support.waiting import NotYet, until

ROOT = Path(__file__).parents[2]
DEFINITION = "inferenceservices.npuserve.io"
CRD = ROOT / "crds" / f"{DEFINITION}.yaml"
SAMPLES = ROOT / "crds" / "samples"
NAMESPACE = ACCOUNT = RELEASE
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
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


def install(cluster: ControlPlane, values: Mapping[str, Any] | None = None) -> None:
    """Install the chart into a namespace in which every pod has to be restricted."""
    cluster.kubectl.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    )
    helm(cluster.folder, kubeconfig=cluster.admin_kubeconfig).install(values)
    if (values or {}).get("crds", {}).get("enabled", True):
        wait_until_served(cluster)


def start_operator(
    cluster: ControlPlane,
    *,
    name: str = "operator",
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = RUN,
) -> Operator:
    """Start the operator's own command as the chart's Deployment does and wait until it is live.

    `name` is what it signs with, as a pod's name is; `environment` adds to the Deployment's. Each start has a token of
    its own, by which the audit log tells processes apart.
    """
    (port,) = ports.free(1)
    pod: Object = cluster.kubectl.get("deployment", RELEASE, NAMESPACE)["spec"]["template"]["spec"]
    account = pod["serviceAccountName"]
    kubeconfig = cluster.kubeconfig_for(account, NAMESPACE).rename(cluster.folder / f"{name}-{port}.kubeconfig")
    settings = {
        **deployed_environment(cluster, pod, name=name),
        "KUBECONFIG": str(kubeconfig),
        "NPUSERVE_HTTP_ADDRESS": "127.0.0.1",
        "NPUSERVE_HTTP_PORT": str(port),
        **(environment or {}),
    }
    operator = Operator(cluster.spawn(name, command, environment=settings), port, kubeconfig)
    operator.wait_until_live()
    return operator


def deployed_environment(cluster: ControlPlane, pod: Object, *, name: str) -> dict[str, str]:
    """The variables of the pod's container as the kubelet would set them, with paths of mounted files on this machine."""
    (container,) = pod["containers"]
    fields = {"metadata.name": name, "metadata.namespace": NAMESPACE}
    files = dict(_mounted(cluster, pod))
    found = {}
    for variable in container["env"]:
        reference = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        value = fields[reference] if reference else variable.get("value", "")
        found[variable["name"]] = files.get(value, value)
    return found


def _mounted(cluster: ControlPlane, pod: Object) -> Iterator[tuple[str, str]]:
    """Path in the container and path here of every file of a mounted ConfigMap."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in pod["containers"][0]["volumeMounts"]:
        source = volumes[mount["name"]].get("configMap")
        if source:
            folder = cluster.folder / "mounts" / source["name"]
            folder.mkdir(parents=True, exist_ok=True)
            for key, content in cluster.kubectl.get("configmap", source["name"], NAMESPACE)["data"].items():
                (folder / key).write_text(content, encoding="utf-8")
                yield f"{mount['mountPath']}/{key}", str(folder / key)
