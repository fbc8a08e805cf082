"""A spec that cannot be planned is refused with reason, field and fix; what runs stays untouched; a good spec heals it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from npuserve.controller.resources import DEPLOYMENTS, EVENTS
from tests.support.api import NAMESPACES
from tests.support.installed import SAMPLES
from tests.support.manifests import condition
from tests.support.site import Site
from tests.support.tenant import Tenant

REFUSED = SAMPLES / "refused"
CORRECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "auth-unsupported": ("spec.auth", {"auth": None}),
    "context-too-long": ("spec.context.maxModelLen", {"context": None}),
    "heads-not-divisible": ("spec.parallelism.tensor", {"parallelism": None}),
    "model-too-large": ("spec.model", {"model": {"uri": "modelscope://Qwen/Qwen3-8B"}}),
    "no-such-node": ("spec.hardware", {"hardware": None}),
    "quantization-unsupported": ("spec.quantization", {"quantization": "none"}),
    "reserved-argument": ("spec.engineArgs.port", {"engineArgs": None}),
    "source-unsupported": ("spec.model.uri", {"backend": "auto"}),
    "too-many-devices": ("spec.hardware.devices", {"hardware": {"devices": None}}),
    "unknown-argument": (
        "spec.engineArgs.max-batched-tokens",
        {"engineArgs": {"max-batched-tokens": None, "max-num-batched-tokens": 4096}},
    ),
    "unknown-backend": ("spec.backend", {"backend": "auto"}),
    "unknown-model": ("spec.model", {"model": {"uri": "modelscope://Qwen/Qwen3-8B"}}),
}
"""Per sample: how the field that its refusal names begins, and the edit that makes a good service of it."""


@pytest.fixture(scope="module")
def bystanders(ground: Site) -> Iterator[Tenant]:
    """Two services of another namespace that run all the time."""
    made = Tenant(ground.api, "bystanders")
    made.ask("one")
    made.ask("two", replicas=2)
    made.wait_until_ready("one", "two")
    yield made
    ground.api.delete(NAMESPACES, "", made.namespace)


def running(tenant: Tenant) -> dict[str, Any]:
    """What a restart, a rollout or a write would change."""
    deployments = tenant.api.list(DEPLOYMENTS, tenant.namespace)
    return {
        item["metadata"]["name"]: (
            item["metadata"]["uid"],
            item["metadata"]["generation"],
            frozenset(tenant.pod_uids(item["metadata"]["name"])),
        )
        for item in deployments
    }


def reason_of(sample: Path) -> str:
    """The reason that a sample's first line names."""
    return sample.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(":")[0]


def test_every_refused_sample_has_a_correction() -> None:
    assert {file.stem for file in REFUSED.glob("*.yaml")} == set(CORRECTIONS)


@pytest.mark.parametrize("name", sorted(CORRECTIONS))
def test_a_refused_sample_says_why_and_a_correction_makes_it_ready_without_touching_others(
    tenant: Tenant, bystanders: Tenant, name: str
) -> None:
    sample = REFUSED / f"{name}.yaml"
    reason, (field, correction) = reason_of(sample), CORRECTIONS[name]
    others = running(bystanders)
    tenant.has_weights()
    tenant.ask_file(sample)

    service = tenant.wait_until_said(name, "Accepted", "False", reason)
    for kind, status in (("Ready", "False"), ("Stalled", "True"), ("Accepted", "False")):
        assert (condition(service, kind)["status"], condition(service, kind)["reason"]) == (status, reason)
    message = condition(service, "Accepted")["message"]
    assert message.startswith(field)
    assert condition(service, "Available")["status"] == "False"
    assert condition(service, "Reconciling") == {}
    assert not tenant.children(name)
    (event,) = tenant.api.list(EVENTS, tenant.namespace)
    assert (event["type"], event["reason"], event["message"]) == ("Warning", reason, message)

    tenant.edit(name, **correction)
    tenant.wait_until_ready(name)
    assert condition(tenant.service(name), "Accepted")["status"] == "True"
    assert condition(tenant.service(name), "Stalled") == {}
    assert running(bystanders) == others


def test_a_refused_edit_leaves_what_runs_as_it_is_and_says_so(ground: Site, tenant: Tenant) -> None:
    tenant.ask("chat", replicas=2)
    tenant.wait_until_ready("chat")
    before, generation = running(tenant), tenant.service("chat")["metadata"]["generation"]
    plan, position = tenant.service("chat")["status"]["plan"], ground.position()

    tenant.edit("chat", parallelism={"tensor": 3})
    service = tenant.wait_until_said("chat", "Accepted", "False", "IllegalParallelism")
    assert condition(service, "Ready")["status"] == "False"
    assert condition(service, "Stalled")["status"] == "True"
    assert condition(service, "Available")["status"] == "True"
    assert service["status"]["observedGeneration"] == generation + 1
    assert service["status"]["plan"] == plan
    assert plan["observedGeneration"] == generation
    assert service["status"]["replicas"] == 2
    assert running(tenant) == before

    tenant.edit("chat", parallelism=None)
    tenant.wait_until_ready("chat")
    assert running(tenant) == before
    assert ground.writes(position, resource="deployments", namespace=tenant.namespace) == []
