"""The pod template: everything whose change replaces replicas.

Rule: nothing in here changes with the operator's version, the time, the number of replicas or what others run, so that
a template changes only when the plan or the user's own template does. The user's labels and annotations never replace
ours.
"""

from __future__ import annotations

from typing import Any

from npuserve.api.spec import InferenceServiceSpec
from npuserve.api.template import NodeRequirement, Template, Toleration
from npuserve.configuration import Profile
from npuserve.plan.plan import Plan
from npuserve.render import labels
from npuserve.render.container import engine_container
from npuserve.render.flavour import flavour_annotations, flavour_labels, runtime_class
from npuserve.render.owner import Owner
from npuserve.render.security import pod_security
from npuserve.render.volumes import mounted


def pod_template(
    owner: Owner, service: InferenceServiceSpec, plan: Plan, *, profile: Profile, pull_policy: str
) -> dict[str, Any]:
    """The template of the Deployment's pods."""
    asked = service.template
    annotations = {**asked.annotations, **flavour_annotations(plan)}
    return {
        "metadata": {
            "labels": {**asked.labels, **flavour_labels(plan), **labels.of_pods(owner, plan.backend)},
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": _pod(owner, asked, plan, profile=profile, pull_policy=pull_policy),
    }


def _pod(owner: Owner, asked: Template, plan: Plan, *, profile: Profile, pull_policy: str) -> dict[str, Any]:
    volumes = mounted(owner, plan, profile=profile, pull_policy=pull_policy)
    pull_secrets = [{"name": item.name} for item in asked.image_pull_secrets]
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": plan.timing.grace,
        "securityContext": pod_security(plan, profile),
        "containers": [engine_container(plan, volumes, profile=profile, pull_policy=pull_policy)],
        "volumes": [item.volume for item in volumes],
        **_placement(asked, plan, profile),
        **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
    }


def _placement(asked: Template, plan: Plan, profile: Profile) -> dict[str, Any]:
    """Where the pod may run, with what is empty left to the cluster."""
    given = {
        "schedulerName": plan.scheduler_name,
        "runtimeClassName": runtime_class(plan, profile),
        "nodeSelector": dict(plan.node_selector),
        "tolerations": [_toleration(item) for item in asked.tolerations],
        "priorityClassName": asked.priority_class_name,
        "affinity": _affinity(asked, plan),
    }
    return {key: value for key, value in given.items() if value}


def _affinity(asked: Template, plan: Plan) -> dict[str, Any]:
    away = [{"key": key, "operator": "NotIn", "values": [value]} for key, value in plan.avoided_labels]
    expressions = [*(_requirement(item) for item in asked.node_affinity), *away]
    if not expressions:
        return {}
    terms = [{"matchExpressions": expressions}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def _requirement(item: NodeRequirement) -> dict[str, Any]:
    return {"key": item.key, "operator": item.operator, **({"values": list(item.values)} if item.values else {})}


def _toleration(item: Toleration) -> dict[str, Any]:
    given = {"key": item.key, "operator": item.operator, "value": item.value, "effect": item.effect}
    seconds = {} if item.toleration_seconds is None else {"tolerationSeconds": item.toleration_seconds}
    return {**{key: value for key, value in given.items() if value}, **seconds}
