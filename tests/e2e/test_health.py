"""What the operator says of itself: /healthz proves that it hears the cluster, /metrics is what Prometheus reads."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from prometheus_client.parser import text_string_to_metric_families

from npuserve.controller.freshness import HEARD_SECONDS
from npuserve.controller.resources import SERVICE
from tests.cluster import audit, nodes
from tests.cluster.control_plane import API_ONLY, ControlPlane
from tests.support.api import Api
from tests.support.installed import ACCOUNT, CRD, USER, install, start_operator, wait_until_served
from tests.support.manifests import a_service, ready, said
from tests.support.silence import Noticed
from tests.support.site import Site, samples
from tests.support.states import REFUSED
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

METRICS = {
    "npuserve_reconcile": "counter",
    "npuserve_reconcile_seconds": "histogram",
    "npuserve_api_requests": "counter",
    "npuserve_leader": "gauge",
    "npuserve_build_info": "gauge",
    "npuserve_queue_depth": "gauge",
    "npuserve_watch_age_seconds": "gauge",
    "npuserve_service_condition": "gauge",
    "npuserve_autoscale_decision_seconds": "histogram",
    "npuserve_autoscale_look_seconds": "histogram",
    "npuserve_autoscale_failures": "counter",
    "npuserve_scrape_failures": "counter",
    "npuserve_autoscale_constraint": "gauge",
    "npuserve_autoscale_requests": "counter",
    "npuserve_autoscale_late_requests": "counter",
    **{
        f"npuserve_autoscale_{what}": "gauge"
        for what in (
            "desired_replicas",
            "wanted_replicas",
            "need_replicas",
            "forecast_replicas",
            "headroom_replicas",
            "arrivals_per_second",
            "output_tokens_per_second",
            "cold_start_seconds",
            "miss_price",
            "leaving_replicas",
            "unread_replicas",
        )
    },
}
WITHOUT_ELECTION = {"NPUSERVE_LEADER_ELECTION": "false"}


def test_metrics_are_what_prometheus_reads_under_the_names_that_dashboards_use(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    found = {family.name: family for family in text_string_to_metric_families(ground.operator.get("/metrics"))}
    of_ours = {name: family.type for name, family in found.items() if not name.endswith("_created")}
    assert of_ours == METRICS
    assert all(family.documentation for family in found.values())


def test_metrics_tell_what_is_true_of_a_service_until_it_is_gone(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    key = ("chat", tenant.namespace, "Ready")
    until(lambda: True if _conditions(ground).get(key) == 1 else NotYet("Ready is not 1"))
    tenant.edit("chat", parallelism={"tensor": 3})
    until(lambda: True if _conditions(ground).get(key) == 0 else NotYet("Ready is not 0"))
    tenant.withdraw("chat")
    until(lambda: NotYet("the service is still told") if key in _conditions(ground) else True)


def _conditions(ground: Site) -> dict[tuple[str, ...], float]:
    return samples(ground.operator, "npuserve_service_condition")


def test_a_working_operator_is_healthy_and_ready_and_tells_when_it_heard_each_stream(ground: Site) -> None:
    code, body = ground.operator.answer("/healthz")
    assert (code, body.splitlines()[0]) == (200, "ok (leader)")
    streams = {line.partition(":")[0] for line in body.splitlines()[1:]}
    assert streams >= {"inferenceservices", "deployments", "services", "configmaps", "nodes", "pods", "lease"}
    assert ground.operator.answer("/readyz") == (200, "leader\n")
    assert ground.operator.answer("/debug")[0] == 404


@pytest.mark.last
def test_an_operator_that_hears_nothing_becomes_unhealthy_until_it_hears_again(
    silence: tuple[Site, Future[Noticed]],
) -> None:
    """The process lives and its loop turns all the time: a probe that only asked for an answer would see nothing."""
    site, outcome = silence
    noticed = outcome.result(timeout=300)
    assert "was not heard for" in noticed.bad
    assert noticed.age > HEARD_SECONDS
    assert noticed.good.startswith("ok")
    assert site.operator.process.exit_code is None
    tenant = Tenant(site.api, "heard-again")
    tenant.ask("refused", **REFUSED)
    tenant.wait_until_said("refused", "Accepted", "False", "IllegalParallelism")


def test_an_operator_that_is_older_than_its_crd_begins_when_the_crd_is_applied() -> None:
    """Charts and GitOps tools give no order."""
    with ControlPlane(API_ONLY) as cluster:
        install(cluster, {"crds": {"enabled": False}})
        operator = start_operator(cluster, environment=WITHOUT_ELECTION)
        assert operator.answer("/readyz")[0] == 503
        assert operator.answer("/healthz")[0] == 200
        cluster.kubectl("apply", "--server-side", "--filename", str(CRD))
        wait_until_served(cluster)
        api = Api(cluster)
        api.create(SERVICE, a_service("refused", parallelism={"tensor": 3}))
        until(lambda: said(api.get(SERVICE, "default", "refused"), "Accepted", "False"))
        api.hang_up()


def test_an_operator_that_is_older_than_its_rights_works_when_it_has_them() -> None:
    """It had asked for everything and was refused; nodes too, without which services are refused."""
    with ControlPlane() as cluster:
        cluster.add_nodes(nodes.a2_64g("a2", 1))
        install(cluster)
        binding = cluster.kubectl("get", "clusterrolebinding", ACCOUNT, "--output=json")
        cluster.kubectl("delete", "clusterrolebinding", ACCOUNT)
        operator = start_operator(cluster)
        until(lambda: _refused_reading_nodes(cluster))
        assert operator.answer("/healthz")[0] == 200
        cluster.kubectl("create", "--filename=-", input=binding)
        api = Api(cluster)
        api.create(SERVICE, a_service("chat"))
        until(lambda: ready(api.get(SERVICE, "default", "chat")))
        api.hang_up()


def _refused_reading_nodes(cluster: ControlPlane) -> bool | NotYet:
    refused = [event for event in cluster.audit(USER) if audit.code(event) == 403]
    return any("list nodes" in audit.described(event) for event in refused) or NotYet("nodes were not asked for")
