"""The vocabulary of the status: every condition type and every reason, each with what it means and what to do about it.

Rule: a condition's reason is a member of `Reason`, and nothing else. `Ready` is always present; `Reconciling` and
`Stalled` are present only while they are true (kstatus), so that Argo CD, Flux, Helm and `kubectl wait` understand
them.
"""

from enum import StrEnum
from typing import Self


class ConditionType(StrEnum):
    """What a condition states."""

    meaning: str

    def __new__(cls, name: str, meaning: str = "") -> Self:
        """Make the member whose value is `name`."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.meaning = meaning
        return member

    READY = (
        "Ready",
        "The plan of the current generation is rolled out, and at least the smallest number of replicas answers.",
    )
    RECONCILING = "Reconciling", "The operator is still bringing the cluster to the plan. Present only while true."
    STALLED = "Stalled", "The operator cannot go on until someone changes something. Present only while true."
    ACCEPTED = "Accepted", "The spec of the current generation could be turned into a plan."
    MODEL_READY = "ModelReady", "The weights are where the replicas read them."
    AVAILABLE = "Available", "At least one replica answers, whichever generation it was started from."
    SCALING = (
        "Scaling",
        "The number of replicas is what `spec.autoscaling` asks for; False says what keeps it from that. Present where autoscaling or another scaler is.",
    )
    DEGRADED = "Degraded", "Some replicas do not work while others serve."
    ADVISORY = (
        "Advisory",
        "Something is worth knowing before relying on the service; it serves all the same, and no other condition reads it. Present only while true.",
    )


class Reason(StrEnum):
    """Why a condition is as it is. `fix` is empty where nothing needs to be done."""

    meaning: str
    fix: str

    def __new__(cls, name: str, meaning: str = "", fix: str = "") -> Self:
        """Make the member whose value is `name`."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.meaning = meaning
        member.fix = fix
        return member

    # Nothing to do
    READY = "Ready", "The plan is rolled out and serves."
    SCALED_TO_ZERO = "ScaledToZero", "No replica is asked for, and none runs."
    PLANNED = "Planned", "The spec was turned into the plan in `status.plan`."
    PROGRESSING = "Progressing", "The operator has work in hand for this service."
    ROLLING_OUT = "RollingOut", "Replicas of the current plan replace those of an earlier one."
    WAITING_FOR_PODS = (
        "WaitingForPods",
        "Pods exist and are starting: images are pulled, weights are read, graphs are compiled.",
    )
    FOLLOWS_LOAD = "FollowsLoad", "The number of replicas follows the load, within the limits of `spec.autoscaling`."
    OBSERVING = (
        "Observing",
        "The autoscaler decides and explains and changes nothing, as `spec.autoscaling.mode` says.",
    )
    EXTERNALLY_SCALED = "ExternallyScaled", "Whoever writes the `scale` subresource decides the number of replicas."
    SCALING_UP = "ScalingUp", "The load asks for more replicas, and they are started."
    SCALING_DOWN = "ScalingDown", "The load asks for fewer replicas, and some are drained and removed."
    REPLICAS_AVAILABLE = "ReplicasAvailable", "Replicas answer requests."
    ALL_REPLICAS_WORK = "AllReplicasWork", "No replica is failing."
    MODEL_MOUNTED = "ModelMounted", "The weights are mounted from a volume or an image."
    MODEL_FETCHED_AT_START = "ModelFetchedAtStart", "The engine downloads the weights when a replica starts."

    # Worth knowing
    BACKEND_MAINTENANCE_ONLY = (
        "BackendMaintenanceOnly",
        "The vendor of the engine maintains it and adds nothing new.",
        "What runs may stay; set `spec.backend` to `auto` or to another engine when the service next changes.",
    )
    BACKEND_EXPERIMENTAL = (
        "BackendExperimental",
        "The engine supports the product experimentally.",
        "Try the service under its own load before others rely on it, or name another product in `spec.hardware.product`.",
    )
    BACKEND_PRERELEASE = (
        "BackendPrerelease",
        "The version of the engine is a pre-release.",
        "Leave `spec.backendVersion` empty, or set it to a stable version, before others rely on the service.",
    )

    # The number of replicas is not what the load asks for
    METRICS_MISSING = (
        "MetricsMissing",
        "Metrics of replicas cannot be read, so their number stands still.",
        "Let the operator's pod reach the replicas' pods; `npuserve_scrape_failures_total` says what goes wrong.",
    )
    FOREIGN_SCALER = (
        "ForeignScaler",
        "Another autoscaler writes the number of replicas of the service or of its Deployment.",
        "Set `spec.autoscaling.mode` to `external` and let that one scale the InferenceService, or remove it.",
    )
    CAPACITY_LIMITED = (
        "CapacityLimited",
        "The load asks for more replicas than the cluster or a quota has room for.",
        "Free what the message names, add nodes or raise the quota; the replicas follow by themselves.",
    )

    # The spec cannot be planned
    INVALID_SPEC = (
        "InvalidSpec",
        "A field has a value that the resource does not allow.",
        "Correct the field that the message names.",
    )
    MODEL_UNKNOWN = (
        "ModelUnknown",
        "Nothing is known about the model: it is not in the catalogue, and no ConfigMap describes it.",
        "Put the model's config.json into a ConfigMap and name it in `spec.model.configMapRef`.",
    )
    MODEL_TOO_LARGE = (
        "ModelTooLarge",
        "The weights and the smallest key-value cache exceed the memory of the devices.",
        "Raise `spec.hardware.devices`, choose a product with more memory, or serve quantized weights.",
    )
    CONTEXT_TOO_LONG = (
        "ContextTooLong",
        "The sequence length exceeds what the model or the key-value cache can hold.",
        "Lower `spec.context.maxModelLen` or raise `spec.hardware.devices`.",
    )
    UNSUPPORTED_MODEL = (
        "UnsupportedModel",
        "The engine cannot run this model's architecture.",
        "Choose another engine in `spec.backend` or a newer one in `spec.backendVersion`.",
    )
    UNSUPPORTED_QUANTIZATION = (
        "UnsupportedQuantization",
        "The engine or the chip cannot run this quantization.",
        "Choose weights with a quantization that the message lists.",
    )
    QUANTIZATION_MISMATCH = (
        "QuantizationMismatch",
        "The weights are known to be quantized in another way than the spec says.",
        "Set `spec.quantization` to `auto`, or name the weights that the message lists.",
    )
    UNSUPPORTED_DTYPE = (
        "UnsupportedDtype",
        "The chip cannot compute in the type that the model or the arguments ask for.",
        "Use the type that the message names.",
    )
    ILLEGAL_PARALLELISM = (
        "IllegalParallelism",
        "The parallel sizes do not fit the model, the devices or one another.",
        "Use sizes that the message lists, or leave `spec.parallelism` empty.",
    )
    ILLEGAL_DEVICE_COUNT = (
        "IllegalDeviceCount",
        "The product cannot give this number of devices to one pod.",
        "Use a number that the message lists, or leave `spec.hardware.devices` empty.",
    )
    UNKNOWN_HARDWARE = (
        "UnknownHardware",
        "No product or chip of this name is in the operator's table.",
        "Use a name that the message lists, or leave `spec.hardware` empty.",
    )
    NO_MATCHING_NODES = (
        "NoMatchingNodes",
        "No node of the cluster offers the NPUs that are asked for.",
        "Loosen `spec.hardware`, or add such a node.",
    )
    UNKNOWN_BACKEND = (
        "UnknownBackend",
        "The operator knows no engine of this name.",
        "Use an engine that the message lists, or `auto`.",
    )
    UNKNOWN_BACKEND_VERSION = (
        "UnknownBackendVersion",
        "The operator has no table for this version of the engine.",
        "Use a version that the message lists, or leave `spec.backendVersion` empty.",
    )
    UNSUPPORTED_BACKEND = (
        "UnsupportedBackend",
        "No engine, or not the one that was named, can run this model, quantization and chip together.",
        "Change the field that the message names for each engine.",
    )
    UNKNOWN_ARGUMENT = (
        "UnknownArgument",
        "This version of the engine has no such launch argument.",
        "Correct or remove the argument in `spec.engineArgs`.",
    )
    RESERVED_ARGUMENT = (
        "ReservedArgument",
        "The launch argument belongs to the plan or would reach beyond the service.",
        "Remove it from `spec.engineArgs` and set the field that the message names, if there is one.",
    )
    INVALID_ARGUMENT = (
        "InvalidArgument",
        "The launch argument has a value that this version of the engine does not take.",
        "Use a value that the message lists.",
    )
    UNSUPPORTED_SOURCE = (
        "UnsupportedSource",
        "The engine cannot read weights from this kind of source.",
        "Put the weights on a volume and use `pvc://CLAIM/PATH` in `spec.model.uri`.",
    )
    UNSUPPORTED_AUTH = (
        "UnsupportedAuth",
        "The engine cannot check an API key.",
        "Empty `spec.auth`, or choose an engine that can.",
    )
    UNSUPPORTED_TOPOLOGY = (
        "UnsupportedTopology",
        "The cluster cannot give the NUMA, processor or huge-page placement that is required.",
        "Loosen `spec.hardware.topology` as the message says.",
    )
    FORBIDDEN_TEMPLATE = (
        "ForbiddenTemplate",
        "The template sets something that the operator's configuration does not open to tenants.",
        "Remove the field that the message names, or ask the platform team to allow it.",
    )
    CONFIG_MAP_MISSING = (
        "ConfigMapMissing",
        "The ConfigMap in `spec.model.configMapRef` does not exist or lacks the key `config.json`.",
        "Create it in the namespace of the service.",
    )

    # The plan cannot be carried out
    NAME_CONFLICT = (
        "NameConflict",
        "An object with the name of a child exists and belongs to someone else.",
        "Rename the service, or remove that object.",
    )
    WRITE_REFUSED = (
        "WriteRefused",
        "The API server or an admission policy refused an object of the plan.",
        "Change what the message quotes, or ask the owner of the policy.",
    )
    UNSCHEDULABLE = (
        "Unschedulable",
        "The scheduler finds no node for a pod.",
        "Free the resources that the message names, or ask for fewer.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "The namespace's quota does not allow another pod.",
        "Raise the quota or lower `spec.replicas`.",
    )
    REPLICA_FAILURE = (
        "ReplicaFailure",
        "The cluster refused to create a pod.",
        "Resolve what the message quotes from the cluster.",
    )
    IMAGE_PULL_FAILING = (
        "ImagePullFailing",
        "A node cannot pull the engine's image.",
        "Check the image's name, the registry's reach and `spec.template.imagePullSecrets`.",
    )
    POD_CONFIG_FAILING = (
        "PodConfigFailing",
        "A container cannot be created, because a Secret, a ConfigMap or a volume that it needs is missing.",
        "Create what the message names in the namespace of the service.",
    )
    TOPOLOGY_REFUSED = (
        "TopologyRefused",
        "A node's Topology Manager refused a pod.",
        "Set `spec.hardware.topology.numa` to `preferred` or `none`, or ask for fewer devices.",
    )
    ACTIVATOR_MISSING = (
        "ActivatorMissing",
        "The service has no replica, and the activator, which would hold requests, is not there.",
        "Look at the activator's Deployment, or set `spec.autoscaling.minReplicas` to 1.",
    )
    CRASH_LOOPING = (
        "CrashLooping",
        "The engine starts and ends over and over.",
        "Read the last lines of its log, which the message quotes in part.",
    )
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded",
        "A rollout took longer than the weights' load time explains.",
        "Look at the pods' events; the earlier replicas keep serving.",
    )
    NO_REPLICA_AVAILABLE = "NoReplicaAvailable", "No replica answers requests.", "Follow the reason of `Ready`."
    SOME_REPLICAS_FAILING = (
        "SomeReplicasFailing",
        "Some replicas do not answer while others do.",
        "Follow the message, which names the pods.",
    )
