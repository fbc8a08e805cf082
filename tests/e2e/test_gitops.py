"""Tools that hold manifests in Git: applying again changes nothing, and the status tells them what they wait for."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from npuserve.controller.resources import SERVICE
from tests.cluster.kubectl import KubectlFailed, Object
from tests.support.api import QUOTAS
from tests.support.argocd import CUSTOMIZATION, health
from tests.support.helm import helm
from tests.support.installed import SAMPLES
from tests.support.manifests import a_service, condition
from tests.support.site import Site
from tests.support.states import REFUSED
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

TIMES = 5
MANAGER = "argocd-controller"
SERVER_SIDE = ("--server-side", f"--field-manager={MANAGER}")
CLIENT_SIDE = ()


@pytest.fixture
def manifests(tenant: Tenant, tmp_path: Path) -> Path:
    """A file with services as Git holds them: the samples, several replicas, none, a refused one, every part of a spec."""
    tenant.has_weights()
    services = [yaml.safe_load(file.read_text()) for file in sorted(SAMPLES.glob("*.yaml"))]
    services += [
        a_service("several", replicas=3),
        a_service("stopped", replicas=0),
        a_service("refused", **REFUSED),
        a_service(
            "detailed", context={"maxModelLen": 8192}, hardware={"devices": 1}, template={"labels": {"team": "a"}}
        ),
    ]
    for service in services:
        service["metadata"]["namespace"] = tenant.namespace
    file = tmp_path / "services.yaml"
    file.write_text(yaml.safe_dump_all(services))
    return file


@pytest.mark.parametrize("way", [SERVER_SIDE, CLIENT_SIDE], ids=["server-side", "client-side"])
def test_applying_the_same_manifests_again_and_again_changes_nothing_and_conflicts_with_nobody(
    ground: Site, tenant: Tenant, manifests: Path, way: tuple[str, ...]
) -> None:
    kubectl, given = ground.cluster.kubectl, f"--filename={manifests}"
    kubectl("apply", *way, given)
    tenant.wait_until_ready("several", "stopped", "detailed", *(file.stem for file in SAMPLES.glob("*.yaml")))
    tenant.wait_until_said("refused", "Accepted", "False")
    before, position = _versions(tenant), until(lambda: _calm(ground, tenant))
    for _ in range(TIMES):
        kubectl("apply", *way, given)
        assert kubectl("diff", *way, given) == ""
    assert _versions(tenant) == before
    assert ground.writes(position, namespace=tenant.namespace) == []


def _calm(ground: Site, tenant: Tenant) -> int | NotYet:
    """A position of the audit log before which the services are as they stay: their counts of pods are final."""
    unfinished = [
        item["metadata"]["name"]
        for item in tenant.api.list(SERVICE, tenant.namespace)
        if item["metadata"]["name"] != "refused"
        and item["status"].get("readyReplicas", 0) != item["spec"].get("replicas", 1)
    ]
    return NotYet(f"{unfinished} are still counted") if unfinished else ground.position()


def _versions(tenant: Tenant) -> dict[str, tuple[str, int]]:
    found = tenant.api.list(SERVICE, tenant.namespace)
    return {item["metadata"]["name"]: (str(item["spec"]), item["metadata"]["generation"]) for item in found}


def test_two_tools_that_apply_the_same_fields_share_them(ground: Site, tenant: Tenant, manifests: Path) -> None:
    """Server-side apply without force: a conflict would be an error here."""
    for manager in (MANAGER, "kustomize-controller"):
        ground.cluster.kubectl("apply", "--server-side", f"--field-manager={manager}", f"--filename={manifests}")
    tenant.wait_until_ready("several")


def test_the_operator_owns_the_status_and_no_other_field_of_a_service(tenant: Tenant) -> None:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    owned = {
        (entry.get("subresource", ""), field)
        for entry in tenant.service("chat")["metadata"]["managedFields"]
        if entry["manager"] == "npuserve"
        for field in entry["fieldsV1"]
    }
    assert owned == {("status", "f:status")}


def test_kubectl_waits_for_ready_and_says_when_it_is_not(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat")
    kubectl, here = ground.cluster.kubectl, f"--namespace={tenant.namespace}"
    assert "condition met" in kubectl("wait", "--for=condition=Ready", "inferenceservice/chat", here, "--timeout=60s")
    tenant.ask("refused", **REFUSED)
    tenant.wait_until_said("refused", "Accepted", "False")
    with pytest.raises(KubectlFailed, match="timed out"):
        kubectl("wait", "--for=condition=Ready", "inferenceservice/refused", here, "--timeout=1s")
    assert "condition met" in kubectl(
        "wait", "--for=condition=Stalled", "inferenceservice/refused", here, "--timeout=9s"
    )


@pytest.fixture
def chart_of_a_team(tmp_path: Path) -> Callable[..., Path]:
    """A chart with one service, as a team would write it."""

    def write(name: str, **spec: Any) -> Path:
        chart = tmp_path / name
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": name, "version": "1.0.0"}))
        service = a_service(name, **spec)
        del service["metadata"]["namespace"]
        (chart / "templates" / "service.yaml").write_text(yaml.safe_dump(service))
        return chart

    return write


def test_helm_waits_for_services_and_fails_for_one_that_is_refused(
    ground: Site, tenant: Tenant, tmp_path: Path, chart_of_a_team: Callable[..., Path]
) -> None:
    """Helm 4 reads kstatus, with the library that Flux has."""
    run = helm(tmp_path / "helm", kubeconfig=ground.cluster.admin_kubeconfig)
    here = f"--namespace={tenant.namespace}"
    run("install", "good", str(chart_of_a_team("good")), here, "--wait", "--timeout=60s")
    assert condition(tenant.service("good"), "Ready")["status"] == "True"
    words = ("install", "bad", str(chart_of_a_team("bad", **REFUSED)), here, "--wait", "--timeout=60s")
    answer = subprocess.run(
        [str(run.program), *words],
        env=os.environ | run.environment(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert answer.returncode != 0
    assert "heads" in answer.stderr or "Stalled" in answer.stderr or "Failed" in answer.stderr


STATES: dict[str, Callable[[Tenant], Object]] = {}
"""How each file of test data of the health check comes about."""


def _state(make: Callable[[Tenant], Object]) -> Callable[[Tenant], Object]:
    STATES[make.__name__.removeprefix("_")] = make
    return make


@_state
def _progressing_new(tenant: Tenant) -> Object:
    return tenant.ask("chat")


@_state
def _healthy(tenant: Tenant) -> Object:
    tenant.ask("chat")
    return tenant.wait_until_said("chat", "Ready", "True")


@_state
def _healthy_scaled_to_zero(tenant: Tenant) -> Object:
    tenant.ask("chat", replicas=0)
    return tenant.wait_until_said("chat", "Ready", "True", "ScaledToZero")


@_state
def _healthy_fewer_replicas(tenant: Tenant) -> Object:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    _allow_pods(tenant, "1")
    tenant.edit("chat", replicas=2)
    return tenant.wait_until_said("chat", "Degraded", "True", "QuotaExceeded")


@_state
def _progressing_change(tenant: Tenant) -> Object:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    return tenant.edit("chat", context={"maxModelLen": 4096})


@_state
def _progressing_quota(tenant: Tenant) -> Object:
    _allow_pods(tenant, "0")
    tenant.ask("chat")
    return tenant.wait_until_said("chat", "Ready", "False", "QuotaExceeded")


@_state
def _degraded_refused(tenant: Tenant) -> Object:
    tenant.ask("chat", **REFUSED)
    return tenant.wait_until_said("chat", "Stalled", "True")


@_state
def _degraded_refused_change(tenant: Tenant) -> Object:
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    tenant.edit("chat", **REFUSED)
    return tenant.wait_until_said("chat", "Stalled", "True")


def _allow_pods(tenant: Tenant, count: str) -> None:
    hard = {"pods": count}
    body = {"metadata": {"name": "limit", "namespace": tenant.namespace}, "spec": {"hard": hard}}
    tenant.api.create(QUOTAS, body)
    until(
        lambda: (
            True
            if tenant.api.get(QUOTAS, tenant.namespace, "limit").get("status", {}).get("hard") == hard
            else NotYet("the quota is not in force")
        )
    )


@pytest.mark.parametrize("name", sorted(STATES))
def test_the_test_data_of_the_health_check_is_what_the_cluster_says(
    request: pytest.FixtureRequest, tenant: Tenant, name: str
) -> None:
    """`--update-golden` takes it anew."""
    live, file = STATES[name](tenant), CUSTOMIZATION / "testdata" / f"{name}.yaml"
    if request.config.getoption("--update-golden"):
        live["metadata"].pop("managedFields", None)
        live["metadata"]["namespace"] = "team-a"
        file.write_text(yaml.safe_dump(live, sort_keys=False, width=120), encoding="utf-8")
    kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    script = (CUSTOMIZATION / "health.lua").read_text(encoding="utf-8")
    assert _told(kept) == _told(live)
    assert health(script, live)[0] == health(script, kept)[0] == name.partition("_")[0].capitalize()


def _told(service: Object) -> list[tuple[str, str, str]]:
    conditions = service.get("status", {}).get("conditions", [])
    return [(item["type"], item["status"], item["reason"]) for item in conditions]


def test_every_state_has_its_file() -> None:
    assert {file.stem for file in (CUSTOMIZATION / "testdata").glob("*.yaml")} == set(STATES)
