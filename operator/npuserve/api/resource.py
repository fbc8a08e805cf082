"""The custom resource itself: its names in the API, its printer columns and its Python type."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from npuserve.api.shape import Shape
from npuserve.api.spec import InferenceServiceSpec
from npuserve.api.values import ObjectName

GROUP = "npuserve.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "InferenceService"
PLURAL = "inferenceservices"
SINGULAR = "inferenceservice"
SHORT_NAMES = ("npusvc",)
CATEGORIES = ("npuserve",)

_READY = '.status.conditions[?(@.type=="Ready")]'

PRINTER_COLUMNS: tuple[dict[str, Any], ...] = (
    {
        "name": "Ready",
        "type": "string",
        "jsonPath": f"{_READY}.status",
        "description": "Whether the current plan is rolled out and serves.",
    },
    {
        "name": "Backend",
        "type": "string",
        "jsonPath": ".status.plan.backend",
        "description": "Engine that the plan chose.",
    },
    {
        "name": "NPUs",
        "type": "integer",
        "jsonPath": ".status.plan.devices",
        "description": "NPU devices of one replica.",
    },
    {
        "name": "Replicas",
        "type": "integer",
        "jsonPath": ".status.replicas",
        "description": "Replicas that exist.",
    },
    {
        "name": "Model",
        "type": "string",
        "jsonPath": ".spec.model.uri",
        "description": "Where the weights come from.",
    },
    {
        "name": "Age",
        "type": "date",
        "jsonPath": ".metadata.creationTimestamp",
        "description": "Time since the service was created.",
    },
    {
        "name": "Reason",
        "type": "string",
        "jsonPath": f"{_READY}.reason",
        "description": "Why the service is Ready or not.",
        "priority": 1,
    },
    {
        "name": "Scaling",
        "type": "string",
        "jsonPath": ".status.autoscaling.constraint",
        "description": "What decides the number of replicas.",
        "priority": 1,
    },
)


class Metadata(Shape):
    """The part of an object's metadata that the operator reads."""

    # Metadata belongs to Kubernetes: fields that are not read here are none of our business.
    model_config = ConfigDict(extra="ignore")

    name: ObjectName
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)] = "default"
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    # YAML readers turn an unquoted timestamp into a datetime.
    deletion_timestamp: Annotated[str, BeforeValidator(str)] | None = None


class InferenceService(Shape):
    """A model served on Ascend NPUs: name the model, its quantization and a backend, and the operator plans devices,
    parallel sizes, memory and launch arguments, runs them and says why."""

    api_version: Literal["npuserve.io/v1alpha1"]
    """Version of this resource: `npuserve.io/v1alpha1`."""

    kind: Literal["InferenceService"]
    """Kind of this resource: `InferenceService`."""

    metadata: Metadata

    spec: InferenceServiceSpec
    """The service that is asked for."""

    # As it was read: what another version of the operator wrote there refuses nothing.
    status: dict[str, Any] = Field(default_factory=dict)
