"""What is measured: the operator's share of a core, its memory, how punctually replicas are asked, and how soon a load step
becomes a decision."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil

from tests.bench.client import Client, connect, in_flight
from tests.bench.process import USER, Operator, Others, prepare
from tests.bench.scraping.player import SPREAD, Player, lateness
from tests.bench.scraping.recording import recording
from tests.bench.services import PATH
from tests.cluster import audit, nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.progress import Report
from tests.support.background import Background

EVERY_SECONDS = 5.0
NAMESPACE = "load"
STEPPING = 10
RATE = 0.7
"""Requests per second and replica: a quarter of what it carries, so that the number of replicas stays."""
BEFORE, STEP = 1.7, 4.0
"""The same of the services whose load steps, before it does, and how many times as much they have then."""
STEP_SECONDS = 60
START_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The size of one run."""

    services: int
    replicas: int
    warm: int
    """Seconds before anything counts."""
    seconds: int
    core: int | None
    """The core of the operator; None where the machine has only one."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table; shares of one core from 0 to 1, seconds, megabytes of 10^6 bytes."""

    services: int
    replicas: int
    pages: float
    """Pages read per second."""
    page_bytes: int
    cpu: float
    others: float
    megabytes: float
    late_median: float
    late_most: float
    """Of all but one in a hundred."""
    late_longest: float
    look: float
    """Milliseconds of one look at a service, its pages on their way included; the mean."""
    decision: float
    """Milliseconds of the decision in it; the mean."""
    writes: Mapping[str, int]
    """By resource, while the figures were taken: leases aside, about services whose load is steady."""
    decided: list[float]
    """Seconds from a load step in the metrics to the Deployment's new number, one per service."""


class Timer:
    """Times of which the operator keeps count, from now on."""

    def __init__(self, operator: Operator, what: str) -> None:
        self._operator = operator
        self._name = f"npuserve_autoscale_{what}_seconds"
        self._sum, self._count = self._read()

    def milliseconds(self) -> float:
        """The mean since then."""
        total, count = self._read()
        return 1000 * (total - self._sum) / max(1.0, count - self._count)

    def _read(self) -> tuple[float, float]:
        return self._operator.sample(f"{self._name}_sum"), self._operator.sample(f"{self._name}_count")


def measure(asked: Asked, report: Report) -> Figures:
    """The figures of a fresh cluster; the network must hold the pods' addresses."""
    length = SPREAD + asked.warm + asked.seconds + STEP_SECONDS + 30
    report("recording pages")
    steady = recording(length, RATE)
    stepped = recording(length - SPREAD, BEFORE, step_at=asked.warm + asked.seconds, step=STEP, seed=2)
    player = Player(steady, stepped)
    _keep_to([core for core in os.sched_getaffinity(0) if core != asked.core])
    with Background() as background, ControlPlane(report=report) as cluster:
        playing = player.play()
        background.run(playing.__aenter__())
        prepare(cluster)
        room = asked.services * asked.replicas + STEPPING * 4
        cluster.add_nodes(nodes.a2_64g("a2", -(-room // 8)))
        operator = Operator(cluster, core=asked.core)
        try:
            operator.wait_until_ready()
            figures = asyncio.run(_measure(cluster, operator, player, asked, report))
        finally:
            operator.stop()
        background.run(playing.__aexit__(None, None, None))
    return figures


async def _measure(cluster: ControlPlane, operator: Operator, player: Player, asked: Asked, report: Report) -> Figures:
    names = [f"service-{number:04}" for number in range(asked.services)]
    async with connect(cluster.admin_kubeconfig, cluster.ca) as client:
        path = PATH.format(namespace=NAMESPACE)
        await in_flight(8, names, lambda name: client.post(path, _service(name, asked.replicas)))
        await _until_ready(client, asked.services * asked.replicas, report)
        player.stepping = frozenset(await _addresses(client, names[:STEPPING]))
    player.began = began = time.monotonic()
    report(f"warming up for {asked.warm} s")
    await asyncio.sleep(asked.warm)
    looks, decisions = Timer(operator, "look"), Timer(operator, "decision")
    since, cpu, position = time.monotonic(), operator.cpu_seconds(), cluster.audit_position()
    others = Others(cluster, operator)
    report(f"measuring for {asked.seconds} s")
    await asyncio.sleep(began + asked.warm + asked.seconds - time.monotonic())
    until, used, disturbed = time.monotonic(), operator.cpu_seconds() - cpu, others.share()
    steady = [
        event for event in cluster.audit(USER, since=position) if _counts(event) and not _about(event, names[:STEPPING])
    ]
    look, decision = looks.milliseconds(), decisions.milliseconds()
    late = lateness(player.asked, EVERY_SECONDS, since=since, until=until)
    if not late:
        raise RuntimeError("no replica was asked twice: the operator reads no metrics")
    count = sum(since <= at <= until for times in player.asked.values() for at in times)
    position, stepped_at = cluster.audit_position(), time.time()
    report(f"{STEPPING} services get {STEP:.0f} times the load")
    await asyncio.sleep(STEP_SECONDS)
    return Figures(
        services=asked.services,
        replicas=asked.replicas,
        pages=count / (until - since),
        page_bytes=len(player.steady.pages[-1]),
        cpu=used / (until - since),
        others=disturbed,
        megabytes=operator.peak_megabytes(),
        late_median=late[len(late) // 2],
        late_most=late[int(len(late) * 0.99)],
        late_longest=late[-1],
        look=look,
        decision=decision,
        writes=Counter(event["objectRef"]["resource"] for event in steady),
        decided=_decided(cluster, position, stepped_at, names[:STEPPING]),
    )


def _service(name: str, replicas: int) -> dict[str, Any]:
    return {
        "apiVersion": "npuserve.io/v1alpha1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "model": {"uri": "modelscope://Qwen/Qwen3-8B"},
            "quantization": "none",
            "backend": "auto",
            "replicas": replicas,
            "autoscaling": {"minReplicas": replicas, "maxReplicas": replicas + 4},
        },
    }


async def _until_ready(client: Client, pods: int, report: Report) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        ready = len(await _addresses(client))
        report(f"{ready} of {pods} replicas are ready")
        if ready >= pods:
            return
        await asyncio.sleep(2)
    raise RuntimeError(f"not all replicas became ready within {START_SECONDS:.0f} s")


async def _addresses(client: Client, services: Sequence[str] = ()) -> list[str]:
    """The addresses of ready pods, of these services or of all."""
    found = await client.get(f"/api/v1/namespaces/{NAMESPACE}/pods")
    return [
        pod["status"]["podIP"]
        for pod in found["items"]
        if pod["status"].get("podIP") and (not services or pod["metadata"]["labels"]["npuserve.io/service"] in services)
    ]


def _decided(cluster: ControlPlane, position: int, stepped_at: float, names: Sequence[str]) -> list[float]:
    """Seconds from the step to the first write of each Deployment after it."""
    first: dict[str, float] = {}
    for event in cluster.audit(USER, since=position):
        reference = event.get("objectRef", {})
        if _counts(event) and reference.get("resource") == "deployments" and _about(event, names):
            at = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
            first.setdefault(reference["name"], at - stepped_at)
    return sorted(first.values())


def _about(event: audit.Event, names: Sequence[str]) -> bool:
    """Whether the request was about an object of one of these services."""
    return str(event.get("objectRef", {}).get("name", "")).startswith(tuple(names))


def _counts(event: audit.Event) -> bool:
    return audit.is_write(event) and event.get("objectRef", {}).get("resource") != "leases"


def _keep_to(cores: Sequence[int]) -> None:
    """This process and all that it starts leave the operator its core."""
    if cores:
        psutil.Process().cpu_affinity(list(cores))
