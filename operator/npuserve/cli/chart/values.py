"""What users of the Helm chart can set: the one source of values.yaml, values.schema.json and the chart's README.

Rule: the string under each field is what all three say about it, and every value has a default with which the chart
installs. `config` is the operator's own configuration file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from npuserve.configuration import Activator, Configuration, Section
from npuserve.settings import Settings

_PROCESS = Settings()


class Image(Section):
    """The operator's image."""

    registry: str = Field(default="docker.io", max_length=253)
    """Registry, or its mirror."""
    repository: str = Field(default="npuserve/npuserve", min_length=1, max_length=253)
    """Path in the registry."""
    tag: str = Field(default="", max_length=128)
    """Tag; empty takes the chart's appVersion."""
    digest: str = Field(default="", pattern="^(sha256:[a-f0-9]{64})?$")
    """Digest, which counts more than the tag."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the kubelet pulls it."""


class Requests(Section):
    """What a replica of the operator asks for."""

    cpu: str | int | float = "100m"
    """Processor time; a thousand services that come at once use one core for some seconds."""
    memory: str = "128Mi"
    """Memory."""
    ephemeral_storage: str = Field(default="16Mi", alias="ephemeral-storage")
    """Disk for the log and /tmp."""


class Limits(Section):
    """What a replica of the operator may use at most."""

    cpu: str | int | float = "2"
    """Processor time."""
    memory: str = "512Mi"
    """Memory; a thousand services take some 100 MiB."""
    ephemeral_storage: str = Field(default="128Mi", alias="ephemeral-storage")
    """Disk for the log and /tmp."""


class Resources(Section):
    """Resources of the operator."""

    requests: Requests = Requests()
    """What each replica asks for."""
    limits: Limits = Limits()
    """What each replica may use at most."""


class ActivatorRequests(Section):
    """What a replica of the activator asks for."""

    cpu: str | int | float = "50m"
    """Processor time."""
    memory: str = "128Mi"
    """Memory."""
    ephemeral_storage: str = Field(default="16Mi", alias="ephemeral-storage")
    """Disk for the log and /tmp."""


class ActivatorLimits(Section):
    """What a replica of the activator may use at most."""

    cpu: str | int | float = "2"
    """Processor time."""
    memory: str = "1Gi"
    """Memory; bodies that wait take `heldMebibytes` of it, and a thousand streams that wait some 20 MiB besides."""
    ephemeral_storage: str = Field(default="64Mi", alias="ephemeral-storage")
    """Disk for the log and /tmp."""


class ActivatorResources(Section):
    """Resources of the activator."""

    requests: ActivatorRequests = ActivatorRequests()
    """What each replica asks for."""
    limits: ActivatorLimits = ActivatorLimits()
    """What each replica may use at most."""


class ActivatorProcess(Activator):
    """What holds requests while a service starts from zero replicas, and how it runs."""

    service: Annotated[str, SkipJsonSchema()] = ""
    replicas: int = Field(default=2, ge=1, le=10)
    """Replicas of it."""
    body_mebibytes: int = Field(default=32, ge=1, le=1024)
    """Longest body of a request."""
    held_mebibytes: int = Field(default=256, ge=1, le=65_536)
    """Memory for the bodies that wait in one replica, half of it for one service; requests beyond it are answered 429."""
    comment_seconds: int = Field(default=10, ge=1, le=300)
    """Time between two comments on a stream that waits, which keep proxies and clients from ending it."""
    resources: ActivatorResources = ActivatorResources()
    """Resources of each replica."""


class Log(Section):
    """What the operator writes to its log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe lines that are written."""
    format: Literal["json", "text"] = "json"
    """One JSON object per line, or text."""


class Definitions(Section):
    """The CustomResourceDefinition."""

    enabled: bool = True
    """Whether the chart installs and upgrades it. Of several releases in a cluster one does."""
    keep: bool = True
    """Whether it stays when the release is uninstalled. Without it every InferenceService goes, and what each one runs."""


class Access(Section):
    """Roles and bindings."""

    create: bool = True
    """Whether the operator's own roles and bindings are created."""
    aggregate: bool = True
    """Whether the cluster's roles admin, edit and view get the matching rights on InferenceServices; none of them may
    write a status."""


class Account(Section):
    """The operator's ServiceAccount."""

    create: bool = True
    """Whether it is created."""
    name: str = Field(default="", max_length=253)
    """Its name; empty takes the release's."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Its annotations."""


class Network(Section):
    """The NetworkPolicy of the operator's pods: in come scrapes, out go DNS and the API server."""

    enabled: bool = True
    """Whether it is created."""
    api_server_ports: tuple[int, ...] = (443, 5443, 6443)
    """Ports on which API servers listen, as seen from pods."""
    api_server_cidrs: tuple[str, ...] = ()
    """Address ranges of the API server; empty allows any address on those ports."""
    metrics_from: tuple[dict[str, Any], ...] = ()
    """Peers of a NetworkPolicy that may read /metrics, for example a namespaceSelector; empty allows any."""


class Budget(Section):
    """The PodDisruptionBudget of the operator."""

    enabled: bool = True
    """Whether it is created; it needs two replicas."""


class Proxy(Section):
    """Proxies for connections of the operator's process that leave the cluster. It reaches the API server directly; engines that
    download weights are told by `config.profiles[].downloads`."""

    http: str = Field(default="", pattern="^(https?://.+)?$")
    """HTTP_PROXY."""
    https: str = Field(default="", pattern="^(https?://.+)?$")
    """HTTPS_PROXY."""
    no_proxy: str = "localhost,127.0.0.1,.svc,.cluster.local,kubernetes.default"
    """NO_PROXY; add the API server's address. Set where one of the two others is."""


class Authority(Section):
    """Certificates of a private authority, for connections of the operator's process that leave the cluster; engines that
    download weights are told by `config.profiles[].downloads`."""

    config_map: str = Field(default="", max_length=253)
    """Name of a ConfigMap in the release's namespace that holds them; empty leaves the image's own."""
    key: str = Field(default="ca-bundle.crt", min_length=1, max_length=253)
    """Its key, with certificates in PEM."""


class Values(Section):
    """Everything that can be set."""

    replicas: int = Field(default=2, ge=0, le=5)
    """Replicas of the operator. One works, the others wait and take over within the lease's time."""
    leader_election: bool = True
    """Whether replicas agree on the one that works. Without it there is one replica at most, and none during an upgrade."""
    watch_namespace: str = Field(default="", max_length=63, pattern="^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")
    """The one namespace that the operator serves, with rights there and nowhere else: it reads no nodes, so
    `config.profiles[].hardware` declares them. Empty serves all namespaces."""
    workers: int = Field(default=_PROCESS.workers, ge=1, le=256)
    """Services in work at once."""
    log: Log = Log()
    """What the operator writes to its log."""
    config: Configuration = Configuration()
    """The operator's configuration file, which holds for all services. A change restarts the operator; replicas restart where
    their profile gives pods something else."""
    activator: ActivatorProcess = ActivatorProcess()
    """The activator, which holds requests while a service starts from zero replicas. With it, services may have
    `minReplicas: 0`."""
    image: Image = Image()
    """The operator's image."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names of pull Secrets in the release's namespace."""
    resources: Resources = Resources()
    """Resources of each replica."""
    crds: Definitions = Definitions()
    """The CustomResourceDefinition."""
    rbac: Access = Access()
    """Roles and bindings."""
    service_account: Account = Account()
    """The operator's ServiceAccount."""
    network_policy: Network = Network()
    """The operator's NetworkPolicy."""
    pod_disruption_budget: Budget = Budget()
    """The operator's PodDisruptionBudget."""
    anti_affinity: Literal["preferred", "required", "none"] = "preferred"
    """Whether replicas are kept on different nodes."""
    priority_class_name: str = Field(default="", max_length=253)
    """PriorityClass of the operator's pods."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that the operator may run on."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Tolerations of the operator's pods."""
    run_as_user: int = Field(default=65532, ge=0)
    """User of the operator's process. 0 leaves it to the platform, as OpenShift wants it; root is refused either way."""
    pod_labels: dict[str, str] = Field(default_factory=dict)
    """Further labels of the operator's pods."""
    pod_annotations: dict[str, str] = Field(default_factory=dict)
    """Further annotations of the operator's pods."""
    proxy: Proxy = Proxy()
    """Proxies of the operator's process; those of engines are in `config.profiles[].downloads`."""
    ca_bundle: Authority = Authority()
    """Certificates of a private authority for the operator's process."""
    fullname_override: str = Field(default="", max_length=40)
    """Name of the objects; empty takes the release's name, with the chart's where it lacks it."""
