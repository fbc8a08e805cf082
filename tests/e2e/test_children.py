"""Children that others edit, delete or own: ours are restored, theirs are left alone, and a deletion leaves nothing."""

from __future__ import annotations

import pytest

from npuserve.controller.resources import (
    CHILDREN,
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    SERVICE,
    Resource,
    of_kind,
)
from npuserve.reconcile.compare import holds
from npuserve.render import labels
from tests.cluster.kubectl import Object
from tests.support.api import NAMESPACES
from tests.support.manifests import condition
from tests.support.site import Site
from tests.support.states import WITH_FILES
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

EDITS: dict[str, Object] = {
    "Deployment": {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}, "replicas": 5}},
    "Service": {"spec": {"selector": {"npuserve.io/serve": "false"}}},
    "ConfigMap": {"metadata": {"labels": {"app.kubernetes.io/name": "theirs"}}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 0}},
}

OF_ZERO = {ENDPOINT_SLICES.kind}
"""What only services that may have no replica have: test_activator.py."""


@pytest.fixture
def whole(tenant: Tenant) -> Tenant:
    """A READY service `chat` with a child of each kind."""
    tenant.has_weights()
    tenant.ask("chat", replicas=2, **WITH_FILES)
    tenant.wait_until_ready("chat")
    assert {item["kind"] for item in tenant.children("chat")} == {row.kind for row in CHILDREN} - OF_ZERO
    return tenant


def child(tenant: Tenant, kind: str) -> Object:
    return next(item for item in tenant.children("chat") if item["kind"] == kind)


def ours(item: Object) -> Object:
    """A child without what the cluster adds and counts."""
    metadata = {key: item["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": metadata}


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_a_child_that_is_deleted_by_hand_comes_back_as_it_was(whole: Tenant, kind: str) -> None:
    before = child(whole, kind)
    whole.api.delete(of_kind(kind), whole.namespace, before["metadata"]["name"])

    def restored() -> Object | NotYet:
        found = whole.api.find(of_kind(kind), whole.namespace, before["metadata"]["name"])
        same = found is not None and found["metadata"]["uid"] == before["metadata"]["uid"]
        return NotYet(f"the {kind} is {found and 'the deleted one'}") if found is None or same else found

    after = until(restored)
    whole.wait_until_ready("chat")
    if kind == "Service":
        before["spec"] = {key: value for key, value in before["spec"].items() if not key.startswith("clusterIP")}
    assert holds(_desired(before), after)


def _desired(before: Object) -> Object:
    """What the operator had applied, as far as the API server shows it."""
    return {key: value for key, value in ours(before).items() if key not in ("apiVersion", "kind")}


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_a_child_that_is_edited_by_hand_is_set_right_and_foreign_marks_stay(whole: Tenant, kind: str) -> None:
    resource, before = of_kind(kind), child(whole, kind)
    name = before["metadata"]["name"]
    marks = {"metadata": {"labels": {"team": "search"}, "annotations": {"example.com/note": "kept"}}}
    whole.api.merge(resource, whole.namespace, name, marks)
    whole.api.merge(resource, whole.namespace, name, EDITS[kind])

    def set_right() -> Object | NotYet:
        found = whole.api.get(resource, whole.namespace, name)
        return found if holds(_desired(before), found) else NotYet(f"the {kind} still has the edit")

    after = until(set_right)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"]["team"] == "search"
    assert after["metadata"]["annotations"]["example.com/note"] == "kept"
    whole.wait_until_ready("chat")


def test_fields_that_others_add_are_theirs(ground: Site, whole: Tenant) -> None:
    """A restart by kubectl, session affinity, a note: what we do not set is not ours to remove, and nothing is written because of it."""
    position = ground.position()
    additions: tuple[tuple[Resource, Object], ...] = (
        (
            DEPLOYMENTS,
            {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}},
        ),
        (ENDPOINTS, {"spec": {"sessionAffinity": "ClientIP"}}),
        (CONFIG_MAPS, {"metadata": {"annotations": {"example.com/note": "theirs"}}}),
    )
    for resource, addition in additions:
        name = child(whole, resource.kind)["metadata"]["name"]
        whole.api.merge(resource, whole.namespace, name, addition)
    whole.wait("chat", _rolled_out)
    whole.annotate("chat", "example.com/touched", "now")
    whole.wait_until_ready("chat")
    assert child(whole, "Service")["spec"]["sessionAffinity"] == "ClientIP"
    assert child(whole, "ConfigMap")["metadata"]["annotations"]["example.com/note"] == "theirs"
    annotations = child(whole, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/restartedAt"] == "now"
    written = ground.writes(position, namespace=whole.namespace)
    assert [line for line in written if "inferenceservices/status" not in line and "events" not in line] == []


def _rolled_out(service: Object) -> Object | NotYet:
    found = condition(service, "Ready")
    return service if found["status"] == "True" and service["status"]["readyReplicas"] == 2 else NotYet(str(found))


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_a_child_that_lost_the_label_by_which_it_is_found_gets_it_back(whole: Tenant, kind: str) -> None:
    before = child(whole, kind)
    resource, name = of_kind(kind), before["metadata"]["name"]
    whole.api.merge(resource, whole.namespace, name, {"metadata": {"labels": {labels.MANAGED_BY: None}}})

    def labelled() -> Object | NotYet:
        found = whole.api.get(resource, whole.namespace, name)
        return found if found["metadata"]["labels"].get(labels.MANAGED_BY) else NotYet("the label is missing")

    assert until(labelled)["metadata"]["uid"] == before["metadata"]["uid"]
    whole.wait_until_ready("chat")


def test_an_owner_reference_that_was_removed_comes_back(whole: Tenant) -> None:
    name = child(whole, "Service")["metadata"]["name"]
    whole.api.merge(ENDPOINTS, whole.namespace, name, {"metadata": {"ownerReferences": None}})
    until(lambda: True if any(item["kind"] == "Service" for item in whole.children("chat")) else NotYet("no owner"))


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_a_foreign_object_of_a_wanted_name_is_a_conflict_is_left_alone_and_its_removal_heals(
    whole: Tenant, kind: str
) -> None:
    resource, name = of_kind(kind), child(whole, kind)["metadata"]["name"]
    whole.withdraw("chat")
    whole.wait_until_empty()
    foreign = whole.api.create(resource, _foreign(kind, name, whole.namespace))
    whole.ask("chat", replicas=2, **WITH_FILES)
    service = whole.wait_until_said("chat", "Ready", "False", "NameConflict")
    message = condition(service, "Ready")["message"]
    assert f"{kind} {name}" in message
    assert condition(service, "Stalled")["status"] == "True"
    assert condition(service, "Accepted")["status"] == "True"
    found = whole.api.get(resource, whole.namespace, name)
    assert [found.get(key) for key in ("spec", "data")] == [foreign.get(key) for key in ("spec", "data")]
    untouched = ("uid", "labels", "ownerReferences", "generation")
    assert [found["metadata"].get(key) for key in untouched] == [foreign["metadata"].get(key) for key in untouched]
    whole.api.delete(resource, whole.namespace, name)
    whole.wait_until_ready("chat")


def _foreign(kind: str, name: str, namespace: str) -> Object:
    theirs = {"app": "theirs"}
    template = {"metadata": {"labels": theirs}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    content: dict[str, Object] = {
        "ConfigMap": {"data": {"key": "theirs"}},
        "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": theirs}, "template": template}},
        "PodDisruptionBudget": {"spec": {"minAvailable": 1, "selector": {"matchLabels": theirs}}},
        "Service": {"spec": {"ports": [{"port": 80}], "selector": theirs}},
    }
    return {"metadata": {"name": name, "namespace": namespace, "labels": theirs}, **content[kind]}


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_an_object_of_ours_that_no_plan_wants_is_removed(whole: Tenant, kind: str) -> None:
    """A version of the operator that gave other names would leave it."""
    resource, kept = of_kind(kind), child(whole, kind)
    former = _foreign(kind, "former", whole.namespace)
    former["metadata"] |= {key: kept["metadata"][key] for key in ("labels", "ownerReferences")}
    whole.api.create(resource, former)
    until(lambda: NotYet("it is there") if whole.api.find(resource, whole.namespace, "former") else True)
    assert child(whole, kind)["metadata"]["uid"] == kept["metadata"]["uid"]
    whole.wait_until_ready("chat")


def test_a_service_that_is_deleted_and_created_again_under_its_name_becomes_ready(whole: Tenant) -> None:
    earlier = {item["metadata"]["uid"] for item in whole.children("chat")}
    for _ in range(3):
        whole.withdraw("chat")
        whole.ask("chat", replicas=2, **WITH_FILES)
    whole.wait_until_ready("chat")
    uid = whole.service("chat")["metadata"]["uid"]

    def renewed() -> list[Object] | NotYet:
        found = whole.children("chat")
        strangers = [item["kind"] for item in found if item["metadata"]["ownerReferences"][0]["uid"] != uid]
        return NotYet(f"children of an earlier service: {strangers}") if strangers else found

    assert not {item["metadata"]["uid"] for item in until(renewed)} & earlier


@pytest.mark.last
def test_a_namespace_that_was_deleted_is_gone_with_everything_in_it(ground: Site, doomed: str) -> None:
    """So are those of the other tests, whatever they left in them."""
    until(lambda: NotYet(", ".join(left)) if (left := _ending(ground)) else True, within=120)
    assert ground.api.find(NAMESPACES, "", doomed) is None
    assert not [item for item in ground.api.list(SERVICE) if item["metadata"]["namespace"] == doomed]


def _ending(ground: Site) -> list[str]:
    """Namespaces that are being deleted, and what they wait for."""
    found = [item for item in ground.api.list(NAMESPACES) if item["metadata"].get("deletionTimestamp")]
    return [f"{item['metadata']['name']}: {_waits_for(item)}" for item in found]


def _waits_for(namespace: Object) -> str:
    conditions = namespace["status"].get("conditions", [])
    return "; ".join(item["message"] for item in conditions if item["status"] == "True")
