"""Plans are sticky: a newer default, new nodes and neighbours roll nothing and write no template; the annotation takes what is new."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from npuserve.controller.resources import NODES, PODS
from tests.cluster import nodes
from tests.cluster.kubectl import Object
from tests.cluster.processes import Running
from tests.support.manifests import ready
from tests.support.older_operator import OLDER
from tests.support.site import Site, passes, site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

OLDER_OPERATOR = (sys.executable, "-m", "tests.support.older_operator")
A2_32G = "Atlas 800I A2 32G"
LARGE_MODEL = {"uri": "modelscope://Qwen/Qwen3-32B"}


@pytest.fixture(scope="module")
def ground() -> Iterator[Site]:
    """Two servers of one product; no operator runs yet."""
    with site(nodes.a2_64g("a2", 2)) as built:
        yield built


def template_of(tenant: Tenant, name: str) -> tuple[Any, ...]:
    """What a rollout, a restart or any write of the template would change."""
    deployment = tenant.deployment(name)
    metadata = deployment["metadata"]
    return metadata["uid"], metadata["generation"], metadata["annotations"], frozenset(tenant.pod_uids(name))


def look(ground: Site, tenant: Tenant, *names: str) -> None:
    """Make the operator do a pass over each of these services, with all that it knows by then."""
    for name in names:
        before = passes(ground.operator)
        tenant.annotate(name, "example.com/touched", str(before))
        until(lambda before=before: True if passes(ground.operator) > before else NotYet("no pass was done"))


def until_seen(ground: Site, tenant: Tenant, product: str) -> None:
    """Return once the operator knows a node of this product: a service that asks for it is planned."""
    tenant.ask("probe", hardware={"product": product}, replicas=0)
    tenant.wait_until_said("probe", "Accepted", "True")
    tenant.withdraw("probe")


def test_a_newer_default_version_rolls_nothing_and_is_taken_on_request(ground: Site, tenant: Tenant) -> None:
    names = ("one", "two")
    ground.start(command=OLDER_OPERATOR)
    for number, name in enumerate(names, start=1):
        tenant.ask(name, replicas=number)
    tenant.wait_until_ready(*names)
    assert {tenant.service(name)["status"]["plan"]["backendVersion"] for name in names} == {OLDER}
    before = {name: template_of(tenant, name) for name in names}
    ground.operator.process.stop()

    position = ground.position()
    ground.start_and_look()
    look(ground, tenant, *names)
    assert {name: template_of(tenant, name) for name in names} == before
    assert ground.writes(position, resource="deployments", namespace=tenant.namespace) == []
    plan = tenant.service("one")["status"]["plan"]
    assert plan["backendVersion"] == OLDER
    assert any("0.23.0 available" in reason for reason in plan["reasons"])

    tenant.annotate("one", "npuserve.io/replan", "take 0.23.0")
    renewed = tenant.wait("one", lambda service: _ready_with(service, "0.23.0"))
    assert "v0.23.0" in renewed["status"]["plan"]["image"]
    assert not tenant.pod_uids("one") & before["one"][3]
    assert template_of(tenant, "two") == before["two"]


def _ready_with(service: Object, version: str) -> Object | NotYet:
    plan = service["status"]["plan"]
    return ready(service) if plan["backendVersion"] == version else NotYet(f"the plan names {plan['backendVersion']}")


def test_a_new_version_in_the_spec_is_taken_without_an_annotation(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", backendVersion=OLDER)
    tenant.wait_until_ready("chat")
    tenant.edit("chat", backendVersion="0.23.0")
    tenant.wait_until_ready("chat")
    assert tenant.service("chat")["status"]["plan"]["backendVersion"] == "0.23.0"


def test_neighbours_that_take_every_free_npu_roll_nothing(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", model=LARGE_MODEL)
    tenant.wait_until_ready("chat")
    before, position = template_of(tenant, "chat"), ground.position()
    neighbours = _take_all_npus(ground, tenant)
    # A service that finds no room proves that the operator has seen them.
    tenant.ask("late", replicas=1)
    tenant.wait_until_said("late", "Ready", "False", "Unschedulable")
    look(ground, tenant, "chat")
    assert template_of(tenant, "chat") == before
    for name in neighbours:
        tenant.api.delete(PODS, tenant.namespace, name)
    tenant.wait_until_ready("late")
    look(ground, tenant, "chat")
    assert template_of(tenant, "chat") == before
    written = ground.writes(position, resource="deployments", namespace=tenant.namespace)
    assert [line for line in written if "late" not in line] == []


def _take_all_npus(ground: Site, tenant: Tenant) -> list[str]:
    """Fill every node with single-device pods of a neighbour."""
    resource, free = "huawei.com/Ascend910", 16 - _held(ground)
    names = [f"neighbour-{number}" for number in range(free)]
    for name in names:
        container = {"name": "work", "image": "work", "resources": {"limits": {resource: "1"}}}
        body = {"metadata": {"name": name, "namespace": tenant.namespace}, "spec": {"containers": [container]}}
        tenant.api.create(PODS, body)
    until(lambda: True if _held(ground) == 16 else NotYet(f"{_held(ground)} of 16 NPUs are held"))
    return names


def _held(ground: Site) -> int:
    """NPUs in use."""
    found = ground.api.list(PODS)
    containers = [item for pod in found if pod["spec"].get("nodeName") for item in pod["spec"]["containers"]]
    return sum(int(item["resources"].get("limits", {}).get("huawei.com/Ascend910", 0)) for item in containers)


def test_new_nodes_of_a_cheaper_and_of_the_same_product_roll_nothing(ground: Site, tenant: Tenant) -> None:
    """A plan made afresh takes the cheaper product, so that the test can fail."""
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    before, position = template_of(tenant, "chat"), ground.position()
    added = [*nodes.a2_32g("cheaper", 1), *nodes.a2_64g("more", 1)]
    ground.cluster.add_nodes(added)
    try:
        until_seen(ground, tenant, A2_32G)
        look(ground, tenant, "chat")
        assert template_of(tenant, "chat") == before
        written = ground.writes(position, resource="deployments", namespace=tenant.namespace)
        assert [line for line in written if "probe" not in line] == []

        tenant.annotate("chat", "npuserve.io/replan", "now")
        tenant.wait("chat", lambda service: _ready_on(service, A2_32G))
    finally:
        for node in added:
            ground.api.delete(NODES, "", node["metadata"]["name"])


def _ready_on(service: Object, product: str) -> Object | NotYet:
    plan = service["status"]["plan"]
    return ready(service) if plan["product"] == product else NotYet(f"the plan names {plan['product']}")


def test_a_restart_of_the_operator_writes_nothing_but_its_lease(ground: Site, tenant: Tenant) -> None:
    tenant.ask("one")
    tenant.ask("many", replicas=3)
    tenant.ask("none", replicas=0)
    tenant.ask("refused", parallelism={"tensor": 3})
    tenant.wait_until_ready("one", "many", "none")
    tenant.wait_until_said("refused", "Accepted", "False")
    for end in (Running.stop, Running.kill):
        position = ground.position()
        end(ground.operator.process)
        ground.start_and_look()
        assert ground.writes(position, namespace=tenant.namespace) == []
