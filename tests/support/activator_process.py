"""The activator on a local cluster: its own command as the chart's Deployment runs it, since no kubelet is there."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from npuserve.controller.resources import PODS
from tests.cluster.kubectl import Object
from tests.cluster.processes import Running
from tests.support.helm import RELEASE
from tests.support.installed import NAMESPACE, deployed_environment
from tests.support.site import Site
from tests.support.waiting import NotYet, until

NAME = f"{RELEASE}-activator"
ENABLED = {"activator": {"enabled": True, "replicas": 1, "commentSeconds": 1}}
"""One replica, because one process answers for the addresses of all pods; comments come soon."""
HTTP_PORT = 8080
_LABEL = f"app.kubernetes.io/name={RELEASE}-activator"
COMMAND = str(Path(sys.executable).parent / "npuserve")


@dataclass(frozen=True, slots=True)
class ActivatorProcess:
    """A running activator, and where its health and metrics answer."""

    process: Running
    address: str

    def answer(self, path: str) -> tuple[int, str]:
        """Code and body of a GET on its HTTP port; raises OSError where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{HTTP_PORT}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def number(self, metric: str, /, **labels: str) -> float:
        """One sample of its metrics; 0 where there is none."""
        marks = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        wanted = f"{metric}{{{marks}}} " if marks else f"{metric} "
        _, page = self.answer("/metrics")
        found = (line.removeprefix(wanted) for line in page.splitlines() if line.startswith(wanted))
        return float(next(found, 0))

    def wait_until_ready(self) -> None:
        """Return once it has heard of every service and listens for each."""

        def ready() -> bool | NotYet:
            try:
                code, words = self.answer("/readyz")
            except OSError as error:
                return NotYet(f"{error}: {self.process.last_lines()}")
            return code == 200 or NotYet(words)

        until(ready)


@contextmanager
def activator_process(site: Site, *, address: str = "127.0.0.1") -> Iterator[ActivatorProcess]:
    """The activator on this cluster, with the environment and the rights that the chart gives to its pods."""
    deployment: Object = site.cluster.kubectl.get("deployment", NAME, NAMESPACE)
    pod = deployment["spec"]["template"]["spec"]
    kubeconfig = site.cluster.kubeconfig_for(pod["serviceAccountName"], NAMESPACE)
    settings = {
        **deployed_environment(site.cluster, pod, name="activator"),
        "KUBECONFIG": str(kubeconfig),
        "NPUSERVE_LINGER_SECONDS": "0.5",
    }
    command = (COMMAND, *pod["containers"][0]["args"])
    running = ActivatorProcess(site.cluster.spawn("activator", command, environment=settings), address)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.process.stop()


def pods(site: Site) -> list[Object]:
    """The pods of its Deployment."""
    return site.api.list(PODS, NAMESPACE, labels=_LABEL)


def say_ready(site: Site, *, ready: bool = True) -> tuple[str, ...]:
    """Say as a kubelet that its pods are ready, or are not any more; their addresses."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")

    def started() -> list[Object] | NotYet:
        found = pods(site)
        addresses = [pod["status"].get("podIP") for pod in found]
        return found if found and all(addresses) else NotYet(f"the activator's pods have the addresses {addresses}")

    found = until(started)
    for pod in found:
        conditions = [
            {**item, "status": str(ready), "lastTransitionTime": now}
            if item["type"] in ("Ready", "ContainersReady")
            else item
            for item in pod["status"]["conditions"]
        ]
        status = {"status": {"conditions": conditions}}
        site.api.merge(PODS, NAMESPACE, pod["metadata"]["name"], status, subresource="status")
    return tuple(sorted(pod["status"]["podIP"] for pod in found))
