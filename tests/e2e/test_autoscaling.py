"""How many replicas an autoscaled service has where no replica can be read: limits, schedules and others' scalers hold, what
runs stays, and a restart is no jump."""

from __future__ import annotations

import time
from typing import Any

from npuserve.autoscale.decision import LOOP
from npuserve.controller.resources import CONFIG_MAPS, DEPLOYMENTS, SCALERS, SERVICE
from tests.cluster.kubectl import Object
from tests.support.api import NAMESPACES
from tests.support.manifests import condition, said
from tests.support.site import Site, samples
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

ALWAYS = {"start": "* * * * *", "end": "0 0 29 2 *"}
"""A floor that holds at any time but the leap day's first minute."""


def autoscaled(least: int, most: int, **more: Any) -> Object:
    return {"minReplicas": least, "maxReplicas": most, **more}


def wait_for(tenant: Tenant, name: str, replicas: int) -> None:
    """Return when the Deployment of a service asks for so many replicas."""

    def has() -> bool | NotYet:
        found = tenant.deployment(name)["spec"]["replicas"]
        return True if found == replicas else NotYet(f"{name} has {found} of {replicas} replicas")

    until(has)


def scale(tenant: Tenant, name: str, replicas: int) -> None:
    """What `kubectl scale` and every autoscaler does."""
    body = {"spec": {"replicas": replicas}}
    tenant.api.merge(SERVICE, tenant.namespace, name, body, subresource="scale")


def scaler_of(tenant: Tenant, name: str, *, kind: str = SERVICE.kind, api: str = SERVICE.api_version) -> Object:
    """A HorizontalPodAutoscaler on an object, which the cluster stores and nobody acts on for want of metrics."""
    target = {"apiVersion": api, "kind": kind, "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4}
    return tenant.api.create(SCALERS, {"metadata": {"name": "theirs", "namespace": tenant.namespace}, "spec": spec})


def decided(service: Object, **expected: Any) -> Object | NotYet:
    """The service once its last decision is so."""
    found = service.get("status", {}).get("autoscaling", {})
    missing = {key: found.get(key) for key, value in expected.items() if found.get(key) != value}
    return NotYet(f"the decision has {missing}: {found}") if missing else service


def test_replicas_that_cannot_be_read_freeze_their_number_and_the_status_says_so(tenant: Tenant) -> None:
    tenant.ask("chat", replicas=2, autoscaling=autoscaled(1, 4))
    tenant.wait_until_ready("chat")
    service = tenant.wait_until_said("chat", "Scaling", "False", "MetricsMissing")
    assert service["status"]["autoscaling"]["constraint"] == "MetricsMissing"
    assert service["status"]["autoscaling"]["replicas"] == 2
    assert tenant.deployment("chat")["spec"]["replicas"] == 2
    assert condition(service, "Ready")["status"] == "True"
    assert "MetricsMissing" in {reason for reason, _ in tenant.news("chat")}


def test_limits_and_schedules_hold_whatever_can_be_read(tenant: Tenant) -> None:
    tenant.ask("chat", autoscaling=autoscaled(2, 4))
    tenant.wait_until_ready("chat")
    uids = tenant.pod_uids("chat")
    assert len(uids) == 2
    tenant.edit("chat", autoscaling=autoscaled(2, 4, schedule=[{"name": "always", "minReplicas": 3, **ALWAYS}]))
    wait_for(tenant, "chat", 3)
    grown = until(lambda: found if len(found := tenant.pod_uids("chat")) == 3 else NotYet("there are not three pods"))
    assert uids < grown
    tenant.edit("chat", autoscaling=autoscaled(1, 1, schedule=None))
    wait_for(tenant, "chat", 1)
    # Which one stays is the ReplicaSet's choice: ages are compared on a logarithmic scale, and these are alike.
    left = until(lambda: found if len(found := tenant.pod_uids("chat")) == 1 else NotYet("other pods are still there"))
    assert left < grown


def test_the_number_of_replicas_that_the_spec_names_is_where_an_autoscaled_service_begins(tenant: Tenant) -> None:
    tenant.ask("chat", replicas=3, autoscaling=autoscaled(1, 4))
    tenant.wait_until_ready("chat")
    tenant.wait("chat", lambda service: decided(service, replicas=3))
    scale(tenant, "chat", 1)
    tenant.wait("chat", lambda service: said(service, "Ready", "True"))
    assert tenant.deployment("chat")["spec"]["replicas"] == 3


def test_observing_decides_and_changes_nothing(tenant: Tenant) -> None:
    tenant.ask("chat", autoscaling=autoscaled(3, 4, mode="observe"))
    tenant.wait_until_ready("chat")
    service = tenant.wait("chat", lambda service: decided(service, replicas=3))
    assert service["status"]["autoscaling"]["message"].startswith("would have 3: ")
    assert tenant.deployment("chat")["spec"]["replicas"] == 1
    scale(tenant, "chat", 2)
    wait_for(tenant, "chat", 2)


def test_an_external_scaler_uses_the_scale_subresource_and_its_selector(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", autoscaling=autoscaled(1, 4, mode="external"))
    scaler_of(tenant, "chat")
    tenant.wait_until_ready("chat")
    tenant.wait_until_said("chat", "Scaling", "True", "ExternallyScaled")
    scale(tenant, "chat", 2)
    wait_for(tenant, "chat", 2)
    tenant.wait_until_ready("chat")
    until(lambda: _counts(tenant, 2))
    desired = until(lambda: _desired(ground, tenant))
    assert desired >= 1


def _counts(tenant: Tenant, replicas: int) -> bool | NotYet:
    """Whether the subresource shows so many pods under its selector."""
    shown = tenant.api.get(SERVICE, tenant.namespace, "chat", subresource="scale")["status"]
    key, _, value = shown["selector"].partition("=")
    found = [pod for pod in tenant.pods("chat") if pod["metadata"]["labels"].get(key) == value]
    return shown["replicas"] == len(found) == replicas or NotYet(f"{shown} and {len(found)} pods")


def _desired(ground: Site, tenant: Tenant) -> float | NotYet:
    found = samples(ground.operator, "npuserve_autoscale_desired_replicas")
    return found.get(("chat", tenant.namespace)) or NotYet(f"no number of replicas is exported: {found}")


def test_an_autoscaler_on_an_actively_scaled_service_is_told_of_and_not_followed(tenant: Tenant) -> None:
    tenant.ask("chat", replicas=2, autoscaling=autoscaled(2, 4))
    tenant.wait_until_ready("chat")
    scaler = scaler_of(tenant, "chat")
    service = tenant.wait_until_said("chat", "Scaling", "False", "ForeignScaler")
    assert "HorizontalPodAutoscaler theirs writes spec.replicas" in condition(service, "Scaling")["message"]
    scale(tenant, "chat", 4)
    tenant.wait("chat", lambda service: said(service, "Ready", "True"))
    assert tenant.deployment("chat")["spec"]["replicas"] == 2
    tenant.api.delete(SCALERS, tenant.namespace, scaler["metadata"]["name"])
    tenant.wait("chat", _not_foreign)


def _not_foreign(service: Object) -> Object | NotYet:
    reason = condition(service, "Scaling").get("reason")
    return NotYet("it still tells of the scaler") if reason == "ForeignScaler" else service


def test_an_autoscaler_on_the_deployment_keeps_its_number_and_is_told_of(tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    scaler_of(tenant, "chat", kind="Deployment", api="apps/v1")
    service = tenant.wait_until_said("chat", "Scaling", "False", "ForeignScaler")
    assert "scales the Deployment chat" in condition(service, "Scaling")["message"]
    tenant.api.merge(DEPLOYMENTS, tenant.namespace, "chat", {"spec": {"replicas": 3}})
    tenant.edit("chat", template={"labels": {"round": "two"}})
    tenant.wait("chat", lambda service: said(service, "Ready", "True"))
    wait_for(tenant, "chat", 3)


def test_a_restart_of_the_operator_keeps_the_number_and_writes_nothing(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", replicas=3, autoscaling=autoscaled(1, 4))
    tenant.wait_until_ready("chat")
    scale(tenant, "chat", 1)
    tenant.wait_until_said("chat", "Scaling", "False", "MetricsMissing")
    ground.operator.process.stop()
    position = ground.position()
    ground.start_and_look()
    until(lambda: _desired(ground, tenant))
    assert tenant.deployment("chat")["spec"]["replicas"] == 3
    assert ground.writes(position, namespace=tenant.namespace) == []


def test_what_the_autoscaler_keeps_is_none_of_the_files_of_an_engine(tenant: Tenant) -> None:
    tenant.ask("chat", autoscaling=autoscaled(1, 4))
    tenant.wait_until_ready("chat")
    uid = tenant.service("chat")["metadata"]["uid"]
    owner = {**tenant.deployment("chat")["metadata"]["ownerReferences"][0]}
    labels = {"npuserve.io/service-uid": uid, "npuserve.io/keeps": "autoscaling"}
    metadata = {"name": "chat-autoscaling", "namespace": tenant.namespace, "labels": labels, "ownerReferences": [owner]}
    kept = tenant.api.create(CONFIG_MAPS, {"metadata": metadata, "data": {"memory.json": "{}"}})
    tenant.edit("chat", context={"maxModelLen": 4096})
    tenant.wait_until_ready("chat")
    found = tenant.api.get(CONFIG_MAPS, tenant.namespace, "chat-autoscaling")
    assert found["metadata"]["uid"] == kept["metadata"]["uid"]


def test_a_service_that_goes_with_its_namespace_claims_no_room_any_more(ground: Site) -> None:
    gone = Tenant(ground.api, "goes")
    gone.ask("chat", replicas=2, autoscaling=autoscaled(1, 4))
    gone.wait_until_ready("chat")
    until(lambda: _desired(ground, gone))
    ground.api.delete(NAMESPACES, "", gone.namespace)

    def forgotten() -> bool | NotYet:
        found = samples(ground.operator, "npuserve_autoscale_desired_replicas")
        return ("chat", gone.namespace) not in found or NotYet("it is still scaled")

    until(forgotten)
    time.sleep(2 * LOOP)
    assert forgotten() is True
