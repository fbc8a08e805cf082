"""The activator's place in a Service on a real API server: it comes and goes with the replicas that answer."""

from __future__ import annotations

from npuserve.controller.resources import DEPLOYMENTS, ENDPOINT_SLICES, PODS, SERVICE
from npuserve.render import labels
from npuserve.render.names import child_name
from tests.cluster import audit, nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object
from tests.support.activator_process import ENABLED, NAME, activator_process, pods, say_ready
from tests.support.api import Api
from tests.support.installed import NAMESPACE, install, start_operator
from tests.support.site import Site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

ZERO = {"minReplicas": 0, "maxReplicas": 4, "mode": "external"}
"""The test scales."""


def slices(tenant: Tenant, name: str = "chat") -> tuple[Object, list[Object]]:
    """The activator's slice of a service, and those of its pods."""
    found = tenant.api.list(ENDPOINT_SLICES, tenant.namespace, labels=f"{labels.OF_SERVICE}={child_name(name)}")
    ours = [item for item in found if item["metadata"]["labels"][labels.SLICE_MANAGER] == labels.SLICES_OF_ACTIVATOR]
    assert len(ours) <= 1
    return (ours or [{}])[0], [item for item in found if item not in ours]


def leads_to(tenant: Tenant, *expected: str, name: str = "chat") -> Object:
    """The activator's slice once it leads to exactly these addresses."""

    def found() -> Object | NotYet:
        ours, others = slices(tenant, name)
        addresses = [address for item in ours.get("endpoints") or () for address in item["addresses"]]
        if ours and addresses == list(expected):
            return ours
        return NotYet(f"the activator's slice leads to {addresses}; of pods there are {len(others)}")

    return until(found)


def at_zero(tenant: Tenant, name: str = "chat") -> None:
    tenant.has_weights()
    tenant.ask(name, replicas=0, autoscaling=ZERO)
    tenant.wait_until_said(name, "Ready", "True", "ScaledToZero")


def where(ground: Site) -> tuple[str, ...]:
    return tuple(sorted(pod["status"]["podIP"] for pod in pods(ground)))


def scale(tenant: Tenant, replicas: int, name: str = "chat") -> None:
    tenant.api.merge(SERVICE, tenant.namespace, name, {"spec": {"replicas": replicas}}, subresource="scale")


def test_a_service_at_zero_leads_to_the_activator_until_a_replica_answers_and_again_before_the_last_one_goes(
    ground: Site, tenant: Tenant
) -> None:
    at_zero(tenant)
    before = leads_to(tenant, *where(ground))
    scale(tenant, 1)
    tenant.wait_until_ready("chat")
    during = leads_to(tenant)
    _, (of_pods,) = slices(tenant)
    assert of_pods["metadata"]["labels"][labels.SERVICE_UID] == during["metadata"]["labels"][labels.SERVICE_UID]
    assert [item["conditions"]["ready"] for item in of_pods["endpoints"]] == [True]
    scale(tenant, 0)
    tenant.wait_until_said("chat", "Ready", "True", "ScaledToZero")
    after = leads_to(tenant, *where(ground))
    assert before["ports"] == during["ports"] == after["ports"]
    assert before["ports"][0]["name"] == of_pods["ports"][0]["name"]


def test_a_service_that_is_left_alone_costs_no_write_with_the_activators_place_empty_or_not(
    ground: Site, tenant: Tenant
) -> None:
    at_zero(tenant, "empty")
    tenant.ask("full", replicas=1, autoscaling=ZERO)
    tenant.wait_until_ready("full")
    leads_to(tenant, name="full")
    leads_to(tenant, *where(ground), name="empty")
    ground.operator.process.stop()
    position = ground.position()
    for name in ("empty", "full"):
        tenant.annotate(name, "example.com/touched", "now")
    ground.start_and_look()
    assert ground.writes(position, namespace=tenant.namespace) == []


def test_a_replica_that_does_not_answer_any_more_brings_the_activator_back(ground: Site, tenant: Tenant) -> None:
    at_zero(tenant)
    scale(tenant, 1)
    tenant.wait_until_ready("chat")
    leads_to(tenant)
    (pod,) = tenant.pods("chat")
    unready = [{**item, "status": "False"} if item["type"] == "Ready" else item for item in pod["status"]["conditions"]]
    tenant.api.merge(
        PODS, tenant.namespace, pod["metadata"]["name"], {"status": {"conditions": unready}}, subresource="status"
    )
    leads_to(tenant, *where(ground))


def test_services_have_ports_of_their_own_and_keep_them_over_a_restart_of_the_operator(
    ground: Site, tenant: Tenant
) -> None:
    tenant.has_weights()
    names = [f"chat-{number}" for number in range(12)]
    for name in names:
        tenant.ask(name, replicas=0, autoscaling=ZERO)
    before = {name: leads_to(tenant, *where(ground), name=name)["ports"][0]["port"] for name in names}
    assert len(set(before.values())) == len(names)
    ground.operator.process.stop()
    tenant.withdraw(names.pop())
    tenant.ask("new", replicas=0, autoscaling=ZERO)
    ground.start_and_look()
    after = {name: leads_to(tenant, *where(ground), name=name)["ports"][0]["port"] for name in names}
    assert after.items() <= before.items()
    assert leads_to(tenant, *where(ground), name="new")["ports"][0]["port"] not in after.values()


def test_a_slice_of_ours_that_is_edited_or_deleted_by_hand_comes_back(ground: Site, tenant: Tenant) -> None:
    at_zero(tenant)
    before = leads_to(tenant, *where(ground))
    name = before["metadata"]["name"]
    tenant.api.merge(ENDPOINT_SLICES, tenant.namespace, name, {"endpoints": [{"addresses": ["10.9.9.9"]}]})
    assert leads_to(tenant, *where(ground))["metadata"]["uid"] == before["metadata"]["uid"]
    tenant.api.delete(ENDPOINT_SLICES, tenant.namespace, name)
    assert leads_to(tenant, *where(ground))["ports"] == before["ports"]


def test_an_activator_that_is_gone_is_told_by_the_services_that_need_it(ground: Site, tenant: Tenant) -> None:
    at_zero(tenant)
    ground.api.merge(DEPLOYMENTS, NAMESPACE, NAME, {"spec": {"replicas": 0}})
    try:
        tenant.wait_until_said("chat", "Ready", "False", "ActivatorMissing")
        leads_to(tenant)
    finally:
        ground.api.merge(DEPLOYMENTS, NAMESPACE, NAME, {"spec": {"replicas": 1}})
    say_ready(ground)
    tenant.wait_until_said("chat", "Ready", "True", "ScaledToZero")
    leads_to(tenant, *where(ground))


def test_a_floor_takes_the_activators_place_away(ground: Site, tenant: Tenant) -> None:
    at_zero(tenant)
    leads_to(tenant, *where(ground))
    tenant.edit("chat", replicas=1, autoscaling={**ZERO, "minReplicas": 1})
    until(lambda: NotYet("it is there") if slices(tenant)[0] else True)
    tenant.wait_until_ready("chat")


def test_a_foreign_slice_of_that_name_is_a_conflict_and_is_left_alone(ground: Site, tenant: Tenant) -> None:
    foreign = {
        "metadata": {"name": "chat", "namespace": tenant.namespace},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.9.9.9"]}],
    }
    tenant.api.create(ENDPOINT_SLICES, foreign)
    tenant.has_weights()
    tenant.ask("chat", replicas=0, autoscaling=ZERO)
    tenant.wait_until_said("chat", "Ready", "False", "NameConflict")
    found = tenant.api.get(ENDPOINT_SLICES, tenant.namespace, "chat")
    assert found["endpoints"][0]["addresses"] == ["10.9.9.9"]
    tenant.api.delete(ENDPOINT_SLICES, tenant.namespace, "chat")
    tenant.wait_until_said("chat", "Ready", "True", "ScaledToZero")


CONFINED = {
    "watchNamespace": "team-a",
    "config": {"profiles": [{"name": "declared", "hardware": [{"product": "Atlas 800I A2 64G", "nodes": 2}]}]},
    "rbac": {"aggregate": False},
    **ENABLED,
}


def test_an_operator_of_one_namespace_finds_the_activator_beside_it_and_asks_for_nothing_else() -> None:
    with ControlPlane() as cluster:
        cluster.kubectl("create", "namespace", "team-a")
        install(cluster, CONFINED)
        cluster.add_nodes(nodes.a2_64g("a2", 2))
        confined = Site(cluster)
        addresses = say_ready(confined)
        start_operator(cluster)
        tenant = Tenant(Api(cluster), "team-a", make=False)
        at_zero(tenant)
        leads_to(tenant, *addresses)
        with activator_process(confined) as running:
            assert '"services": 1' in running.answer("/readyz")[1]
        assert [audit.described(event) for event in cluster.audit() if audit.code(event) == 403] == []
        for api in (tenant.api, confined.api):
            api.hang_up()


def test_the_activators_own_process_hears_of_services_with_the_rights_of_the_chart(
    ground: Site, tenant: Tenant
) -> None:
    at_zero(tenant)
    with activator_process(ground) as running:
        _, words = running.answer("/readyz")
        assert '"services": 1' in words or '"services": ' in words
        who = {"namespace": tenant.namespace, "name": "chat"}
        until(lambda: True if _told(running.answer("/metrics")[1], who) else NotYet("no such service"))
        tenant.withdraw("chat")
        until(lambda: NotYet("it is told") if _told(running.answer("/metrics")[1], who) else True)
    assert running.process.exit_code == 0


def _told(page: str, who: dict[str, str]) -> bool:
    return f'npuserve_activator_queued{{name="{who["name"]}",namespace="{who["namespace"]}"}}' in page
