"""All objects of one service, as the API server stores them: a plan in, manifests out.

Only fields that we decide are written; the API server's defaults, and fields that others add, are not ours.
"""

from __future__ import annotations

from typing import Any

from npuserve.api.spec import InferenceServiceSpec
from npuserve.configuration import Profile
from npuserve.plan.autoscaling import may_have_two
from npuserve.plan.plan import Plan, Rollout
from npuserve.render.config import config_map
from npuserve.render.deployment import deployment
from npuserve.render.disruption import disruption_budget
from npuserve.render.owner import Owner
from npuserve.render.pod import pod_template
from npuserve.render.service import service as service_object

__all__ = ["Owner", "render"]


def render(
    owner: Owner,
    service: InferenceServiceSpec,
    plan: Plan,
    *,
    profile: Profile,
    rollout: Rollout,
    record: str,
    pull_policy: str,
    replicas: int | None = None,
) -> tuple[dict[str, Any], ...]:
    """The objects as they are needed: files, address, replicas, and the budget where there may be two replicas, now or
    later. `replicas`: the number where it is not the spec's.
    """
    template = pod_template(owner, service, plan, profile=profile, pull_policy=pull_policy)
    files, count = plan.launch.files, service.replicas if replicas is None else replicas
    return (
        *([config_map(owner, plan.backend, files=files)] if files else []),
        service_object(owner, plan.backend),
        deployment(owner, plan, template=template, replicas=count, rollout=rollout, record=record),
        *([disruption_budget(owner, plan.backend)] if may_have_two(service) else []),
    )
