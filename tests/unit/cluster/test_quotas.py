"""What of a ResourceQuota concerns replicas."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.cluster.quotas import Left, Quota, read_quota

NPUS = "requests.huawei.com/Ascend910"


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Quota | None:
    return read_quota(
        {
            "metadata": {"namespace": "ml", "name": "npus"},
            "spec": {"hard": hard, **spec},
            "status": {"hard": hard, "used": used or {}},
        }
    )


def test_devices_and_pods_are_counted_and_nothing_else() -> None:
    found = quota({NPUS: "16", "pods": "5", "requests.cpu": "40", "configmaps": "9"}, {NPUS: "12", "pods": "1"})
    assert found is not None
    assert found.limits == (Left("pods", 5, 4), Left("huawei.com/Ascend910", 16, 4))


def test_a_quota_that_is_exceeded_leaves_nothing() -> None:
    found = quota({NPUS: "8"}, {NPUS: "12"})
    assert found is not None
    assert found.limits[0].left == 0


@pytest.mark.parametrize("hard", [{}, {"requests.cpu": "40"}, {"count/secrets": "3"}])
def test_a_quota_on_something_else_is_none_of_ours(hard: dict[str, str]) -> None:
    assert quota(hard) is None


@pytest.mark.parametrize(
    ("operator", "values", "within", "without"),
    [
        ("In", ["high"], "high", "low"),
        ("NotIn", ["high"], "low", "high"),
        ("Exists", [], "low", ""),
        ("DoesNotExist", [], "", "low"),
    ],
)
def test_a_scope_of_priority_classes_covers_their_replicas(
    operator: str, values: list[str], within: str, without: str
) -> None:
    scope = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator, "values": values}]}
    found = quota({NPUS: "8"}, scopeSelector=scope)
    assert found is not None
    assert (found.covers(within), found.covers(without)) == (True, False)


def test_scopes_that_no_replica_is_in_are_none_of_ours() -> None:
    assert quota({NPUS: "8"}, scopes=["Terminating"]) is None
    assert quota({NPUS: "8"}, scopes=["NotTerminating", "NotBestEffort"]) is not None
