"""What the platform team sets for all services: the one configuration file (`NPUSERVE_CONFIG`, the chart's `config:`,
`plan --config FILE`)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from npuserve import chips


class _Section(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ImageOverride(_Section):
    """One image in place of the published one; empty conditions match everything."""

    engine: str
    version: str = ""
    product: str = ""
    """A product id or the beginning of one."""
    chip: str = ""
    """A chip that the product is sold with, such as 910B3, or a family that images are built for, such as A2."""
    os: Literal["", "ubuntu", "openeuler"] = ""
    """Variant of the published image that it stands for; empty stands for all."""
    image: str

    @field_validator("chip")
    @classmethod
    def _known(cls, chip: str) -> str:
        families = dict.fromkeys(row.generation for row in chips.PRODUCTS)
        if chip and not chips.with_chip(chip) and chip.upper() not in families:
            raise ValueError(
                f"no chip is called {chip!r}; name one of the product table, or a family: {', '.join(families)}"
            )
        return chip


class Images(_Section):
    """Where engine images come from."""

    os: Literal["ubuntu", "openeuler"] = "ubuntu"
    registry: str = ""
    """A registry that mirrors all published images: it stands for theirs, and the rest of the name stays."""
    mirrors: dict[str, str] = Field(default_factory=dict)
    """Registry (or any prefix of an image) to its mirror: {quay.io: mirror.example/quay}. Goes before `registry`."""
    overrides: tuple[ImageOverride, ...] = ()
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"


class AllowedToleration(_Section):
    """A toleration that tenants may use; an empty value allows any value of the key."""

    key: str
    value: str = ""


class Allow(_Section):
    """What tenants may use of the cluster beyond their own fields; nothing by default."""

    tolerations: tuple[AllowedToleration, ...] = ()
    priority_class_names: tuple[str, ...] = ()
    node_affinity_keys: tuple[str, ...] = ()
    trust_remote_code: bool = False


class HardwareRow(_Section):
    """Nodes of one product, for clusters whose nodes the operator may not read."""

    product: str
    nodes: int = Field(default=1, ge=1)
    devices: int = Field(default=8, ge=1)
    resource_name: str = ""
    arch: Literal["arm64", "amd64"] = "arm64"


class Profile(_Section):
    """What the pods of some namespaces get from the node.

    The first profile whose `namespaces` match applies; tenants choose none.
    """

    name: str
    namespaces: tuple[str, ...] = ("*",)
    """Names or shell patterns."""
    runtime_class_name: str = ""
    driver_mounts: tuple[str, ...] = ()
    """Host paths mounted read-only at the same path, for nodes without the Ascend runtime."""
    host_path_roots: tuple[str, ...] = ()
    """Directories of the node under which host:// weights are allowed."""
    run_as_user: int | None = None
    run_as_group: int | None = None
    hugetlb_group: int | None = Field(default=None, ge=0)
    """Group that the nodes' vm.hugetlb_shm_group lets use huge pages as shared memory; replicas with huge pages join it.
    """
    hardware: tuple[HardwareRow, ...] = ()
    topology_policy: Literal["", "none", "best-effort", "restricted", "single-numa-node"] = ""
    """The kubelets' Topology Manager policy; it cannot be read from the cluster."""
    node_selector: dict[str, str] = Field(default_factory=dict)

    def covers(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)


class Configuration(_Section):
    """The whole file; every key has a default, so that an empty file is a valid one."""

    flavour: Literal[
        "auto", "mindcluster-native", "mindcluster-volcano", "mindcluster-volcano-before-7.3", "hami", "huawei-cce"
    ] = "auto"
    resource_names: dict[str, str] = Field(default_factory=dict)
    """Resources that MindCluster's device plugin was told to rename (deviceNameCustomization.json), each with its published
    name: {example.com/npu: huawei.com/Ascend910}."""
    scheduler_name: str = ""
    engine_preference: tuple[str, ...] = ()
    """Engines in the order `backend: auto` tries them; empty keeps the shipped order."""
    images: Images = Images()
    allow: Allow = Allow()
    profiles: tuple[Profile, ...] = (Profile(name="default"),)
    read_bytes_per_second: int = Field(default=300_000_000, ge=1_000_000)
    """Assumed reading speed of weights, for start-up limits."""
    download_bytes_per_second: int = Field(default=100_000_000, ge=1_000_000)
    """Assumed download speed of weights, for start-up limits."""
    drain_seconds: int = Field(default=120, ge=0, le=3600)
    shutdown_seconds: int = Field(default=30, ge=0, le=3600)

    @field_validator("resource_names")
    @classmethod
    def _published(cls, names: dict[str, str]) -> dict[str, str]:
        published = dict.fromkeys(row.resource for row in chips.PRODUCTS)
        for own, name in names.items():
            if name not in published:
                raise ValueError(f"{own}: {name!r} is no published name; names: {', '.join(published)}")
        return names

    def profile(self, namespace: str) -> Profile:
        """The first profile that covers the namespace; an empty one when none does."""
        return next((profile for profile in self.profiles if profile.covers(namespace)), Profile(name="none"))
