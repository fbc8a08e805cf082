"""How the number of replicas follows the load, and what the operator says about it.

Rule: the load decides between `minReplicas` and `maxReplicas`; `goal` is the share of requests that shall meet the
objectives, and the one knob. Live numbers are metrics: the status changes with the decision, not with each sample.
"""

from typing import Annotated, Literal

from pydantic import Field

from npuserve.api.shape import Shape
from npuserve.api.values import Count, Message, list_map, no_two_share

_CRON = r"^\S+ \S+ \S+ \S+ \S+$"


class AutoscalingObjectives(Shape):
    """What a request may expect. It meets the objectives when its first token comes in time and its stream never falls
    behind after that."""

    ttft_milliseconds: int | None = Field(default=None, ge=50, le=3_600_000, examples=[2000])
    """Time to the first token, for example 2000. Twice the time that the request's own prompt takes on an idle replica
    is added, so that long prompts are not asked for what no replica can do. Empty: 2000."""

    itl_milliseconds: int | None = Field(default=None, ge=5, le=60_000, examples=[100])
    """Time per token after the first, for example 100: a stream of 200 tokens may take 20 s. Empty: 100."""


class AutoscalingScaleDown(Shape):
    """How carefully replicas are taken away."""

    hold_seconds: int | None = Field(default=None, ge=0, le=86_400, examples=[420])
    """Seconds for which replicas that were needed are kept, for example 420. Empty: 420, or four times the time that an answer
    goes on where that is longer."""

    replicas: int | None = Field(default=None, ge=1, le=1000, examples=[2])
    """Replicas that are taken away at once at most, for example 2. Empty: 2."""

    pause_seconds: int | None = Field(default=None, ge=0, le=86_400, examples=[120])
    """Seconds between two steps down, for example 120. Empty: 120."""

    idle_seconds: int | None = Field(default=None, ge=5, le=604_800, examples=[600])
    """Seconds without a request after which a service with `minReplicas: 0` stops, for example 600. `holdSeconds` is not
    added. Empty: 600."""


class AutoscalingFloor(Shape):
    """A number of replicas that is kept for some hours, whatever the load."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63, examples=["office-hours"])
    """Name of the floor, for example `office-hours`. Required."""

    start: str = Field(pattern=_CRON, max_length=128, examples=["0 8 * * 1-5"])
    """When it begins, in the five fields of cron, for example `0 8 * * 1-5`. Required."""

    end: str = Field(pattern=_CRON, max_length=128, examples=["0 18 * * 1-5"])
    """When it ends, in the five fields of cron, for example `0 18 * * 1-5`. Required."""

    time_zone: str = Field(default="", pattern=r"^([A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*)?$", max_length=64)
    """Time zone of both, for example `Asia/Shanghai`. Empty: UTC."""

    min_replicas: int = Field(ge=1, le=1000, examples=[4])
    """Replicas to keep meanwhile, for example 4. Required."""


class Autoscaling(Shape):
    """How the number of replicas follows the load. `replicas` says where a new service begins."""

    min_replicas: int | None = Field(default=None, ge=0, le=1000, examples=[1])
    """Replicas to keep at least. 0 lets the service stop when nobody asks; it then needs the activator, which holds
    requests while the first replica starts. Empty: 1."""

    max_replicas: int = Field(ge=1, le=1000, examples=[8])
    """Replicas to have at most, for example 8. Required."""

    goal: Literal["economy", "balanced", "strict"] = "balanced"
    """Share of requests that shall meet the objectives: `economy` 98 %, `balanced` 99 %, `strict` 99.5 %. Empty:
    `balanced`."""

    mode: Literal["active", "observe", "external"] = "active"
    """`active` scales; `observe` decides and explains and changes nothing; `external` leaves the number to whoever
    writes the `scale` subresource, such as a HorizontalPodAutoscaler. Empty: `active`."""

    objectives: AutoscalingObjectives = Field(default_factory=AutoscalingObjectives)
    """What a request may expect. Empty: a first token within 2 s, and 100 ms per token."""

    scale_down: AutoscalingScaleDown = Field(default_factory=AutoscalingScaleDown)
    """How carefully replicas are taken away. Empty: as its fields say."""

    schedule: Annotated[
        tuple[AutoscalingFloor, ...],
        Field(strict=False, max_length=32, json_schema_extra=list_map("name")),
        no_two_share("name"),
    ] = ()
    """Numbers of replicas that are kept for some hours, whatever the load. Empty: none."""


class AutoscalingStatus(Shape):
    """The last decision of the autoscaler, written when the decision or what binds it changes."""

    replicas: Count
    """Replicas decided on."""

    wanted: Count
    """Replicas that the load asks for, before limits."""

    constraint: str = Field(pattern=r"^[A-Z][A-Za-z]*$", max_length=64)
    """What decides the number: `Demand`, `MaxReplicas`, `Capacity`, `Holding` and the like."""

    message: Message
    """Why, as a sentence with the demand, the need and the headroom, and what happens next."""

    profile: Literal["measured", "estimate"] | None = None
    """Whether the speed of the engine was measured, or is an estimate from chip and model that is still learning."""
