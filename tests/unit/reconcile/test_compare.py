"""What must change in the cluster."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from npuserve.reconcile.compare import Apply, Delete, changes, digest, holds, needs_write, stamped
from npuserve.reconcile.ownership import Ownership, conflicts, ownership
from npuserve.render.labels import APPLIED, SERVICE_UID
from tests.support.plans import (
    FILES,
    GIB,
    OWNER,
    a_launch,
    a_plan,
    a_spec,
    a_topology,
    as_stored,
    deployment_status,
    objects,
)

COMPLETE = deployment_status()


def world(plan: Any = None, spec: Any = None, **status: Any) -> dict[str, dict[str, Any]]:
    """The objects of a service as the API server holds them after they were applied, rolled out unless `status` says otherwise."""
    return {
        kind: as_stored(stamped(item), **({**COMPLETE, **status} if kind == "Deployment" else {}))
        for kind, item in objects(plan, spec).items()
    }


def all_kinds() -> dict[str, dict[str, Any]]:
    return objects(a_plan(launch=a_launch(files=FILES), topology=a_topology(cpus="2500m")), a_spec(replicas=2))


@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "Deployment", "PodDisruptionBudget"])
def test_what_was_applied_needs_no_second_write(kind: str) -> None:
    desired = all_kinds()[kind]
    live = as_stored(stamped(desired))
    assert holds(desired, live)
    assert not needs_write(desired, live)


def test_the_digest_leaves_out_its_own_stamp() -> None:
    desired = objects()["Service"]
    assert digest(stamped(desired)) == digest(desired)
    assert stamped(stamped(desired)) == stamped(desired)


def test_stamping_leaves_the_object_as_it_was() -> None:
    desired = objects()["Deployment"]
    before = deepcopy(desired)
    stamped(desired)
    assert desired == before


def test_a_missing_object_needs_a_write() -> None:
    assert needs_write(objects()["Service"], None)


def drift(live: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(live)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


CONTAINER = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "replicas"), 3),
        (("spec", "strategy", "type"), "Recreate"),
        (("spec", "template", "metadata", "labels", SERVICE_UID), "x"),
        ((*CONTAINER, "image"), "other"),
        ((*CONTAINER, "args", 0), "other"),
        ((*CONTAINER, "args"), ["serve"]),
        ((*CONTAINER, "env", 0, "value"), "debug"),
        ((*CONTAINER, "env", 0), None),
        ((*CONTAINER, "resources", "limits", "huawei.com/Ascend910"), "8"),
        ((*CONTAINER, "securityContext", "allowPrivilegeEscalation"), True),
        ((*CONTAINER, "volumeMounts", 1), None),
        (("metadata", "ownerReferences", 0, "blockOwnerDeletion"), True),
        (("metadata", "ownerReferences"), []),
        (("metadata", "labels"), {}),
        (("metadata", "annotations", "npuserve.io/plan"), "edited"),
        (("metadata", "annotations", APPLIED), "0"),
        (("spec", "template", "spec", "enableServiceLinks"), True),
        (("spec", "template", "spec", "enableServiceLinks"), None),
    ],
)
def test_every_field_of_ours_that_was_changed_by_hand_is_written_again(path: tuple[Any, ...], value: Any) -> None:
    desired = objects()["Deployment"]
    live = world()["Deployment"]
    assert not needs_write(desired, live)
    assert needs_write(desired, drift(live, path, value))


def test_what_others_add_is_theirs() -> None:
    live = deepcopy(world()["Deployment"])
    pod = live["spec"]["template"]
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "4"
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-01"}
    pod["spec"]["containers"].insert(0, {"name": "injected", "image": "proxy"})
    pod["spec"]["containers"][1]["env"].insert(0, {"name": "INJECTED", "value": "1"})
    pod["spec"]["containers"][1]["volumeMounts"].append({"name": "weights", "mountPath": "/elsewhere"})
    pod["spec"]["volumes"].insert(0, {"name": "injected", "emptyDir": {}})
    assert not needs_write(objects()["Deployment"], live)


def test_a_field_that_we_stop_setting_is_written_away() -> None:
    live = world(spec=a_spec(template={"labels": {"team": "search"}}))["Deployment"]
    desired = objects()["Deployment"]
    assert holds(drift(desired, ("metadata", "annotations"), {}), live)
    assert needs_write(desired, live)


def test_quantities_count_by_their_amount() -> None:
    desired = objects(a_plan(topology=a_topology(memory="25Gi")))["Deployment"]
    live = as_stored(stamped(desired))
    amounts = (*CONTAINER, "resources", "requests", "memory")
    assert holds(desired, drift(live, amounts, "25600Mi"))
    assert not holds(desired, drift(live, amounts, "26Gi"))
    assert not holds(desired, drift(live, amounts, "much"))


def test_text_that_reads_as_the_same_number_is_another_text() -> None:
    assert not holds({"metadata": {"labels": {"version": "1.0"}}}, {"metadata": {"labels": {"version": "1"}}})
    assert not holds({"spec": {"limits": {"a": "x"}}}, {"spec": {"limits": {"a": "y"}}})


@pytest.mark.parametrize("stored", [None, []])
def test_an_empty_list_that_the_api_server_shows_as_null_is_no_change(stored: Any) -> None:
    """The endpoints of an EndpointSlice, tried with the API server 1.36.4."""
    assert holds({"endpoints": []}, {"endpoints": stored})
    assert not holds({"endpoints": ["10.0.0.1"]}, {"endpoints": stored})


def test_empty_values_that_the_api_server_drops_are_no_change() -> None:
    assert holds({"spec": {"a": "", "b": {}, "c": []}}, {"spec": {}})
    assert not holds({"spec": {"a": False}}, {"spec": {}})
    assert not holds({"spec": {"a": 0}}, {"spec": {}})


def test_a_service_that_is_as_it_should_be_needs_nothing() -> None:
    desired = tuple(all_kinds().values())
    live = tuple(
        as_stored(
            stamped(item),
            **(deployment_status(total=2, updated=2, available=2) if item["kind"] == "Deployment" else {}),
        )
        for item in desired
    )
    assert changes(OWNER, desired, live) == ()


def test_a_new_service_is_applied_carefully_and_in_order() -> None:
    found = changes(OWNER, tuple(all_kinds().values()), ())
    assert [item.desired["kind"] for item in found if isinstance(item, Apply)] == list(all_kinds())
    assert all(isinstance(item, Apply) and item.careful for item in found)
    assert all(isinstance(item, Apply) and APPLIED in item.desired["metadata"]["annotations"] for item in found)


def test_a_child_of_ours_is_written_without_care() -> None:
    live = world()
    live["Service"]["spec"]["type"] = "NodePort"
    (found,) = changes(OWNER, tuple(objects().values()), tuple(live.values()))
    assert isinstance(found, Apply)
    assert (found.desired["kind"], found.careful) == ("Service", False)


def test_a_budget_that_is_not_wanted_any_more_goes_at_once() -> None:
    live = world(spec=a_spec(replicas=2))
    found = changes(OWNER, tuple(objects().values()), tuple(live.values()))
    assert Delete("PodDisruptionBudget", OWNER.name, "11111111-2222", "7") in found


OLD = {"files": (replace(FILES[0], content="old"),)}
NEW = {"files": FILES}


def rolling(**status: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Desired and live objects after a change of files was applied, with the earlier ConfigMap still there."""
    plan = a_plan(launch=a_launch(**NEW))
    earlier = world(a_plan(launch=a_launch(**OLD)))["ConfigMap"]
    return list(objects(plan).values()), [*world(plan, **status).values(), earlier]


@pytest.mark.parametrize(
    "status", [{"updatedReplicas": 0}, {"replicas": 2}, {"availableReplicas": 0}, {"observedGeneration": 2}]
)
def test_files_of_an_earlier_template_stay_while_its_replicas_may(status: dict[str, Any]) -> None:
    assert changes(OWNER, *rolling(**status)) == ()


def test_files_of_an_earlier_template_go_after_the_rollout() -> None:
    (found,) = changes(OWNER, *rolling())
    assert isinstance(found, Delete)
    assert found.kind == "ConfigMap"
    assert found.name != objects(a_plan(launch=a_launch(**NEW)))["ConfigMap"]["metadata"]["name"]


def test_files_of_an_earlier_template_stay_while_a_write_is_due() -> None:
    desired, live = rolling()
    live[2]["spec"]["revisionHistoryLimit"] = 9
    assert not any(isinstance(item, Delete) for item in changes(OWNER, desired, live))


def test_a_child_that_is_ending_is_not_deleted_again() -> None:
    live = world(spec=a_spec(replicas=2))
    live["PodDisruptionBudget"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not any(isinstance(item, Delete) for item in changes(OWNER, tuple(objects().values()), tuple(live.values())))


def owned_by(live: dict[str, Any], **reference: Any) -> dict[str, Any]:
    controller = {**live["metadata"]["ownerReferences"][0], **reference}
    return {**live, "metadata": {**live["metadata"], "ownerReferences": [controller]}}


def test_only_the_uid_makes_a_child_ours() -> None:
    live = world()["Service"]
    assert ownership(OWNER, live) is Ownership.OURS
    assert ownership(OWNER, owned_by(live, uid="other")) is Ownership.PREDECESSOR
    assert ownership(OWNER, owned_by(live, uid="other", name="other")) is Ownership.FOREIGN
    assert ownership(OWNER, owned_by(live, uid="other", kind="Deployment")) is Ownership.FOREIGN
    assert ownership(OWNER, owned_by(live, uid="other", apiVersion="serving.kserve.io/v1beta1")) is Ownership.FOREIGN
    assert ownership(OWNER, owned_by(live, controller=False)) is Ownership.UNCLAIMED


def test_a_foreign_object_is_named_and_left_alone() -> None:
    live = {**owned_by(world()["Service"], uid="other", kind="Gateway", name="front")}
    live["spec"] = {"type": "NodePort"}
    (conflict,) = conflicts(OWNER, tuple(objects().values()), (live,))
    assert not conflict.passing
    assert f"Service {OWNER.name}" in conflict.message
    assert "Gateway front" in conflict.message
    found = changes(OWNER, tuple(objects().values()), (live,))
    assert [item.desired["kind"] for item in found if isinstance(item, Apply)] == ["Deployment"]
    assert not any(isinstance(item, Delete) for item in found)


def test_an_object_without_owner_and_label_is_foreign() -> None:
    live = {"kind": "Service", "metadata": {"name": OWNER.name, "namespace": OWNER.namespace}, "spec": {}}
    (conflict,) = conflicts(OWNER, tuple(objects().values()), (live,))
    assert not conflict.passing


def test_children_of_an_earlier_service_of_the_name_are_waited_for() -> None:
    live = owned_by(world()["Deployment"], uid="earlier")
    (conflict,) = conflicts(OWNER, tuple(objects().values()), (live,))
    assert conflict.passing
    assert conflict.message.startswith("waiting for Deployment")


def test_a_child_whose_owner_reference_was_removed_gets_it_back_without_force() -> None:
    live = world()
    live["Service"]["metadata"]["ownerReferences"] = []
    assert conflicts(OWNER, tuple(objects().values()), tuple(live.values())) == ()
    (found,) = changes(OWNER, tuple(objects().values()), tuple(live.values()))
    assert isinstance(found, Apply)
    assert found.careful


def test_objects_of_other_names_are_no_conflict() -> None:
    live = {"kind": "Service", "metadata": {"name": "else"}, "spec": {}}
    assert conflicts(OWNER, tuple(objects().values()), (live,)) == ()


def test_an_object_of_another_service_is_never_deleted() -> None:
    foreign = owned_by(world(spec=a_spec(replicas=2))["PodDisruptionBudget"], uid="other")
    live = (*world().values(), foreign)
    assert changes(OWNER, tuple(objects().values()), live) == ()


def test_scratch_space_is_compared_by_amount() -> None:
    desired = objects(a_plan(topology=a_topology(shared_memory=2 * GIB)))["Deployment"]
    live = drift(as_stored(desired), ("spec", "template", "spec", "volumes", 1, "emptyDir", "sizeLimit"), "2048Mi")
    assert holds(desired, live)
