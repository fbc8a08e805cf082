"""Services in every state in which a service can stay."""

from __future__ import annotations

from npuserve.controller.resources import CONFIG_MAPS, ENDPOINTS
from npuserve.render.names import memory_name
from tests.support.api import QUOTAS
from tests.support.installed import SAMPLES
from tests.support.models import described
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

OWN_MODEL = {"uri": "pvc://weights/own", "configMapRef": {"name": "own-model"}}
REFUSED = {"parallelism": {"tensor": 3}}
"""Attention heads that three devices cannot share."""
WITH_FILES = {"backend": "mindie", "model": {"uri": "pvc://weights/Qwen/Qwen3-8B"}}
"""An engine that reads its configuration from a file, so that with two replicas there is a child of each kind."""


def converge(tenant: Tenant) -> None:
    """Services that serve, or rightly do not: the samples, a described model, several replicas, none, a name with dots, and
    one that is autoscaled and cannot be read."""
    tenant.has_weights()
    samples = sorted(SAMPLES.glob("*.yaml"))
    for sample in samples:
        tenant.ask_file(sample)
    tenant.api.create(CONFIG_MAPS, described("own-model", tenant.namespace))
    tenant.ask("own", model=OWN_MODEL)
    tenant.ask("several", replicas=3)
    tenant.ask("stopped", replicas=0)
    tenant.ask("name.with.dots")
    tenant.ask("scaled", replicas=2, autoscaling={"maxReplicas": 4})
    tenant.wait_until_ready(
        *(sample.stem for sample in samples), "own", "several", "stopped", "name.with.dots", "scaled"
    )
    tenant.wait_until_said("scaled", "Scaling", "False", "MetricsMissing")
    until(lambda: _kept(tenant, "scaled"))


def _kept(tenant: Tenant, name: str) -> bool | NotYet:
    """Whether what was learned of an autoscaled service is kept, which is written once and then seldom."""
    found = tenant.api.find(CONFIG_MAPS, tenant.namespace, memory_name(name))
    return True if found else NotYet(f"nothing is kept of {name}")


def obstruct(tenant: Tenant) -> None:
    """Services that are looked at again and again, and say the same every time."""
    ports = {"ports": [{"port": 80}]}
    tenant.api.create(ENDPOINTS, {"metadata": {"name": "taken", "namespace": tenant.namespace}, "spec": ports})
    tenant.ask("taken")
    tenant.ask("refused", **REFUSED)
    tenant.ask("no-node", hardware={"nodeSelector": {"zone": "nowhere"}})
    tenant.ask("undescribed", model=OWN_MODEL)
    tenant.ask("too-many", hardware={"product": "Atlas 300I Duo 96G", "devices": 4}, replicas=3)
    tenant.wait_until_said("taken", "Ready", "False", "NameConflict")
    tenant.wait_until_said("refused", "Accepted", "False", "IllegalParallelism")
    tenant.wait_until_said("no-node", "Accepted", "False", "NoMatchingNodes")
    tenant.wait_until_said("undescribed", "Accepted", "False", "ConfigMapMissing")
    tenant.wait_until_said("too-many", "Ready", "False", "Unschedulable")
    quota = {"metadata": {"name": "limit", "namespace": tenant.namespace}, "spec": {"hard": {"pods": "0"}}}
    tenant.api.create(QUOTAS, quota)
    tenant.ask("over-quota")
    tenant.wait_until_said("over-quota", "Ready", "False", "QuotaExceeded")
