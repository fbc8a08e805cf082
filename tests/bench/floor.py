"""The floor: the same objects, written by a bare client that plans, reads and watches nothing, on a fresh cluster of
the same kind."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.bench.client import Client, Object, connect, in_flight
from tests.bench.process import prepare
from tests.bench.services import PATH, service
from tests.cluster.control_plane import API_ONLY, ControlPlane

IN_FLIGHT = 16
_OURS = ("name", "labels", "annotations")
_GIVEN = ("clusterIP", "clusterIPs")
"""What the API server has given a Service, and would refuse to give again."""


@dataclass(frozen=True, slots=True)
class Example:
    """What the operator wrote for one service."""

    deployment: Object
    address: Object
    status: Object


async def example(client: Client, name: str) -> Example:
    """The objects of a service of the load."""
    deployment = _bare(await client.get(f"/apis/apps/v1/namespaces/load/deployments/{name}"))
    address = _bare(await client.get(f"/api/v1/namespaces/load/services/{name}"))
    spec = {key: value for key, value in address["spec"].items() if key not in _GIVEN}
    status: Object = (await client.get(f"{PATH.format(namespace='load')}/{name}"))["status"]
    return Example(deployment, {**address, "spec": spec}, status)


def floor_seconds(written: Example, count: int) -> float:
    """Seconds for so many Services, Deployments and statuses, 16 in flight."""
    with ControlPlane(API_ONLY) as cluster:
        prepare(cluster)
        return asyncio.run(_write_all(cluster, written, count))


async def _write_all(cluster: ControlPlane, written: Example, count: int) -> float:
    async with connect(cluster.admin_kubeconfig, cluster.ca) as client:
        return await _timed(client, written, count)


async def _timed(client: Client, written: Example, count: int) -> float:
    services = PATH.format(namespace="floor")
    names = [f"floor-{number}" for number in range(count)]
    await in_flight(IN_FLIGHT, names, lambda name: client.post(services, service(name, "floor")))

    async def write(name: str) -> None:
        await client.apply(f"/api/v1/namespaces/floor/services/{name}", _named(written.address, name))
        await client.apply(f"/apis/apps/v1/namespaces/floor/deployments/{name}", _named(written.deployment, name))
        said = {key: value for key, value in service(name, "floor").items() if key != "spec"} | {
            "status": written.status
        }
        await client.apply(f"{services}/{name}/status", said)

    began = time.perf_counter()
    await in_flight(IN_FLIGHT, names, write)
    return time.perf_counter() - began


def _bare(live: Object) -> Object:
    """What was written of a live object."""
    metadata = {key: live["metadata"][key] for key in _OURS if key in live["metadata"]}
    kind = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
    return {**kind, "metadata": metadata, "spec": live["spec"]}


def _named(bare: Object, name: str) -> Object:
    return {**bare, "metadata": {**bare["metadata"], "name": name, "namespace": "floor"}}
