"""How many devices a Pod holds on its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.cluster.facts import NOTHING_RENAMED
from npuserve.quantity import whole

_PREFIX = "huawei.com/"
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PodUse:
    """Devices of one resource that one pod holds on one node."""

    node: str
    resource: str
    devices: int


def npu_use(pod: Mapping[str, Any], renamed: Mapping[str, str] = NOTHING_RENAMED) -> tuple[PodUse, ...]:
    """The devices a placed, unfinished pod holds, by resource; () when it holds none. Per resource: the larger of all
    containers and any init container. `renamed`: resources that bear another name than the published one.

    Total: odd objects hold nothing.
    """
    spec, status = _object(pod.get("spec")), _object(pod.get("status"))
    node = spec.get("nodeName")
    if not isinstance(node, str) or not node or status.get("phase") in _ENDED:
        return ()
    running = _requests(spec.get("containers"), renamed)
    starting = _requests(spec.get("initContainers"), renamed)
    names = {name for counts in (*running, *starting) for name in counts}
    return tuple(PodUse(node, name, _held(name, running, starting)) for name in sorted(names))


def _held(name: str, running: list[dict[str, int]], starting: list[dict[str, int]]) -> int:
    return max(sum(counts.get(name, 0) for counts in running), *(counts.get(name, 0) for counts in starting), 0)


def _requests(containers: Any, renamed: Mapping[str, str]) -> list[dict[str, int]]:
    found = []
    for container in containers if isinstance(containers, list) else ():
        resources = _object(_object(container).get("resources"))
        asked = {**_object(resources.get("limits")), **_object(resources.get("requests"))}
        found.append(
            {
                name: count
                for name, amount in asked.items()
                if (name in renamed or str(name).startswith(_PREFIX)) and (count := whole(amount)) > 0
            }
        )
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
