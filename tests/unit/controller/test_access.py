"""What the operator may do, and what it must never be able to do."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.controller.access import CLUSTER, ELECTION, TENANTS, WORK
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
    assert {verb for resource, verb in granted if resource == "pods"} == {"list", "watch", "patch"}


def test_every_child_can_be_applied_when_it_is_new() -> None:
    for child in CHILDREN:
        (rule,) = (rule for rule in RULES if rule["resources"] == [child.plural])
        assert {"create", "patch", "delete", "get", "list", "watch"} == set(rule["verbs"])


def test_every_rule_has_a_reason() -> None:
    assert all(rule.reason for rule in (*WORK, *CLUSTER, *ELECTION))


def test_no_role_of_tenants_writes_a_status() -> None:
    resources = [resource for rules in TENANTS.values() for rule in rules for resource in rule.manifest()["resources"]]
    assert set(resources) == {"inferenceservices", "inferenceservices/scale"}
    assert all(set(rule.verbs) <= {"get", "list", "watch"} for rule in TENANTS["view"])
