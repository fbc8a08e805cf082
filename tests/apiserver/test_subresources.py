"""`scale` and `status`: what autoscalers read and write, and who may say what is true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from npuserve.api.status import NOT_YET
from npuserve.controller.resources import SERVICE
from tests.cluster.kubectl import Kubectl
from tests.support.api import Api, Refused
from tests.support.manifests import a_service

SELECTOR = "npuserve.io/service-uid=0e4c7b3e"


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    """A service as a user creates it: without a number of replicas and without a status."""
    made = "scaled"
    api.create(SERVICE, a_service(made))
    yield made
    api.delete(SERVICE, "default", made)


def test_scale_is_readable_before_anything_was_said(api: Api, name: str) -> None:
    scale = api.get(SERVICE, "default", name, subresource="scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 0})


def test_scale_gives_the_replicas_there_are_and_the_selector_of_their_pods(api: Api, name: str) -> None:
    status = {"replicas": 3, "selector": SELECTOR}
    api.merge(SERVICE, "default", name, {"status": status}, subresource="status")
    assert api.get(SERVICE, "default", name, subresource="scale")["status"] == status


def test_a_write_of_scale_changes_the_number_of_replicas_and_nothing_else(api: Api, name: str) -> None:
    before = api.get(SERVICE, "default", name)
    scale = api.get(SERVICE, "default", name, subresource="scale")
    api.replace(SERVICE, {**scale, "spec": {"replicas": 4}}, subresource="scale")
    after = api.get(SERVICE, "default", name)
    assert after["spec"] == {**before["spec"], "replicas": 4}
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_scale_refuses_a_number_that_the_schema_refuses(api: Api, name: str) -> None:
    scale = api.get(SERVICE, "default", name, subresource="scale")
    with pytest.raises(Refused) as answer:
        api.replace(SERVICE, {**scale, "spec": {"replicas": 1001}}, subresource="scale")
    assert "spec.replicas" in answer.value.words


def test_kubectl_scales_a_service(api: Api, kubectl: Kubectl, name: str) -> None:
    kubectl("scale", "inferenceservice", name, "--replicas=2")
    assert api.get(SERVICE, "default", name)["spec"]["replicas"] == 2


def test_a_status_in_a_write_of_the_service_is_left_out(api: Api, name: str) -> None:
    api.merge(SERVICE, "default", name, {"status": {"replicas": 9}})
    assert api.get(SERVICE, "default", name)["status"] == {"observedGeneration": NOT_YET}


def test_a_write_of_the_status_leaves_the_spec_and_its_generation_alone(api: Api, name: str) -> None:
    before = api.get(SERVICE, "default", name)
    changes = {"spec": {"replicas": 9}, "status": {"replicas": 1}}
    api.merge(SERVICE, "default", name, changes, subresource="status")
    after = api.get(SERVICE, "default", name)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["status"] == {"observedGeneration": NOT_YET, "replicas": 1}


def test_a_status_of_another_version_of_the_operator_stays_writable(api: Api, name: str) -> None:
    """Nothing in the status is required, so that an upgrade never meets a status it cannot write."""
    api.merge(SERVICE, "default", name, {"status": {"plan": {"backend": "vllm-ascend"}}}, subresource="status")
    api.merge(SERVICE, "default", name, {"status": {"plan": {}}}, subresource="status")


def test_a_condition_without_its_time_is_refused(api: Api, name: str) -> None:
    bare = {"type": "Ready", "status": "True", "reason": "Ready", "message": ""}
    with pytest.raises(Refused) as answer:
        api.merge(SERVICE, "default", name, {"status": {"conditions": [bare]}}, subresource="status")
    assert "lastTransitionTime" in answer.value.words
