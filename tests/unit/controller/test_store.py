"""What the watches have shown, and what counts as news."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.controller.resources import DEPLOYMENTS, ENDPOINTS, SERVICE, Resource
from npuserve.controller.store import News, Reference, Store

KEY = "team-a/qwen"


def service(version: int, *, uid: str = "u1", generation: int = 1, observed: int | None = None) -> dict[str, Any]:
    status = {} if observed is None else {"observedGeneration": observed}
    metadata = {
        "name": "qwen",
        "namespace": "team-a",
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
    }
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": status}


def child(version: int, *, uid: str = "d1", owner: str | None = "qwen", name: str = "qwen") -> dict[str, Any]:
    reference = {
        "apiVersion": "npuserve.io/v1alpha1",
        "kind": "InferenceService",
        "name": owner,
        "uid": "u1",
        "controller": True,
    }
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": uid,
            "resourceVersion": str(version),
            "ownerReferences": [reference] if owner else [],
            "managedFields": [{"manager": "npuserve"}],
        },
        "spec": {"replicas": 1},
    }


def test_a_new_service_is_fresh_and_one_whose_generation_was_observed_is_not() -> None:
    assert Store().observe(SERVICE, service(10)) == News(KEY, fresh=True)
    assert Store().observe(SERVICE, service(10, generation=3, observed=2)) == News(KEY, fresh=True)
    assert Store().observe(SERVICE, service(10, generation=3, observed=3)) == News(KEY, fresh=False)


def test_an_edit_that_leaves_the_generation_is_fresh_too() -> None:
    store = Store()
    store.observe(SERVICE, service(10, observed=1))
    assert store.observe(SERVICE, service(11, observed=1)) == News(KEY, fresh=True)


def test_an_older_or_equal_version_says_nothing() -> None:
    store = Store()
    store.observe(SERVICE, service(10))
    assert store.observe(SERVICE, service(10)) is None
    assert store.observe(SERVICE, service(9, generation=7)) is None
    seen = store.service(KEY)
    assert seen is not None
    assert seen.read() == service(10)


def test_versions_are_numbers_and_not_text() -> None:
    store = Store()
    store.observe(SERVICE, service(9))
    assert store.observe(SERVICE, service(10)) is not None


def test_a_child_tells_of_its_service_and_is_kept_without_managed_fields() -> None:
    store = Store()
    assert store.observe(DEPLOYMENTS, child(11)) == News(KEY, fresh=False)
    (seen,) = store.children(KEY)
    body = seen.read()
    assert body is not None
    assert "managedFields" not in body["metadata"]
    assert body["spec"] == {"replicas": 1}


def test_a_child_that_loses_its_owner_tells_the_service_it_had() -> None:
    store = Store()
    store.observe(DEPLOYMENTS, child(11))
    assert store.observe(DEPLOYMENTS, child(12, owner=None)) == News(KEY, fresh=False)
    assert store.children(KEY) == ()
    assert store.find(Reference("deployments", "team-a", "qwen")) is not None


def test_a_foreign_object_with_our_label_is_no_news() -> None:
    assert Store().observe(DEPLOYMENTS, child(11, owner=None)) is None


def test_a_deleted_child_is_gone_and_tells_its_service() -> None:
    store = Store()
    store.observe(DEPLOYMENTS, child(11))
    assert store.observe_gone(DEPLOYMENTS, child(13)) == News(KEY, fresh=False)
    assert store.children(KEY) == ()
    assert store.observe_gone(DEPLOYMENTS, child(13)) is None


def test_the_end_of_an_earlier_object_of_the_same_name_does_not_remove_the_present_one() -> None:
    store = Store()
    store.observe(DEPLOYMENTS, child(20, uid="d2"))
    assert store.observe_gone(DEPLOYMENTS, child(19, uid="d1")) is None
    assert len(store.children(KEY)) == 1


def test_the_echo_of_an_own_write_is_no_news_whether_it_comes_after_the_answer_or_before() -> None:
    after = Store()
    after.begin(KEY)
    after.record(DEPLOYMENTS, child(11), key=KEY)
    assert after.observe(DEPLOYMENTS, child(11)) is None
    assert after.end(KEY) is None

    before = Store()
    before.begin(KEY)
    assert before.observe(DEPLOYMENTS, child(11)) is None
    before.record(DEPLOYMENTS, child(11), key=KEY)
    assert before.end(KEY) is None


def test_between_an_own_write_and_its_echo_only_the_metadata_is_known() -> None:
    store = Store()
    store.record(DEPLOYMENTS, child(11), key=KEY)
    (seen,) = store.children(KEY)
    assert seen.read() is None
    store.observe(DEPLOYMENTS, child(11))
    (seen,) = store.children(KEY)
    assert seen.read() is not None


def test_someone_elses_write_during_the_work_is_told_at_its_end() -> None:
    store = Store()
    store.begin(KEY)
    store.record(DEPLOYMENTS, child(11), key=KEY)
    assert store.observe(DEPLOYMENTS, child(12)) is None
    assert store.end(KEY) == News(KEY, fresh=False)


def test_someone_elses_write_that_arrives_before_the_answer_to_ours_is_not_lost() -> None:
    store = Store()
    store.begin(KEY)
    store.observe(DEPLOYMENTS, child(12))
    store.record(DEPLOYMENTS, child(11), key=KEY)
    assert store.end(KEY) == News(KEY, fresh=False)
    (seen,) = store.children(KEY)
    assert seen.version == 12


def test_an_edit_of_the_service_during_the_work_is_fresh_at_its_end() -> None:
    store = Store()
    store.observe(SERVICE, service(10))
    store.begin(KEY)
    store.observe(SERVICE, service(11, generation=2))
    assert store.end(KEY) == News(KEY, fresh=True)


def test_an_own_delete_is_no_news() -> None:
    store = Store()
    store.observe(ENDPOINTS, child(11))
    store.begin(KEY)
    store.record_gone(Reference("services", "team-a", "qwen"), key=KEY)
    assert store.observe_gone(ENDPOINTS, child(12)) is None
    assert store.end(KEY) is None


@pytest.mark.parametrize("resource", [DEPLOYMENTS, SERVICE])
def test_an_object_that_is_gone_before_the_answer_to_our_write_comes_stays_gone_and_that_is_told(
    resource: Resource,
) -> None:
    make = service if resource is SERVICE else child
    store = Store()
    store.observe(SERVICE, service(9))
    store.observe(resource, make(10))
    store.begin(KEY)
    store.observe_gone(resource, make(12))
    store.record(resource, make(11), key=KEY)
    assert store.end(KEY) == News(KEY, fresh=resource is SERVICE)
    assert store.find(Reference(resource.plural, "team-a", "qwen")) is None


@pytest.mark.parametrize("heard_first", [True, False])
@pytest.mark.parametrize("edit", [{"generation": 2}, {"annotations": {"npuserve.io/replan": "1"}}])
def test_an_edit_between_the_reading_of_a_service_and_its_status_is_not_lost(
    edit: dict[str, Any], *, heard_first: bool
) -> None:
    """Whether the watch shows it before the answer to our status or after: it is older than that."""
    store, read = Store(), service(10)
    edited, answer = service(11), service(12)
    for body in (edited, answer):
        body["metadata"] |= edit
    store.observe(SERVICE, read)
    store.begin(KEY)
    if heard_first:
        store.observe(SERVICE, edited)
    store.record_status(read, answer, key=KEY)
    assert store.observe(SERVICE, edited) is None
    assert store.end(KEY) == News(KEY, fresh=True)


def test_an_own_status_is_no_news() -> None:
    store = Store()
    store.observe(SERVICE, service(10))
    store.begin(KEY)
    store.record_status(service(10), service(11), key=KEY)
    assert store.observe(SERVICE, service(11)) is None
    assert store.end(KEY) is None


@pytest.mark.parametrize("heard_first", [True, False])
def test_a_service_that_our_own_write_does_not_find_any_more_is_news(*, heard_first: bool) -> None:
    """Else nobody would forget it: the watch has nothing new to tell."""
    store = Store()
    store.observe(SERVICE, service(10))
    store.begin(KEY)
    if heard_first:
        store.observe_gone(SERVICE, service(12))
    store.record_service_gone(KEY)
    assert store.observe_gone(SERVICE, service(12)) is None
    assert store.end(KEY) == News(KEY, fresh=True)
    assert store.service(KEY) is None


def test_what_a_whole_list_lacks_is_gone_unless_it_is_younger_than_the_list() -> None:
    store = Store()
    store.observe(DEPLOYMENTS, child(11, uid="old"))
    store.observe(DEPLOYMENTS, child(12, uid="listed", name="other", owner="other"))
    store.observe(DEPLOYMENTS, child(30, uid="young", name="third", owner="third"))
    store.observe(ENDPOINTS, child(11, uid="another-resource"))
    assert store.observe_list(DEPLOYMENTS, frozenset({"listed"}), version=20) == [News(KEY, fresh=False)]
    assert {seen.reference.name for key in ("team-a/other", "team-a/third") for seen in store.children(key)} == {
        "other",
        "third",
    }
    assert [seen.reference.plural for seen in store.children(KEY)] == ["services"]


def test_a_service_is_found_by_its_uid_until_it_is_gone_or_another_one_has_its_name() -> None:
    store = Store()
    store.observe(SERVICE, service(10))
    assert store.key_of("u1") == KEY
    store.observe(SERVICE, service(20, uid="u2"))
    assert (store.key_of("u1"), store.key_of("u2")) == (None, KEY)
    store.observe_gone(SERVICE, service(21, uid="u2"))
    assert store.key_of("u2") is None
    assert list(store.services()) == []
