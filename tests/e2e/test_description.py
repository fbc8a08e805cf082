"""`model.configMapRef`: a described model is planned, a missing description is refused by its name and heals when it appears."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.controller.resources import CONFIG_MAPS
from tests.support.manifests import condition
from tests.support.models import described
from tests.support.tenant import Tenant

OWN: dict[str, Any] = {"uri": "pvc://weights/in-house/chat-4b", "configMapRef": {"name": "chat-4b"}}
LOOK_AGAIN = 40.0
"""No watch tells of a ConfigMap that is not ours; the operator looks again every 30 s."""


def test_a_described_model_is_planned(tenant: Tenant) -> None:
    tenant.has_weights()
    tenant.api.create(CONFIG_MAPS, described("chat-4b", tenant.namespace))
    tenant.ask("chat", model=OWN)
    tenant.wait_until_ready("chat")
    plan = tenant.service("chat")["status"]["plan"]
    assert plan["context"]["maxModelLen"] == 32768
    assert plan["memory"]["weights"] > 7 * 10**9


def test_a_missing_description_is_refused_by_its_name(tenant: Tenant) -> None:
    tenant.ask("chat", model=OWN)
    service = tenant.wait_until_said("chat", "Accepted", "False", "ConfigMapMissing")
    message = condition(service, "Accepted")["message"]
    assert message.startswith("spec.model.configMapRef.name: ")
    assert "chat-4b" in message


@pytest.mark.last
def test_a_service_whose_description_appeared_becomes_ready(undescribed: Tenant) -> None:
    undescribed.wait_until_ready("chat", within=LOOK_AGAIN)


def test_a_description_that_goes_is_told_and_what_runs_stays(tenant: Tenant) -> None:
    tenant.has_weights()
    tenant.api.create(CONFIG_MAPS, described("chat-4b", tenant.namespace))
    tenant.ask("chat", model=OWN)
    tenant.wait_until_ready("chat")
    before = tenant.pod_uids("chat")
    tenant.api.delete(CONFIG_MAPS, tenant.namespace, "chat-4b")
    tenant.annotate("chat", "example.com/touched", "1")
    service = tenant.wait_until_said("chat", "Accepted", "False", "ConfigMapMissing")
    assert condition(service, "Available")["status"] == "True"
    assert tenant.pod_uids("chat") == before


def test_a_description_that_cannot_be_read_is_refused_with_what_is_wrong(tenant: Tenant) -> None:
    body = described("chat-4b", tenant.namespace)
    tenant.api.create(CONFIG_MAPS, {**body, "data": {"config.json": "{not json"}})
    tenant.ask("chat", model=OWN)
    service = tenant.wait_until_said("chat", "Accepted", "False")
    assert "config.json" in condition(service, "Accepted")["message"]
