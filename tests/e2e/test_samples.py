"""The main job: the samples become READY on the right NPUs, the number of replicas follows, and a deletion leaves nothing."""

from __future__ import annotations

import pytest

from npuserve.controller.resources import DISRUPTION_BUDGETS, NODES, SERVICE
from npuserve.render.names import child_name
from tests.cluster.kubectl import Object
from tests.support.installed import SAMPLES
from tests.support.site import Site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

EXPECTED = {
    "qwen3-32b": ("vllm-ascend", "Atlas 800I A2 64G", "huawei.com/Ascend910", 2, "bfloat16", "a2-"),
    "qwen3-32b-mindie": ("mindie", "Atlas 800I A2 64G", "huawei.com/Ascend910", 4, "bfloat16", "a2-"),
    "qwen3-8b-300i-duo": ("vllm-ascend", "Atlas 300I Duo 96G", "huawei.com/Ascend310P", 1, "float16", "duo-"),
}
"""Backend, product, resource name, devices, dtype, and how the names of the product's nodes begin."""

ADVICE = {"qwen3-32b-mindie": ["BackendMaintenanceOnly"], "qwen3-8b-300i-duo": ["BackendExperimental"]}
"""What the condition Advisory tells of a sample that is Ready all the same."""


def test_every_sample_is_expected_here() -> None:
    assert {file.stem for file in SAMPLES.glob("*.yaml")} == set(EXPECTED)


def test_the_samples_become_ready_on_the_right_npus_and_a_deletion_leaves_nothing(ground: Site, tenant: Tenant) -> None:
    kubectl, here = ground.cluster.kubectl, f"--namespace={tenant.namespace}"
    tenant.has_weights()
    kubectl("apply", here, *(f"--filename={SAMPLES / name}.yaml" for name in EXPECTED))
    tenant.wait_until_ready(*EXPECTED)
    for name in EXPECTED:
        _runs_as_expected(tenant, name)
    shown = kubectl("get", "inferenceservices", here).splitlines()
    assert [line.split()[:5] for line in shown[1:]] == [
        [name, "True", backend, str(devices), "1"] for name, (backend, _, _, devices, _, _) in sorted(EXPECTED.items())
    ]
    kubectl("delete", here, *(f"--filename={SAMPLES / name}.yaml" for name in EXPECTED))
    tenant.wait_until_empty()


def _runs_as_expected(tenant: Tenant, name: str) -> None:
    backend, product, resource, devices, dtype, node = EXPECTED[name]
    status = tenant.service(name)["status"]
    plan = status["plan"]
    assert [item["reason"] for item in status["conditions"] if item["type"] == "Advisory"] == ADVICE.get(name, [])
    assert (plan["backend"], plan["product"], plan["resourceName"]) == (backend, product, resource)
    assert (plan["devices"], plan["nodes"], plan["dtype"]) == (devices, 1, dtype)
    assert plan["schedulerName"] == "default-scheduler"
    assert plan["reasons"]
    (pod,) = tenant.pods(name)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["requests"][resource] == container["resources"]["limits"][resource] == str(devices)
    assert pod["spec"]["nodeName"].startswith(node)
    assert resource in tenant.api.get(NODES, "", pod["spec"]["nodeName"])["status"]["allocatable"]
    assert container["image"] == plan["image"]


def test_the_status_says_where_clients_go_and_what_they_call_the_model(tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    assert tenant.service("chat")["status"]["address"] == {
        "url": f"http://chat.{tenant.namespace}.svc:8000",
        "model": "Qwen3-8B",
    }


def test_every_condition_is_about_the_present_generation_and_every_transition_is_told_once(tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    tenant.edit("chat", context={"maxModelLen": 8192})
    tenant.wait_until_ready("chat")
    service = tenant.service("chat")
    assert {item["observedGeneration"] for item in service["status"]["conditions"]} == {
        service["metadata"]["generation"]
    }
    assert service["status"]["observedGeneration"] == service["metadata"]["generation"]
    # The rollout of the edit made the service unready once.
    assert sorted(reason for reason, _ in tenant.news("chat")) == ["Planned", "Ready", "Ready"]


@pytest.mark.parametrize("name", ["qwen2.5-72b", "7b-chat", "a" * 63, "x.y.z", "qwen3-32b-" + "long" * 13])
def test_a_service_with_a_name_that_is_no_legal_child_name_becomes_ready(tenant: Tenant, name: str) -> None:
    tenant.ask(name)
    tenant.wait_until_ready(name)
    assert {item["metadata"]["name"] for item in tenant.children(name) if item["kind"] != "ConfigMap"} == {
        child_name(name)
    }
    assert child_name(name) in tenant.service(name)["status"]["address"]["url"]
    tenant.withdraw(name)
    tenant.wait_until_empty()


def test_two_names_that_differ_in_a_dot_share_nothing(tenant: Tenant) -> None:
    for name in ("qwen2.5", "qwen2-5"):
        tenant.ask(name)
    tenant.wait_until_ready("qwen2.5", "qwen2-5")
    of = {name: {item["metadata"]["uid"] for item in tenant.children(name)} for name in ("qwen2.5", "qwen2-5")}
    assert not of["qwen2.5"] & of["qwen2-5"]


def test_replicas_follow_kubectl_scale_and_the_disruption_budget_comes_and_goes(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    first = tenant.pod_uids("chat")
    assert not tenant.api.list(DISRUPTION_BUDGETS, tenant.namespace)
    _scale(ground, tenant, 3)
    until(lambda: _with_replicas(tenant, 3))
    assert first < tenant.pod_uids("chat")
    (budget,) = tenant.api.list(DISRUPTION_BUDGETS, tenant.namespace)
    assert budget["spec"]["maxUnavailable"] == 1
    _scale(ground, tenant, 0)
    until(lambda: _with_replicas(tenant, 0))
    assert tenant.wait_until_said("chat", "Ready", "True", "ScaledToZero")
    until(
        lambda: NotYet("the budget is still there") if tenant.api.list(DISRUPTION_BUDGETS, tenant.namespace) else True
    )
    _scale(ground, tenant, 1)
    until(lambda: _with_replicas(tenant, 1))
    tenant.wait_until_said("chat", "Ready", "True", "Ready")
    assert tenant.deployment("chat")["status"]["observedGeneration"] == 4


def _scale(ground: Site, tenant: Tenant, replicas: int) -> None:
    ground.cluster.kubectl(
        "scale", "inferenceservice", "chat", f"--namespace={tenant.namespace}", f"--replicas={replicas}"
    )


def _with_replicas(tenant: Tenant, count: int) -> Object | NotYet:
    """The service once so many replicas run, are counted, and the API's scale says so."""
    service = tenant.service("chat")
    status, running = service["status"], [pod for pod in tenant.pods("chat") if pod["status"]["phase"] == "Running"]
    if (len(running), status["replicas"], status["readyReplicas"]) != (count, count, count):
        return NotYet(f"{len(running)} pods, status.replicas {status['replicas']}, ready {status['readyReplicas']}")
    scale = tenant.api.get(SERVICE, tenant.namespace, "chat", subresource="scale")
    assert scale["status"]["replicas"] == count
    return service
