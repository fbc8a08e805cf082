"""Simulated NPU nodes: what a node object of each product looks like under each device plugin. Data only.

MindCluster's plugin writes the chip's name, the memory of chips with HBM (not of 310P) and the server type since 7.3.0
or earlier, `accelerator` and the driver version since 26.1.0; up to 26.0 administrators wrote `accelerator`,
`accelerator-type`, `host-arch` and `server-usage` by hand.
  MC:component/ascend-device-plugin/pkg/server/manager.go (branch_v7.3.0, branch_v26.0.0, branch_v26.1.0),
  MC:docs/en/scheduling/api/k8s.md
HAMi's plugin offers every device as often as its smallest template fits into it (910B4-1: 65536 / 16384 = 4 times); the
devices themselves are listed in an annotation.
  HDP:internal/manager/manager.go (VDeviceCount), HDP:internal/server/server.go (apiDevices),
  HDP:ascend-device-configmap.yaml
CCE: VA:tests/e2e/nightly/multi_node/scripts/lws.yaml.jinja2,
  VA:docs/source/user_guide/deployment_guide/using_volcano_kthena.md.
Hosts: 192 CPUs for A2 (four Kunpeng 920 of 48 cores), 320 for A3 (vllm-ascend#2035); sizes of memory, huge pages and
disks are our choice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

Node = dict[str, Any]

_INFO_FROM_KWOK = dict.fromkeys(
    (
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "osImage",
        "systemUUID",
    ),
    "",
)
"""Required fields that kwok fills where they are empty."""
_MINDCLUSTER = {"workerselector": "dls-worker-node", "node-role.kubernetes.io/worker": "worker"}
_DRIVER = {"huawei.com/driver.version": "25.5.0"}
_910 = {"accelerator": "huawei-Ascend910"}
_310P = {"accelerator": "huawei-Ascend310P"}
_BY_HAND_A2 = _910 | {"accelerator-type": "module-910b-8", "host-arch": "huawei-arm", "server-usage": "infer"}


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of node. Memory and the like as Kubernetes quantities."""

    resource: str
    devices: int
    labels: Mapping[str, str]
    arch: str = "arm64"
    cpus: int = 192
    memory: str = "1536Gi"
    hugepages: str = "64Gi"
    offered_per_device: int = 1
    listed_as: str = ""
    """The type under which HAMi's plugin lists each device in an annotation."""

    def node(self, name: str, *, unhealthy: int = 0) -> Node:
        """The Node object; unhealthy devices are in its capacity but not in its allocatable, as with a real plugin."""
        sizes = {
            "cpu": str(self.cpus),
            "memory": self.memory,
            "hugepages-2Mi": self.hugepages,
            "ephemeral-storage": "1800Gi",
            "pods": "110",
        }
        capacity = sizes | {self.resource: str(self.devices * self.offered_per_device)}
        allocatable = sizes | {self.resource: str((self.devices - unhealthy) * self.offered_per_device)}
        own = {"kubernetes.io/hostname": name, "kubernetes.io/arch": self.arch, "kubernetes.io/os": "linux"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": own | dict(self.labels),
                "annotations": {"kwok.x-k8s.io/node": "fake"} | self._device_list(),
            },
            "status": {
                "capacity": capacity,
                "allocatable": allocatable,
                "nodeInfo": _INFO_FROM_KWOK | {"architecture": self.arch, "operatingSystem": "linux"},
            },
        }

    def _device_list(self) -> dict[str, str]:
        if not self.listed_as:
            return {}
        kind = {
            "count": self.offered_per_device,
            "devmem": 65536,
            "devcore": 20,
            "type": self.listed_as,
            "health": True,
        }
        entries = [{"id": f"{self.listed_as}-{index}", "index": index} | kind for index in range(self.devices)]
        return {f"hami.io/node-register-{self.listed_as}": json.dumps(entries)}


def _a2(chip: str, memory: str) -> Machine:
    labels = {
        "node.kubernetes.io/npu.chip.name": chip,
        "mind-cluster/npu-chip-memory": memory,
        "servertype": "Ascend910B-20",
    }
    return Machine("huawei.com/Ascend910", devices=8, labels=_MINDCLUSTER | _910 | _DRIVER | labels)


A2_64G = _a2("910B4-1", "64G")
"""Atlas 800I A2 64G, MindCluster 26.1."""
A2_64G_910B3 = _a2("910B3", "64G")
"""Atlas 800I A2 64G as some report it; an Atlas 800T A2 shows the same."""
A2_32G = _a2("910B4", "32G")
"""Atlas 800I A2 32G, MindCluster 26.1."""
A2_64G_26_0 = replace(
    A2_64G, labels={key: value for key, value in A2_64G.labels.items() if key not in _DRIVER} | _BY_HAND_A2
)
"""The same with MindCluster 26.0: labels by hand and by the plugin."""
A2_LABELS_BY_HAND = replace(A2_64G, labels=_MINDCLUSTER | _BY_HAND_A2)
"""An older A2 node: only what administrators wrote, so that chip and memory are open."""
A3 = Machine(
    "huawei.com/Ascend910",
    devices=16,
    labels=_MINDCLUSTER
    | _910
    | _DRIVER
    | {"node.kubernetes.io/npu.chip.name": "Ascend910", "mind-cluster/npu-chip-memory": "64G"},
    cpus=320,
    memory="2048Gi",
)
"""Atlas 800I A3, MindCluster 26.1; a device is a die."""
A3_26_0 = replace(
    A3,
    labels={key: value for key, value in A3.labels.items() if key not in _DRIVER}
    | {"accelerator-type": "module-a3-16", "host-arch": "huawei-arm", "server-usage": "infer"},
)
DUO_96G = Machine(
    "huawei.com/Ascend310P",
    devices=8,
    labels=_MINDCLUSTER
    | _310P
    | _DRIVER
    | {"node.kubernetes.io/npu.chip.name": "310P3", "infer-card-type": "card-300i-duo", "servertype": "Ascend310P-8"},
    cpus=128,
    memory="512Gi",
    hugepages="0",
)
"""Four Atlas 300I Duo cards of two chips; no label tells the 96G card from the 48G card."""
DUO_26_0 = replace(
    DUO_96G,
    labels={key: value for key, value in DUO_96G.labels.items() if key not in _DRIVER} | {"host-arch": "huawei-arm"},
)
HAMI_A2 = Machine(
    "huawei.com/Ascend910B4-1",
    devices=8,
    labels={"ascend": "on"},
    offered_per_device=4,
    listed_as="Ascend910B4-1",
)
"""Atlas 800I A2 64G with HAMi's device plugin."""
HAMI_A3 = replace(
    HAMI_A2, resource="huawei.com/Ascend910C", devices=16, listed_as="Ascend910C", cpus=320, memory="2048Gi"
)
"""Atlas 800I A3 with HAMi's device plugin, which hands out both dies of a module together."""
A2_SHARED = replace(
    A2_64G, labels={**A2_64G.labels, "huawei.com/scheduler.chip1softsharedev.enable": "true"}, offered_per_device=100
)
"""Atlas 800I A2 64G that shares its devices by percentage: a hundred units of each (MindCluster 26.0 and newer)."""
CCE_A2 = Machine("huawei.com/ascend-1980", devices=8, labels={"accelerator/huawei-npu": "ascend-1980"})
"""An A2 node of Huawei Cloud CCE; its label does not tell chip or memory."""


def several(
    machine: Machine, name: str, count: int = 1, *, devices: int | None = None, unhealthy: int = 0
) -> list[Node]:
    """`count` nodes NAME-0, NAME-1, ..., with another number of devices where it is given."""
    shaped = machine if devices is None else replace(machine, devices=devices)
    return [shaped.node(f"{name}-{index}", unhealthy=unhealthy) for index in range(count)]


a2_64g = partial(several, A2_64G)
a2_64g_910b3 = partial(several, A2_64G_910B3)
a2_64g_26_0 = partial(several, A2_64G_26_0)
a2_26_0_labels_only = partial(several, A2_LABELS_BY_HAND)
a2_32g = partial(several, A2_32G)
a3 = partial(several, A3)
a3_26_0 = partial(several, A3_26_0)
duo_96g = partial(several, DUO_96G)
duo_26_0 = partial(several, DUO_26_0)
hami_a2 = partial(several, HAMI_A2)
cce_a2 = partial(several, CCE_A2)

BY_NAME: Mapping[str, Callable[..., list[Node]]] = {
    "a2_64g": a2_64g,
    "a2_64g_910b3": a2_64g_910b3,
    "a2_64g_26_0": a2_64g_26_0,
    "a2_26_0_labels_only": a2_26_0_labels_only,
    "a2_32g": a2_32g,
    "a3": a3,
    "a3_26_0": a3_26_0,
    "duo_96g": duo_96g,
    "duo_26_0": duo_26_0,
    "hami_a2": hami_a2,
    "cce_a2": cce_a2,
}
"""For choosing by a word, as `python -m tests.cluster up --nodes a2_64g=2` does."""
