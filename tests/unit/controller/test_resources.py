"""How paths are built, and which names may be in them."""

from __future__ import annotations

import pytest

from npuserve.controller.resources import CHILDREN, DEPLOYMENTS, NODES, PODS, SERVICE, BadName, of_kind, of_plural, path


def test_paths_of_collections_objects_and_subresources() -> None:
    assert path(DEPLOYMENTS, "team-a", name="qwen") == "/apis/apps/v1/namespaces/team-a/deployments/qwen"
    assert path(PODS) == "/api/v1/pods"
    assert path(NODES, "ignored", name="n1") == "/api/v1/nodes/n1"
    assert path(SERVICE, "a", name="qwen2.5-72b", subresource="status").endswith(
        "/inferenceservices/qwen2.5-72b/status"
    )


@pytest.mark.parametrize(
    "name", ["..", "../secrets", "a/b", "a%2fb", "A", "-a", "a-", "a..b", "a b", "a?x=1", "ä", "x" * 254]
)
def test_a_name_that_leads_elsewhere_never_becomes_a_path(name: str) -> None:
    with pytest.raises(BadName):
        path(DEPLOYMENTS, "team-a", name=name)
    with pytest.raises(BadName):
        path(DEPLOYMENTS, name or "x", name="fine")


def test_the_longest_legal_name_is_a_path() -> None:
    assert path(DEPLOYMENTS, "a", name="x" * 253).endswith("x" * 253)


def test_every_child_is_found_by_its_kind_and_by_its_plural() -> None:
    for resource in CHILDREN:
        assert of_kind(resource.kind) is resource
        assert of_plural(resource.plural) is resource
