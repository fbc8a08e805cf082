"""The set of objects of a service, and what ties them together."""

from __future__ import annotations

import pytest

from npuserve.plan.plan import Rollout
from npuserve.render.labels import PLAN, SERVE, SERVICE_UID, selector_text
from npuserve.render.objects import Owner
from npuserve.render.service import service_url
from npuserve.render.strategy import read_note, write_note
from tests.support.plans import FILES, OWNER, RECREATE, SURGE, a_launch, a_plan, a_spec, objects


def test_one_replica_without_files_is_a_service_and_a_deployment() -> None:
    assert list(objects()) == ["Service", "Deployment"]


def test_files_come_before_and_a_budget_after_the_deployment() -> None:
    rendered = objects(a_plan(launch=a_launch(files=FILES)), a_spec(replicas=2))
    assert list(rendered) == ["ConfigMap", "Service", "Deployment", "PodDisruptionBudget"]


@pytest.mark.parametrize(("replicas", "budgets"), [(0, 0), (1, 0), (2, 1), (9, 1)])
def test_a_budget_exists_where_there_may_be_two_replicas(replicas: int, budgets: int) -> None:
    assert list(objects(spec=a_spec(replicas=replicas))).count("PodDisruptionBudget") == budgets


def test_every_object_is_controlled_by_the_service_without_blocking_its_deletion() -> None:
    for item in objects(a_plan(launch=a_launch(files=FILES)), a_spec(replicas=2)).values():
        (reference,) = item["metadata"]["ownerReferences"]
        assert (reference["uid"], reference["controller"], reference["blockOwnerDeletion"]) == (OWNER.uid, True, False)
        assert item["metadata"]["namespace"] == OWNER.namespace
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "npuserve"


def test_the_deployment_selects_its_pods_by_the_uid_of_the_service_alone() -> None:
    deployment = objects()["Deployment"]
    assert deployment["spec"]["selector"] == {"matchLabels": {SERVICE_UID: OWNER.uid}}
    assert deployment["spec"]["template"]["metadata"]["labels"][SERVICE_UID] == OWNER.uid
    assert selector_text(OWNER.uid) == f"{SERVICE_UID}={OWNER.uid}"


def test_a_pod_without_the_serve_label_leaves_the_service_and_stays_in_the_deployment() -> None:
    rendered = objects()
    assert rendered["Service"]["spec"]["selector"] == {SERVICE_UID: OWNER.uid, SERVE: "true"}
    assert SERVE not in rendered["Deployment"]["spec"]["selector"]["matchLabels"]


def test_clients_find_every_engine_on_port_8000() -> None:
    (port,) = objects(a_plan(launch=a_launch(port=1025)))["Service"]["spec"]["ports"]
    assert port == {"name": "http", "port": 8000, "protocol": "TCP", "targetPort": "http"}
    assert service_url("qwen3-32b", "team-a") == "http://qwen3-32b.team-a.svc:8000"


def test_a_rollout_has_the_start_and_ten_minutes() -> None:
    assert objects()["Deployment"]["spec"]["progressDeadlineSeconds"] == 1205 + 600


def test_the_record_is_kept_on_the_deployment_as_it_was_given() -> None:
    assert objects(record='{"plan": 1}')["Deployment"]["metadata"]["annotations"][PLAN] == '{"plan": 1}'


def test_a_surge_and_a_recreation_are_two_strategies() -> None:
    assert objects(rollout=SURGE)["Deployment"]["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    assert objects(rollout=RECREATE)["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", ["qwen2.5-72b", "7b", "a" * 63])
def test_odd_names_make_labels_and_names_that_agree(name: str) -> None:
    rendered = objects(a_plan(launch=a_launch(files=FILES)), owner=Owner(name, "team-a", "uid-1"))
    mounted = rendered["Deployment"]["spec"]["template"]["spec"]["volumes"][2]["configMap"]["name"]
    assert mounted == rendered["ConfigMap"]["metadata"]["name"]
    assert rendered["Deployment"]["metadata"]["name"] == rendered["Service"]["metadata"]["name"]
    assert all(len(value) <= 63 for value in rendered["Service"]["metadata"]["labels"].values())


def test_files_are_stored_under_their_names_and_never_change() -> None:
    config = objects(a_plan(launch=a_launch(files=FILES)))["ConfigMap"]
    assert config["data"] == {file.name: file.content for file in FILES}
    assert config["immutable"] is True


def test_a_note_is_read_back_for_its_own_template_only() -> None:
    note = write_note({"a": 1}, SURGE)
    assert read_note(note, {"a": 1}) == SURGE
    assert read_note(note, {"a": 2}) is None


@pytest.mark.parametrize(
    "note", ["", "{}", "[]", "null", "x", write_note({"a": 1}, Rollout(9, 0, recreate=False, reason=""))]
)
def test_a_note_that_is_none_of_ours_says_nothing(note: str) -> None:
    assert read_note(note, {"a": 1}) is None
