"""Nothing is lost when the API server restarts, when the operator is killed at any moment, or while no operator runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from npuserve.controller.resources import EVENTS
from npuserve.render.labels import APPLIED, ROLLOUT
from tests.cluster import nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object
from tests.support.api import REPLICA_SETS, Api, Refused
from tests.support.manifests import condition
from tests.support.site import Site, site
from tests.support.states import WITH_FILES
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

SERVICES = tuple(f"service-{number:02}" for number in range(20))
MOMENTS = (1, 15, 40, 70)
"""After how many writes the operator is killed; twenty services are some ninety."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Site]:
    """Room for two dozen services twice; the operator works."""
    with site(nodes.a2_64g("a2", 7)) as built:
        built.start()
        yield built


def ask_for_all(tenant: Tenant) -> None:
    """Twenty services with every kind of child among them."""
    for number, name in enumerate(SERVICES):
        tenant.ask(name, replicas=2 if number % 5 == 0 else 1, **(WITH_FILES if number % 4 == 0 else {}))


def withdraw_all(tenant: Tenant) -> None:
    """Their devices are free again at the return: how a Deployment replaces its pods follows from the room there is."""
    for name in SERVICES:
        tenant.withdraw(name)
    tenant.wait_until_empty()


def children_of_all(tenant: Tenant) -> dict[str, Object]:
    """Every child as far as it does not depend on when and where it was made."""
    uids = {name: tenant.service(name)["metadata"]["uid"] for name in SERVICES}
    found = {}
    for item in tenant.children():
        owner = item["metadata"]["ownerReferences"][0]["name"]
        text = json.dumps(_timeless(item)).replace(uids[owner], "UID").replace(tenant.namespace, "NAMESPACE")
        key = f"{item['kind']} {item['metadata']['name']}"
        assert key not in found
        found[key] = json.loads(text)
    return found


def _timeless(item: Object) -> Object:
    metadata = item["metadata"]
    kept = {key: metadata[key] for key in ("name", "labels", "ownerReferences") if key in metadata}
    notes = {key: value for key, value in metadata.get("annotations", {}).items() if key.startswith("npuserve.io/")}
    spec = {key: value for key, value in item.get("spec", {}).items() if not key.startswith("clusterIP")}
    return {
        **kept,
        "notes": {key: notes[key] for key in notes if key not in (APPLIED, ROLLOUT)},
        "spec": spec,
        "data": item.get("data"),
    }


@pytest.fixture(scope="module")
def undisturbed(ground: Site) -> Iterator[dict[str, Object]]:
    """The children of twenty services that nothing disturbed."""
    tenant = Tenant(ground.api, "undisturbed")
    tenant.has_weights()
    ask_for_all(tenant)
    tenant.wait_until_ready(*SERVICES)
    yield children_of_all(tenant)
    withdraw_all(tenant)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operator_that_is_killed_while_it_writes_ends_with_what_an_undisturbed_one_has(
    ground: Site, tenant: Tenant, undisturbed: dict[str, Object], moment: int
) -> None:
    tenant.has_weights()
    position = ground.position()
    ask_for_all(tenant)
    until(lambda: _written(ground, tenant, position, moment), every=0.0)
    ground.operator.process.kill()
    ground.start()
    tenant.wait_until_ready(*SERVICES)
    assert children_of_all(tenant) == undisturbed
    assert {item["metadata"]["generation"] for item in tenant.children() if item["kind"] == "Deployment"} == {1}
    assert len(tenant.api.list(REPLICA_SETS, tenant.namespace)) == len(SERVICES)
    told = [(item["involvedObject"]["name"], item["reason"], item["message"]) for item in _own_events(tenant)]
    assert len(told) == len(set(told))
    withdraw_all(tenant)


def _written(ground: Site, tenant: Tenant, position: int, moment: int) -> bool | NotYet:
    count = len(ground.writes(position, namespace=tenant.namespace))
    return True if count >= moment else NotYet(f"{count} writes, {moment} are waited for")


def _own_events(tenant: Tenant) -> list[Object]:
    return [item for item in tenant.api.list(EVENTS, tenant.namespace) if item["source"].get("component") == "npuserve"]


@pytest.mark.parametrize("end", [ControlPlane.stop, ControlPlane.kill], ids=["restart", "crash"])
def test_services_that_are_asked_for_around_a_restart_of_the_api_server_become_ready(
    ground: Site, tenant: Tenant, undisturbed: dict[str, Object], end: Any
) -> None:
    tenant.has_weights()
    process = ground.operator.process
    ask_for_all(tenant)
    end(ground.cluster, "kube-apiserver")
    ground.cluster.start("kube-apiserver")
    ground.api.hang_up()
    tenant.ask("afterwards")
    tenant.wait_until_ready("afterwards", *SERVICES)
    tenant.withdraw("afterwards")
    until(lambda: NotYet("its children are still there") if tenant.children("afterwards") else True)
    assert children_of_all(tenant) == undisturbed
    assert process.exit_code is None
    withdraw_all(tenant)


def test_what_happens_while_no_operator_runs_is_made_up_for(ground: Site, tenant: Tenant) -> None:
    """A deletion does not wait for it: nothing but the cluster's garbage collector removes the children."""
    tenant.has_weights()
    for name in ("leaves", "edited", "stays"):
        tenant.ask(name, replicas=2, **WITH_FILES)
    tenant.wait_until_ready("leaves", "edited", "stays")
    ground.operator.process.stop()
    stays = tenant.pod_uids("stays")
    tenant.withdraw("leaves")
    until(lambda: NotYet(f"{len(left)} children are left") if (left := tenant.children("leaves")) else True)
    tenant.edit("edited", replicas=3)
    tenant.ask("new")
    position = ground.position()
    ground.start()
    tenant.wait_until_ready("edited", "new")
    assert len(tenant.pods("edited")) == 3
    assert tenant.pod_uids("stays") == stays
    written = ground.writes(position, namespace=tenant.namespace)
    assert [line for line in written if "stays" in line or "leaves" in line] == []


def test_a_spec_that_another_version_of_the_schema_let_through_is_refused_by_its_field(
    ground: Site, tenant: Tenant
) -> None:
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/inferenceservices.npuserve.io"
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/backendVersion/pattern"
    (version,) = ground.api.ask("GET", definition)["spec"]["versions"]
    pattern = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["backendVersion"]["pattern"]
    _patch(ground.api, definition, {"op": "remove", "path": path})
    until(lambda: _taken(tenant, "odd", backendVersion="--version"))
    _patch(ground.api, definition, {"op": "add", "path": path, "value": pattern})
    service = tenant.wait_until_said("odd", "Accepted", "False", "InvalidSpec")
    assert condition(service, "Accepted")["message"].startswith("spec.backendVersion")
    tenant.ask("good")
    tenant.wait_until_ready("good")


def _patch(api: Api, where: str, step: Object) -> None:
    api.ask("PATCH", where, [step], content="application/json-patch+json")


def _taken(tenant: Tenant, name: str, **spec: Any) -> Object | NotYet:
    """The service, once the API server has taken the change of the definition in."""
    try:
        return tenant.ask(name, **spec)
    except Refused as answer:
        return NotYet(answer.words)
