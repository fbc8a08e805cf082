"""Services as the planner gets them, and their plans."""

from __future__ import annotations

from typing import Any

from npuserve.api.spec import InferenceServiceSpec
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.models.facts import ModelFacts
from npuserve.plan.description import known
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.resolve import resolve
from npuserve.plan.service import Service
from npuserve.plan.source import catalogue_path

DEFAULTS = Configuration()


def a_service(
    uri: str = "pvc://weights/Qwen/Qwen3-8B",
    *,
    facts: ModelFacts | None = None,
    configuration: Configuration = DEFAULTS,
    replan: str = "",
    model_digest: str = "",
    **spec: Any,
) -> Service:
    """A service of namespace team-a; `spec` as on the wire, `facts` in place of the catalogue's. `model` adds to the
    model's fields."""
    wire = InferenceServiceSpec.model_validate({**spec, "model": {"uri": uri, **spec.get("model", {})}})
    return Service(
        name="qwen",
        namespace="team-a",
        replan=replan,
        spec=wire,
        model=facts or known(catalogue_path(wire.model)).facts,
        profile=configuration.profile("team-a"),
        model_digest=model_digest,
    )


def decided(
    service: Service, cluster: ClusterFacts, configuration: Configuration = DEFAULTS, *, previous: Record | None = None
) -> Record:
    """The record of an accepted service."""
    found = resolve(service, cluster, configuration, previous=previous)
    assert isinstance(found, Record), found
    return found


def planned(service: Service, cluster: ClusterFacts, configuration: Configuration = DEFAULTS) -> Plan:
    """The plan of an accepted service."""
    return decided(service, cluster, configuration).plan


def refused(service: Service, cluster: ClusterFacts, configuration: Configuration = DEFAULTS) -> Refusal:
    """The refusal of a service."""
    found = resolve(service, cluster, configuration, previous=None)
    assert isinstance(found, Refusal), found
    return found


def said(plan: Plan, subject: str) -> str:
    """What the plan's reasons say about a subject, in one text."""
    return "\n".join(line for line in plan.reasons if line.startswith(f"{subject}:"))


def argument(plan: Plan, flag: str) -> str | None:
    """The value of a flag in the plan's command line; "" for a switch that is on; None when it is not given."""
    words = plan.launch.args
    if flag not in words:
        return None
    following = words[words.index(flag) + 1 : words.index(flag) + 2]
    return following[0] if following and not following[0].startswith("--") else ""


def variable(plan: Plan, name: str) -> Any:
    """The value of an environment variable of the launch; None when it is not set."""
    return next((item.value for item in plan.launch.environment if item.name == name), None)
