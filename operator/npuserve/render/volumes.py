"""Which volumes a pod has, and where its container mounts each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npuserve.configuration import Profile
from npuserve.engines.launch import FILES_DIR
from npuserve.plan.plan import Plan
from npuserve.render.canonical import byte_quantity
from npuserve.render.downloads import CA_DIR, downloads
from npuserve.render.names import config_name
from npuserve.render.owner import Owner
from npuserve.render.weights import weights_mount, weights_volume

HUGEPAGES_DIR = "/hugepages"
READ_ONLY_FILE = 0o444


@dataclass(frozen=True, slots=True)
class Mounted:
    """A volume of the pod and the mount of the container that goes with it."""

    volume: dict[str, Any]
    mount: dict[str, Any]


def mounted(owner: Owner, plan: Plan, *, profile: Profile, pull_policy: str) -> tuple[Mounted, ...]:
    """All of them, in the order in which they are written."""
    weights = Mounted(
        weights_volume(plan.weights, plan.topology.scratch, pull_policy=pull_policy), weights_mount(plan.weights)
    )
    return (
        weights,
        _shared_memory(plan),
        *_hugepages(plan),
        *_files(owner, plan),
        *_authority(plan, profile),
        *_driver(profile),
    )


def _shared_memory(plan: Plan) -> Mounted:
    limit = byte_quantity(plan.topology.shared_memory)
    return _at("/dev/shm", "shm", {"emptyDir": {"medium": "Memory", "sizeLimit": limit}})  # noqa: S108  the engine's shared memory


def _hugepages(plan: Plan) -> tuple[Mounted, ...]:
    pages = plan.topology.hugepages
    if pages is None:
        return ()
    return (_at(HUGEPAGES_DIR, "hugepages", {"emptyDir": {"medium": f"HugePages-{pages.size}"}}),)


def _files(owner: Owner, plan: Plan) -> tuple[Mounted, ...]:
    if not plan.launch.files:
        return ()
    config = {"name": config_name(owner.name, plan.launch.files), "defaultMode": READ_ONLY_FILE}
    return (_read_only(FILES_DIR, "files", {"configMap": config}),)


def _authority(plan: Plan, profile: Profile) -> tuple[Mounted, ...]:
    """The certificates of the site's private authority, for an engine that downloads."""
    told = profile.downloads
    if not told.ca_config_map or not downloads(plan):
        return ()
    source = {"name": told.ca_config_map, "items": [{"key": told.ca_key, "path": told.ca_key}]}
    return (_read_only(CA_DIR, "authority", {"configMap": {**source, "defaultMode": READ_ONLY_FILE}}),)


def _driver(profile: Profile) -> tuple[Mounted, ...]:
    """The node's driver, at the same path, for nodes whose container runtime does not bring it in."""
    return tuple(
        _read_only(path, f"driver-{index}", {"hostPath": {"path": path}})
        for index, path in enumerate(profile.driver_mounts)
    )


def _at(path: str, name: str, source: dict[str, Any]) -> Mounted:
    return Mounted({"name": name, **source}, {"name": name, "mountPath": path})


def _read_only(path: str, name: str, source: dict[str, Any]) -> Mounted:
    return Mounted({"name": name, **source}, {"name": name, "mountPath": path, "readOnly": True})
