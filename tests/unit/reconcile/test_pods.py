from typing import Any

from npuserve.reconcile.pods import replica_pod


def pod(**changes: Any) -> dict[str, Any]:
    metadata = {
        "uid": "pod-1",
        "name": "qwen-6d5f-abcde",
        "namespace": "ml",
        "creationTimestamp": "2026-11-26T04:00:00Z",
        "labels": {"npuserve.io/service-uid": "u-1", "npuserve.io/serve": "true", "pod-template-hash": "6d5f"},
        **changes.pop("metadata", {}),
    }
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-26T04:03:00Z"}
    return {"metadata": metadata, "status": {"podIP": "10.244.0.7", "conditions": [ready], **changes}}


def seen(**changes: Any) -> Any:
    found = replica_pod(pod(**changes))
    assert found is not None
    return found


def test_a_ready_pod_says_where_it_answers_and_how_long_it_took_to_start():
    found = seen()
    assert (found.address, found.ready_since - found.created, found.serving) == ("10.244.0.7", 180.0, True)
    assert not found.starting


def test_a_pod_without_the_ready_condition_is_starting():
    assert seen(conditions=[]).starting


def test_a_pod_that_waits_for_a_node_quotes_the_scheduler():
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes are available"}
    assert seen(conditions=[waits]).unschedulable == "0/4 nodes are available"


def test_a_pod_out_of_the_service_says_since_when_it_drains():
    marks = {"npuserve.io/service-uid": "u-1", "pod-template-hash": "6d5f"}
    notes = {"npuserve.io/draining": "2026-11-26T05:00:00Z", "controller.kubernetes.io/pod-deletion-cost": "-100"}
    found = seen(metadata={"labels": marks, "annotations": notes})
    assert not found.serving
    assert found.draining_since - found.ready_since == 57 * 60
    assert found.deletion_cost == -100


def test_a_pod_that_was_told_to_end_is_not_starting():
    found = seen(metadata={"deletionTimestamp": "2026-11-26T05:00:00Z", "labels": {"npuserve.io/service-uid": "u-1"}})
    assert found.ending
    assert not found.starting


def test_pods_of_others_and_pods_that_have_ended_are_no_replicas():
    assert replica_pod(pod(metadata={"labels": {}})) is None
    assert replica_pod(pod(phase="Failed")) is None


def test_notes_that_others_broke_count_as_none():
    notes = {"npuserve.io/draining": "yesterday", "controller.kubernetes.io/pod-deletion-cost": "cheap"}
    found = seen(metadata={"labels": {"npuserve.io/service-uid": "u-1"}, "annotations": notes})
    assert (found.draining_since, found.deletion_cost) == (None, 0)
