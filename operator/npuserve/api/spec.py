"""What a user asks for: three fields are enough (model, quantization, backend), and the plan decides the rest.

Rule: no field but `replicas` has a default in the schema, so that a stored service holds what its user wrote and the
plan shows every value it decided. `replicas` has one because GET on the `scale` subresource answers 500 without.
"""

from typing import Annotated

from pydantic import Field

from npuserve.api.autoscaling import Autoscaling
from npuserve.api.hardware import Hardware
from npuserve.api.model import ModelSource
from npuserve.api.serving import Auth, Context, Parallelism
from npuserve.api.shape import Shape
from npuserve.api.template import Template
from npuserve.api.values import FreeObject, NameOrAuto


class InferenceServiceSpec(Shape):
    """The service that is asked for."""

    model: ModelSource
    """The model and where its weights come from. Required."""

    quantization: Annotated[NameOrAuto, Field(examples=["auto", "none", "W8A8"])] = "auto"
    """Quantization of the weights as they are stored: `auto` reads it from the model, `none` means full precision, and
    a name such as `W8A8`, `W4A8`, `W4A16`, `W8A8SC`, `W8A8C8` or `FP8` states it. The plan checks that the engine and
    the chip can run it. Empty: `auto`."""

    backend: Annotated[NameOrAuto, Field(max_length=63, examples=["auto"])] = "auto"
    """Engine that serves the model: `auto` or the name of an engine that the operator knows. With `auto` the plan takes
    the first engine of the configured preference that can run this model, quantization and chip, and says why. Empty:
    `auto`."""

    backend_version: str = Field(
        default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._+-]*)?$", max_length=32, examples=["0.23.0"]
    )
    """Version of the engine, in quotes, for example `"0.23.0"`. Empty: the newest stable version that supports the chip
    when the service is first planned; later versions are reported and never taken unasked."""

    hardware: Hardware = Field(default_factory=Hardware)
    """The NPUs that the service runs on. Empty: decided by the plan from the nodes of the cluster."""

    parallelism: Parallelism = Field(default_factory=Parallelism)
    """How one replica spreads the model over its devices. Empty: decided by the plan."""

    context: Context = Field(default_factory=Context)
    """How long sequences may be, and how many are worked on at once.

    Empty: decided by the plan from the memory of the devices.
    """

    engine_args: FreeObject = Field(default_factory=dict)
    """Launch arguments of the engine, by their own names and without leading dashes, for example
    `enable-prefix-caching: true`. The plan checks each against the table of the chosen engine version; unknown
    arguments and those that the plan owns are refused. Empty: none are added."""

    auth: Auth = Field(default_factory=Auth)
    """Who may send requests. Empty: everyone who reaches the Service."""

    replicas: int = Field(default=1, ge=0, le=1000)
    """Replicas to run; each has all devices of the plan. 0 stops the service and keeps its address. Empty: 1."""

    autoscaling: Autoscaling | None = None
    """How the number of replicas follows the load; its engines' own metrics are enough for that. Empty: `replicas` is
    the number."""

    template: Template = Field(default_factory=Template)
    """Labels, annotations, resources and environment that the pods get besides what the plan gives them. Empty: nothing
    is added."""
