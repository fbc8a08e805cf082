"""The one container of a replica.

Rule: exactly one container of a pod requests NPUs, because the MindCluster plugin refuses a second `Allocate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npuserve.configuration import Profile
from npuserve.plan.plan import Plan
from npuserve.render.canonical import byte_quantity, quantity
from npuserve.render.environment import environment, verbatim
from npuserve.render.probes import drain, probes
from npuserve.render.security import container_security
from npuserve.render.volumes import Mounted
from npuserve.render.weights import scratch_request

NAME = "engine"
PORT_NAME = "http"


def engine_container(plan: Plan, volumes: Sequence[Mounted], *, profile: Profile, pull_policy: str) -> dict[str, Any]:
    """The engine as a container. Its last log lines become the termination message of a failed start."""
    launch, variables = plan.launch, environment(plan, profile)
    return {
        "name": NAME,
        "image": plan.image,
        "imagePullPolicy": pull_policy,
        **({"command": [verbatim(word) for word in launch.command]} if launch.command else {}),
        **({"args": [verbatim(word) for word in launch.args]} if launch.args else {}),
        **({"env": variables} if variables else {}),
        "ports": [{"name": PORT_NAME, "containerPort": launch.port, "protocol": "TCP"}],
        "resources": resources(plan),
        **probes(launch, plan.timing.startup),
        **drain(launch),
        "securityContext": container_security(profile),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [item.mount for item in volumes],
    }


def resources(plan: Plan) -> dict[str, dict[str, str]]:
    """Requests and limits.

    Devices, the memory of a part of one (MiB, Project-HAMi/HAMi:pkg/device/ascend/device.go) and huge pages take both
    by their nature; CPUs and memory are limited only where the pod is to own its CPUs,
    which takes the QoS class Guaranteed.
    """
    bound = {plan.resource_name: str(plan.devices)}
    if plan.slice_mib:
        bound[f"{plan.resource_name}-memory"] = str(plan.slice_mib)
    if plan.topology.hugepages is not None:
        bound[f"hugepages-{plan.topology.hugepages.size}"] = byte_quantity(plan.topology.hugepages.amount)
    host = {"cpu": quantity(plan.topology.cpus), "memory": quantity(plan.topology.memory)}
    return {
        "requests": {**bound, **host, **scratch_request(plan.topology.scratch)},
        "limits": {**bound, **host} if plan.topology.cpu_pinning else bound,
    }
