"""Laws from plan to objects: what every accepted service becomes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from npuserve.api.spec import InferenceServiceSpec
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.engines.arguments import load_table
from npuserve.plan.plan import Plan, Record
from npuserve.plan.resolve import resolve
from npuserve.plan.rollout import choose_rollout
from npuserve.reconcile.planned import status_plan
from npuserve.render.objects import render
from npuserve.render.owner import Owner
from tests.laws import strategies
from tests.laws.strategies import as_service

OWNER = Owner("svc", "team-a", "0e4c7b3e-5a55-4a3f-9a43-6d1f0f6b7a10")


def rendered(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> tuple[Plan, dict[str, Any]]:
    """The plan and its objects by kind; examples that are refused are passed over."""
    found = resolve(as_service(spec, configuration), cluster, configuration, previous=None)
    assume(isinstance(found, Record))
    assert isinstance(found, Record)
    objects = render(
        OWNER,
        spec,
        found.plan,
        profile=configuration.profile(OWNER.namespace),
        rollout=choose_rollout(spec.replicas, None),
        record="",
        pull_policy="IfNotPresent",
    )
    return found.plan, {item["kind"]: item for item in objects}


@given(strategies.wishes(), st.one_of(strategies.roomy, strategies.clusters()), strategies.configurations)
def test_one_container_requests_the_devices_of_the_plan_or_a_part_of_one_and_no_other_does(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    plan, objects = rendered(spec, cluster, configuration)
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    held = [
        (name, amount)
        for container in (*pod["containers"], *pod.get("initContainers", ()))
        for name, amount in container["resources"]["limits"].items()
        if name.startswith("huawei.com/")
    ]
    part = [(f"{plan.resource_name}-memory", str(plan.slice_mib))] if plan.slice_mib else []
    assert held == [(plan.resource_name, str(plan.devices)), *part]


@given(strategies.likely, strategies.roomy, strategies.configurations)
def test_a_pod_mounts_what_it_has_names_each_variable_once_and_is_json(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    _, objects = rendered(spec, cluster, configuration)
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert sorted(item["name"] for item in container["volumeMounts"]) == sorted(item["name"] for item in pod["volumes"])
    variables = [item["name"] for item in container["env"]]
    assert len(variables) == len(set(variables))
    assert json.loads(json.dumps(objects)) == objects


@given(strategies.likely, strategies.roomy, strategies.configurations)
def test_the_status_can_hold_every_plan(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    plan, _ = rendered(spec, cluster, configuration)
    shown = status_plan(plan, 7)
    assert shown["devices"] == plan.devices
    assert shown["reasons"]


@given(strategies.likely, strategies.roomy, strategies.configurations)
def test_every_flag_on_a_command_line_is_one_that_this_version_knows(
    spec: InferenceServiceSpec, cluster: ClusterFacts, configuration: Configuration
) -> None:
    plan, _ = rendered(spec, cluster, configuration)
    table = load_table(plan.backend, plan.backend_version)
    flags = [word.partition("=")[0].removeprefix("--") for word in plan.launch.args if word.startswith("--")]
    known = set(table.flags) | {f"no-{name}" for name, flag in table.flags.items() if flag.negatable}
    assert set(flags) <= known
    assert len(flags) == len(set(flags))
