"""What a service may add to its replicas."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.api.template import Template
from npuserve.chips import PRODUCTS
from npuserve.configuration import Allow
from npuserve.plan.template import reserved_template_key, template_refusal

OPEN = Allow.model_validate(
    {
        "tolerations": [{"key": "npu"}, {"key": "team", "value": "search"}],
        "priorityClassNames": ["batch-low"],
        "nodeAffinityKeys": ["zone"],
    }
)


def refusal(allow: Allow = OPEN, **template: Any) -> tuple[Reason, str] | None:
    found = template_refusal(Template.model_validate(template), allow)
    return None if found is None else (found.reason, found.field)


@pytest.mark.parametrize(
    "key",
    [
        "npuserve.io/serve",
        "app.kubernetes.io/name",
        "kubernetes.io/os",
        "container.apparmor.security.beta.kubernetes.io/engine",
        "k8s.io/x",
        "huawei.com/schedule_policy",
        "huawei.com/Ascend910",
        "hami.io/vgpu-devices",
        "ascend.kubectl.kubernetes.io/ascend-910-configuration",
        "scheduling.volcano.sh/queue-name",
        "volcano.sh/x",
        "hccl/rankIndex",
        "fault-scheduling",
        *(key for product in PRODUCTS for key, _ in product.pod_labels),
    ],
)
def test_keys_that_the_cluster_acts_on_are_reserved(key: str) -> None:
    assert reserved_template_key(key)
    assert refusal(annotations={key: "x"}) == (Reason.FORBIDDEN_TEMPLATE, "spec.template.annotations")
    assert refusal(labels={key: "x"}) == (Reason.FORBIDDEN_TEMPLATE, "spec.template.labels")


@pytest.mark.parametrize(
    "key",
    ["team", "example.com/cost-centre", "nothuawei.com/x", "sidecar.istio.io/inject", "kubernetes.io.example.com/x"],
)
def test_other_keys_are_the_users(key: str) -> None:
    assert not reserved_template_key(key)
    assert refusal(labels={key: "x"}, annotations={key: "x"}) is None


def test_an_empty_configuration_opens_nothing() -> None:
    closed = Allow()
    assert refusal(closed, tolerations=[{"key": "npu", "operator": "Exists"}]) == (
        Reason.FORBIDDEN_TEMPLATE,
        "spec.template.tolerations[0]",
    )
    assert refusal(closed, priorityClassName="batch-low") == (
        Reason.FORBIDDEN_TEMPLATE,
        "spec.template.priorityClassName",
    )
    assert refusal(closed, nodeAffinity=[{"key": "zone", "operator": "Exists"}]) == (
        Reason.FORBIDDEN_TEMPLATE,
        "spec.template.nodeAffinity[0]",
    )
    assert refusal(closed) is None


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "npu", "operator": "Exists"},
        {"key": "npu", "value": "anything", "effect": "NoSchedule"},
        {"key": "team", "value": "search"},
        {"key": "npu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
)
def test_tolerations_on_the_list_are_accepted(toleration: dict[str, Any]) -> None:
    assert refusal(tolerations=[toleration]) is None


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "other", "operator": "Exists"},
        {"key": "team", "value": "ads"},
        {"key": "team", "operator": "Exists"},
    ],
)
def test_tolerations_wider_than_the_list_are_refused(toleration: dict[str, Any]) -> None:
    assert refusal(tolerations=[{"key": "npu", "operator": "Exists"}, toleration]) == (
        Reason.FORBIDDEN_TEMPLATE,
        "spec.template.tolerations[1]",
    )


@pytest.mark.parametrize(
    "template",
    [
        {"tolerations": [{"key": "npu", "operator": "Exists", "value": "x"}]},
        {"tolerations": [{"operator": "Equal", "value": "x"}]},
        {"tolerations": [{"key": "npu", "operator": "Exists", "tolerationSeconds": 5}]},
        {"nodeAffinity": [{"key": "zone", "operator": "In"}]},
        {"nodeAffinity": [{"key": "zone", "operator": "Exists", "values": ["a"]}]},
        {"nodeAffinity": [{"key": "zone", "operator": "Gt", "values": ["a"]}]},
        {"nodeAffinity": [{"key": "zone", "operator": "Lt", "values": ["1", "2"]}]},
    ],
)
def test_what_the_api_server_would_refuse_in_a_pod_is_refused_in_the_service(template: dict[str, Any]) -> None:
    found = refusal(**template)
    assert found is not None
    assert found[0] == Reason.INVALID_SPEC


def test_a_refusal_names_the_setting_and_what_it_opens() -> None:
    found = template_refusal(Template.model_validate({"priorityClassName": "top"}), OPEN)
    assert found is not None
    assert "allow.priorityClassNames" in found.message
    assert "batch-low" in found.message


def test_opened_priority_and_affinity_are_accepted() -> None:
    affinity = [{"key": "zone", "operator": "In", "values": ["a"]}, {"key": "zone", "operator": "Gt", "values": ["3"]}]
    assert refusal(priorityClassName="batch-low", nodeAffinity=affinity) is None


@pytest.mark.parametrize(
    "key", ["vault.hashicorp.com/agent-inject", "sidecar.istio.io/userVolume", "config.linkerd.io/proxy-image"]
)
def test_annotations_that_add_containers_and_volumes_are_reserved(key: str) -> None:
    assert refusal(annotations={key: "x"}) == (Reason.FORBIDDEN_TEMPLATE, "spec.template.annotations")
