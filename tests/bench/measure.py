"""What is measured of one cluster with one number of services, in one order: burst, single ones, rest, single ones amid
a burst, floor."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.bench.client import Arrivals, Client, connect, in_flight
from tests.bench.floor import Example, example, floor_seconds
from tests.bench.process import USER, Operator, Others, prepare
from tests.bench.services import PATH, service
from tests.cluster import audit, nodes
from tests.cluster.control_plane import API_ONLY, ControlPlane

SINGLES = 20
CREATORS = 32
REST_SECONDS = 30.0
QUIET_SECONDS = 2.0
_LOAD = PATH.format(namespace="load")


@dataclass(frozen=True, slots=True)
class Latencies:
    """From the create of a service to its Deployment, in milliseconds."""

    p50: float
    longest: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table. Seconds, megabytes of 10^6 bytes."""

    services: int
    created: float
    """Until the last service was created."""
    deployments: float
    """Until the last Deployment existed, from the first create on."""
    settled: float
    """Until the last request of the operator for them."""
    floor: float
    single: Latencies
    amid: Latencies
    """While as many other new services are in work."""
    requests: float
    """Per service, of the burst."""
    writes: float
    cpu: float
    megabytes: float
    rest_requests: float
    """Per minute, leases included."""
    rest_writes: float
    """Per minute, without leases."""
    others: float
    """What programs outside the measurement took of the processors during the burst, 0 to 1."""


def measure(count: int, *, rest_seconds: float = REST_SECONDS, python: tuple[str, ...] | None = None) -> Figures:
    """The figures of a fresh cluster."""
    with ControlPlane(API_ONLY) as cluster:
        prepare(cluster)
        cluster.kubectl.apply(*nodes.a2_64g("a2", 4))
        operator = Operator(cluster, python=python) if python else Operator(cluster)
        try:
            operator.wait_until_ready()
            figures, written = asyncio.run(_measure(cluster, operator, count, rest_seconds=rest_seconds))
        finally:
            operator.stop()
    return replace(figures, floor=floor_seconds(written, count))


async def _measure(
    cluster: ControlPlane, operator: Operator, count: int, *, rest_seconds: float
) -> tuple[Figures, Example]:
    async with connect(cluster.admin_kubeconfig, cluster.ca) as client:
        arrivals = Arrivals()
        following = asyncio.create_task(arrivals.follow(client))
        await asyncio.sleep(0.5)
        before, cpu = cluster.audit_position(), operator.cpu_seconds()
        names = [f"service-{number}" for number in range(count)]
        others, began = Others(cluster, operator), time.perf_counter()
        await _create(client, names)
        created = time.perf_counter() - began
        done = await arrivals.of(names, within=300) - began
        disturbed = others.share()
        settled = await _quiet(cluster, before) - began
        burst = list(cluster.audit(USER, since=before))
        cpu, megabytes = operator.cpu_seconds() - cpu, operator.peak_megabytes()
        single = await _latencies(client, arrivals, "single")
        await _quiet(cluster, cluster.audit_position())
        resting = cluster.audit_position()
        await asyncio.sleep(rest_seconds)
        rest = list(cluster.audit(USER, since=resting))
        amid = await _amid(client, arrivals, count)
        written = await example(client, names[0])
        following.cancel()
    figures = Figures(
        services=count,
        created=created,
        deployments=done,
        settled=settled,
        floor=0.0,
        single=single,
        amid=amid,
        requests=len(_requests(burst)) / count,
        writes=len(_writes(burst)) / count,
        cpu=cpu,
        megabytes=megabytes,
        rest_requests=len(_requests(rest)) * 60 / rest_seconds,
        rest_writes=len(_writes(rest)) * 60 / rest_seconds,
        others=disturbed,
    )
    return figures, written


async def _create(client: Client, names: Iterable[str]) -> None:
    await in_flight(CREATORS, names, lambda name: client.post(_LOAD, service(name, "load")))


async def _latencies(client: Client, arrivals: Arrivals, prefix: str) -> Latencies:
    """Of services created one after another, each after the one before has its Deployment."""
    taken = []
    for number in range(SINGLES):
        name = f"{prefix}-{number}"
        began = time.perf_counter()
        await client.post(_LOAD, service(name, "load"))
        taken.append((await arrivals.of([name], within=60) - began) * 1000)
    return Latencies(statistics.median(taken), max(taken))


async def _amid(client: Client, arrivals: Arrivals, count: int) -> Latencies:
    """Of single services that are created while `count` others wait or are in work, from when a tenth of these is done."""
    names = [f"crowd-{number}" for number in range(count)]
    crowd = asyncio.create_task(_create(client, names))
    await arrivals.of(names[: count // 10], within=300)
    await crowd
    latencies = await _latencies(client, arrivals, "amid")
    await arrivals.of(names, within=300)
    return latencies


async def _quiet(cluster: ControlPlane, since: int) -> float:
    """The time of the last request after which the operator, its lease aside, asked nothing for a while."""
    last, seen = time.perf_counter(), -1
    while time.perf_counter() - last < QUIET_SECONDS:
        await asyncio.sleep(0.25)
        now = len(_requests(cluster.audit(USER, since=since), leases=False))
        if now != seen:
            last, seen = time.perf_counter(), now
    return last


def _requests(events: Iterable[audit.Event], *, leases: bool = True) -> list[audit.Event]:
    """Finished requests, a watch at its beginning."""
    return [
        event
        for event in events
        if event["stage"] == ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete")
        and (leases or _resource(event) != "leases")
    ]


def _writes(events: Iterable[audit.Event]) -> list[audit.Event]:
    return [event for event in events if audit.is_write(event) and _resource(event) != "leases"]


def _resource(event: Any) -> str:
    return str(event.get("objectRef", {}).get("resource", ""))
