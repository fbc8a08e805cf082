"""`make demo`: from nothing to three planned, running, explained services on a local cluster.

Real etcd, API server, controller manager and scheduler; the NPU nodes are simulated by kwok, so pods become Running without an engine behind them.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from npuserve.cli.present import reasons_table
from tests.cluster import binaries, nodes
from tests.cluster.control_plane import ALL, ControlPlane, Leave
from tests.cluster.programs import ClusterFailed
from tests.cluster.progress import Report, Steps
from tests.cluster.toolchain import ToolsUnavailable
from tests.support.installed import SAMPLES, OperatorFailed, install, start_operator
from tests.support.weights import weights_claim

SHOWN = "qwen3-32b"
SERVICES = (SHOWN, "qwen3-32b-mindie", "qwen3-8b-300i-duo")
READY_SECONDS = 120.0


class NotReady(Exception):
    """The services did not become READY in time; says what each waits for."""


@click.command(help=__doc__)
@click.option("--keep", is_flag=True, help="Leave the cluster and the operator running.")
def main(*, keep: bool) -> None:
    signal.signal(signal.SIGTERM, _leave)
    steps, console = Steps(), Console(highlight=False)
    binaries.ensure([*ALL, "helm"], steps=steps)
    with ControlPlane(leave=Leave.RUNNING if keep else Leave.NOTHING, steps=steps) as cluster:
        with steps.step("Two Atlas 800I A2 64G nodes and one with four Atlas 300I Duo cards (simulated)"):
            cluster.add_nodes([*nodes.a2_64g("a2", 2), *nodes.duo_96g("duo", 1)])
        with steps.step("The Helm chart, and the operator under the rights that it gives"):
            install(cluster)
            start_operator(cluster)
        with steps.step("Three services: kubectl apply -f crds/samples/...") as report:
            cluster.kubectl.apply(*weights_claim("default"))
            for name in SERVICES:
                cluster.kubectl("apply", "--filename", str(SAMPLES / f"{name}.yaml"))
            _wait_until_ready(cluster, report)
        console.print("\n$ kubectl get inferenceservices")
        console.print(cluster.kubectl("get", "inferenceservices"), end="", soft_wrap=True)
        _show_plan(console, cluster.kubectl.get("inferenceservice", SHOWN))
        if keep:
            console.print(f"\nexport KUBECONFIG={cluster.admin_kubeconfig}", soft_wrap=True)
            console.print(f"Stop it with: {sys.executable} -m tests.cluster down {cluster.folder}", soft_wrap=True)


def _wait_until_ready(cluster: ControlPlane, report: Report) -> None:
    end = time.monotonic() + READY_SECONDS
    while True:
        found = {item["metadata"]["name"]: item for item in cluster.kubectl.list("inferenceservices")}
        waiting = [f"{name}: {said}" for name in SERVICES if (said := _unready(found.get(name)))]
        if not waiting:
            return
        if ended := cluster.ended():
            raise ClusterFailed("; ".join(ended))
        if time.monotonic() > end:
            raise NotReady("\n".join(waiting))
        report(waiting[0])
        time.sleep(0.5)


def _unready(service: dict[str, Any] | None) -> str | None:
    """What a service waits for; None when it is READY."""
    conditions = (service or {}).get("status", {}).get("conditions", [])
    ready = next((item for item in conditions if item["type"] == "Ready"), None)
    if ready is None:
        return "not yet planned"
    return None if ready["status"] == "True" else f"{ready['reason']}, {ready['message']}"


def _show_plan(console: Console, service: dict[str, Any]) -> None:
    plan = service["status"]["plan"]
    console.print(f"\n[bold]The plan of {SHOWN}, and why[/bold]  (kubectl get npusvc {SHOWN} -o yaml, status.plan)\n")
    values = Table.grid(padding=(0, 2))
    for key in ("backend", "backendVersion", "image", "product", "resourceName", "devices", "dtype", "quantization"):
        values.add_row(key, str(plan[key]))
    values.add_row("args", " ".join(plan["args"]))
    console.print(values)
    console.print()
    console.print(reasons_table(plan["reasons"]))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        main(prog_name="make demo")
    except (ToolsUnavailable, ClusterFailed, OperatorFailed, NotReady) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
