"""What the platform team sets for all services: the one configuration file (`NPUSERVE_CONFIG`, the chart's `config:`,
`plan --config FILE`)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from npuserve import chips


class Section(BaseModel):
    """One object of the file: camelCase there, unknown keys refused. The string under each field is its documentation
    in the chart's values and reference."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ImageOverride(Section):
    """One image in place of the published one; empty conditions match everything."""

    engine: str
    """Name of the engine, for example `vllm-ascend`."""
    version: str = ""
    """One version of it."""
    product: str = ""
    """A product id or the beginning of one."""
    chip: str = ""
    """A chip that the product is sold with, such as 910B3, or a family that images are built for, such as A2."""
    os: Literal["", "ubuntu", "openeuler"] = ""
    """Variant of the published image that it stands for; empty stands for all."""
    image: str
    """The image, with its registry and tag."""

    @field_validator("chip")
    @classmethod
    def _known(cls, chip: str) -> str:
        families = dict.fromkeys(row.generation for row in chips.PRODUCTS)
        if chip and not chips.with_chip(chip) and chip.upper() not in families:
            raise ValueError(
                f"no chip is called {chip!r}; name one of the product table, or a family: {', '.join(families)}"
            )
        return chip


class Images(Section):
    """Where engine images come from."""

    os: Literal["ubuntu", "openeuler"] = "ubuntu"
    """Which of the published variants of engine images is taken."""
    registry: str = ""
    """A registry that mirrors all published images: it stands for theirs, and the rest of the name stays."""
    mirrors: dict[str, str] = Field(default_factory=dict)
    """Registry (or any prefix of an image) to its mirror: {quay.io: mirror.example/quay}. Goes before `registry`."""
    overrides: tuple[ImageOverride, ...] = ()
    """Images in place of the published ones; the first that matches counts."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the kubelets pull engine images."""


class AllowedToleration(Section):
    """A toleration that tenants may use; an empty value allows any value of the key."""

    key: str
    """Key of the taint."""
    value: str = ""
    """Value of the taint; empty allows any."""


class Allow(Section):
    """What tenants may use of the cluster beyond their own fields; nothing by default."""

    tolerations: tuple[AllowedToleration, ...] = ()
    """Tolerations that `spec.template.tolerations` may name."""
    priority_class_names: tuple[str, ...] = ()
    """Priority classes that `spec.template.priorityClassName` may name."""
    node_affinity_keys: tuple[str, ...] = ()
    """Node labels that a node affinity may name."""
    trust_remote_code: bool = False
    """Whether services may run code that comes with a model."""


class HardwareRow(Section):
    """Nodes of one product, for clusters whose nodes the operator may not read."""

    product: str
    """Product id, for example `Atlas 800I A2 64G`."""
    nodes: int = Field(default=1, ge=1)
    """How many such nodes there are."""
    devices: int = Field(default=8, ge=1)
    """Devices per node, as one unit of the resource counts them."""
    resource_name: str = ""
    """Extended resource of the devices; empty takes the one that the flavour gives the product."""
    arch: Literal["arm64", "amd64"] = "arm64"
    """Processor architecture of the nodes."""


class Downloads(Section):
    """How engines that download weights reach the hub. Engines that read weights from a volume or an image are not told."""

    https_proxy: str = Field(default="", max_length=512, pattern="^(https?://.+)?$")
    """Proxy for connections to the hub; connections inside the cluster are not encrypted by TLS and never take it."""
    no_proxy: str = Field(default="localhost,127.0.0.1,.svc,.cluster.local", max_length=4096)
    """Hosts that are reached directly, such as a mirror of the hub inside the site."""
    ca_config_map: str = Field(default="", max_length=253)
    """ConfigMap in each of the services' namespaces with the certificates of a private authority; empty leaves the
    image's own."""
    ca_key: str = Field(default="ca-bundle.crt", min_length=1, max_length=253, pattern="^[-._a-zA-Z0-9]+$")
    """Its key, with all certificates to trust in PEM."""


class Profile(Section):
    """What the pods of some namespaces get from the node.

    The first profile whose `namespaces` match applies; tenants choose none.
    """

    name: str
    """Name of the profile, for people."""
    namespaces: tuple[str, ...] = ("*",)
    """Names or shell patterns."""
    runtime_class_name: str = ""
    """RuntimeClass of engine pods, for example `ascend`; empty leaves the nodes' default runtime."""
    driver_mounts: tuple[str, ...] = ()
    """Host paths mounted read-only at the same path, for nodes without the Ascend runtime."""
    host_path_roots: tuple[str, ...] = ()
    """Directories of the node under which host:// weights are allowed."""
    run_as_user: int | None = None
    """User of engine containers, 1000 for images that have it in /etc/passwd; absent leaves the image's own."""
    run_as_group: int | None = None
    """Group of engine containers and of the volumes they write."""
    hugetlb_group: int | None = Field(default=None, ge=0)
    """Group that the nodes' vm.hugetlb_shm_group lets use huge pages as shared memory; replicas with huge pages join it.
    """
    hardware: tuple[HardwareRow, ...] = ()
    """Nodes that are declared, where the operator may not read nodes."""
    topology_policy: Literal["", "none", "best-effort", "restricted", "single-numa-node"] = ""
    """The kubelets' Topology Manager policy; it cannot be read from the cluster."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that engine pods of these namespaces are kept to."""
    downloads: Downloads = Downloads()
    """Proxy and private authority of engines that download weights."""

    def covers(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)


class Scaling(Section):
    """How the operator scales services that ask for it in `spec.autoscaling`."""

    starts_at_once: int | None = Field(default=None, ge=1, le=1000)
    """Replicas of one service that may start at the same time, where all read their weights from one store; absent: any
    number."""
    place_seconds: int = Field(default=120, ge=5, le=86_400)
    """How long new replicas may wait for a node or for the quota before they are taken back, so that they block nobody; the
    wish stays, and they are asked for again when there is room."""


class Activator(Section):
    """What holds requests while a service starts from zero replicas. The chart writes this part from its own `activator`
    values, which run it as well."""

    enabled: bool = False
    """Whether it runs, so that services may have `minReplicas: 0`."""
    service: str = Field(default="npuserve-activator", min_length=1, max_length=63)
    """Name of the headless Service of its pods, in the operator's namespace."""
    first_port: int = Field(default=20000, ge=10_000, le=32_767)
    """First of the ports on which it listens, one per service that may have no replica. Above 32767 systems take the ports of
    outgoing connections."""
    last_port: int = Field(default=29999, ge=10_000, le=32_767)
    """Last of them."""
    held_requests: int = Field(default=1000, ge=1, le=100_000)
    """Requests of one service that wait in one replica of it at most; further ones are answered 429."""
    hold_seconds: int = Field(default=600, ge=1, le=86_400)
    """How long a request waits at most; a service whose replica has less time to start holds it for that only."""

    @model_validator(mode="after")
    def _ports_are_a_range(self) -> Activator:
        if self.first_port > self.last_port:
            raise ValueError(f"firstPort {self.first_port} is above lastPort {self.last_port}; set that or less")
        return self


class Configuration(Section):
    """The whole file; every key has a default, so that an empty file is a valid one."""

    flavour: Literal[
        "auto", "mindcluster-native", "mindcluster-volcano", "mindcluster-volcano-before-7.3", "hami", "huawei-cce"
    ] = "auto"
    """Who hands out NPUs. Nodes tell HAMi, Huawei Cloud CCE and MindCluster apart; that Volcano schedules does not show on
    nodes, so one of the two `mindcluster-volcano` is named here."""
    resource_names: dict[str, str] = Field(default_factory=dict)
    """Resources that MindCluster's device plugin was told to rename (deviceNameCustomization.json), each with its published
    name: {example.com/npu: huawei.com/Ascend910}."""
    scheduler_name: str = ""
    """Scheduler of engine pods; empty takes the flavour's."""
    engine_preference: tuple[str, ...] = ()
    """Engines in the order `backend: auto` tries them; empty keeps the shipped order."""
    images: Images = Images()
    """Where engine images come from."""
    allow: Allow = Allow()
    """What tenants may use of the cluster; nothing by default."""
    profiles: tuple[Profile, ...] = (Profile(name="default"),)
    """What engine pods get from the node, by namespace; the first profile that covers a namespace applies to it."""
    scaling: Scaling = Scaling()
    """How services are autoscaled."""
    read_bytes_per_second: int = Field(default=300_000_000, ge=1_000_000)
    """Assumed reading speed of weights, for start-up limits."""
    download_bytes_per_second: int = Field(default=100_000_000, ge=1_000_000)
    """Assumed download speed of weights, for start-up limits."""
    drain_seconds: int = Field(default=120, ge=0, le=3600)
    """How long a replica that is replaced may finish requests."""
    shutdown_seconds: int = Field(default=30, ge=0, le=3600)
    """How long an engine may take to end after that."""
    activator: Annotated[Activator, SkipJsonSchema()] = Activator()
    """What holds requests while a service starts from zero; in the chart a section of its own."""

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
