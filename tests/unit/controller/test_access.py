"""What the operator may do, and what it must never be able to do."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.controller.access import CLUSTER, ELECTION, WORK, access_manifests, cluster_role, namespace_role
from npuserve.controller.resources import CHILDREN

RULES = [rule.manifest() for rule in (*WORK, *CLUSTER, *ELECTION)]


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_granted_wholesale(rule: dict[str, Any]) -> None:
    assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
    assert not {"bind", "escalate", "impersonate", "deletecollection"} & set(rule["verbs"])


def test_no_secret_can_be_read_and_no_service_changed_beyond_its_status() -> None:
    granted = {(resource, verb) for rule in RULES for resource in rule["resources"] for verb in rule["verbs"]}
    assert not [
        resource for resource, _ in granted if resource.startswith(("secrets", "roles", "clusterroles", "pods/"))
    ]
    assert {verb for resource, verb in granted if resource == "inferenceservices"} == {"get", "list", "watch"}
    assert {verb for resource, verb in granted if resource == "inferenceservices/status"} == {"patch"}
    assert not [resource for resource, _ in granted if resource.endswith("/finalizers")]
    assert {verb for resource, verb in granted if resource == "pods"} == {"list", "watch"}


def test_every_child_can_be_applied_when_it_is_new() -> None:
    for child in CHILDREN:
        (rule,) = (rule for rule in RULES if rule["resources"] == [child.plural])
        assert {"create", "patch", "delete", "get", "list", "watch"} == set(rule["verbs"])


def test_every_rule_has_a_reason() -> None:
    assert all(rule.reason for rule in (*WORK, *CLUSTER, *ELECTION))


def test_an_operator_of_one_namespace_reads_no_nodes() -> None:
    assert not any("nodes" in rule["resources"] for rule in namespace_role("team-a")["rules"])
    assert any("nodes" in rule["resources"] for rule in cluster_role()["rules"])
    assert namespace_role("team-a")["metadata"]["namespace"] == "team-a"


def test_the_manifests_bind_one_account_and_keep_the_lease_to_its_namespace() -> None:
    manifests = access_manifests("platform")
    kinds = [item["kind"] for item in manifests]
    assert kinds == ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    for binding in (manifests[3], manifests[5]):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "npuserve", "namespace": "platform"}]
    assert manifests[5]["roleRef"]["name"] == manifests[4]["metadata"]["name"]
    assert all(item["metadata"]["namespace"] == "platform" for item in manifests[4:])
