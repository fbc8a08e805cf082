"""An upgrade from the chart, the CRD and the operator of before, and back: what runs is not touched, and nothing is lost.

`older/npuserve-0.1.0.tgz` is the chart of an earlier commit, packaged by Helm. The operator of its time plans an older version of the engine
(tests/support/older_operator.py), so that a plan that was made anew would show.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from npuserve.controller.resources import CHILDREN, PODS, SERVICE
from tests.cluster import nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object
from tests.support.api import DEFINITIONS, Api, Refused
from tests.support.helm import RELEASE, Helm, helm
from tests.support.installed import DEFINITION, NAMESPACE, wait_until_served
from tests.support.older_operator import OLDER
from tests.support.site import Site
from tests.support.states import REFUSED, WITH_FILES
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

OLDER_CHART = Path(__file__).with_name("older") / "npuserve-0.1.0.tgz"
OLDER_OPERATOR = (sys.executable, "-m", "tests.support.older_operator")
TEAM = "team-a"


@pytest.fixture
def ground() -> Iterator[tuple[Site, Helm]]:
    """A cluster with the older chart and its operator at work."""
    with ControlPlane() as cluster:
        cluster.add_nodes([*nodes.a2_64g("a2", 2), *nodes.duo_96g("duo", 1)])
        run = helm(cluster.folder, kubeconfig=cluster.admin_kubeconfig)
        run.install(chart=OLDER_CHART)
        wait_until_served(cluster)
        site = Site(cluster)
        site.start(command=OLDER_OPERATOR)
        yield site, run
        site.api.hang_up()


def test_an_upgrade_and_the_way_back_restart_no_service_change_no_plan_and_lose_nothing(
    ground: tuple[Site, Helm],
) -> None:
    site, run = ground
    tenant = _in_all_states(site.api)
    before, definition = _state(site.api), _definition(site.api)
    position = site.position()

    run.install()
    until(lambda: _served(site.api))
    assert _definition(site.api) != definition, "the older chart's definition is no older one"
    assert _state(site.api) == before
    site.operator.process.stop()
    site.start_and_look()
    assert _state(site.api) == before
    assert tenant.service("chat")["status"]["plan"]["backendVersion"] == OLDER
    assert site.writes(position, resource="deployments") == []
    other = Tenant(site.api, "team-b")
    other.ask("newer", replicas=0)
    other.wait_until_ready("newer")
    assert other.service("newer")["status"]["plan"]["backendVersion"] != OLDER

    position = site.position()
    run("rollback", RELEASE, "1", f"--namespace={NAMESPACE}")
    until(lambda: _served(site.api))
    assert _definition(site.api) == definition
    site.operator.process.stop()
    site.start_and_look(command=OLDER_OPERATOR)
    assert _state(site.api) == before
    assert site.writes(position, resource="deployments", namespace=TEAM) == []


def _in_all_states(api: Api) -> Tenant:
    tenant = Tenant(api, TEAM)
    tenant.has_weights()
    tenant.ask("chat")
    tenant.ask("several", replicas=3)
    tenant.ask("files", replicas=2, **WITH_FILES)
    tenant.ask("stopped", replicas=0)
    tenant.ask("refused", **REFUSED)
    tenant.wait_until_ready("chat", "several", "files", "stopped")
    tenant.wait_until_said("refused", "Accepted", "False")
    return tenant


def _state(api: Api) -> dict[str, Any]:
    """What a restart, a new plan or a loss would show in."""
    objects = [item for resource in (*CHILDREN, PODS) for item in api.list(resource, TEAM)]
    return {
        **{item["metadata"]["uid"]: (item["kind"], item["metadata"].get("generation")) for item in objects},
        **{item["metadata"]["uid"]: _service(item) for item in api.list(SERVICE, TEAM)},
    }


def _service(item: Object) -> tuple[Any, ...]:
    """Reasons are left out: those of a newer operator tell of newer versions."""
    plan = {key: value for key, value in item["status"].get("plan", {}).items() if key != "reasons"}
    conditions = {(held["type"], held["status"], held["reason"]) for held in item["status"]["conditions"]}
    return item["metadata"]["name"], item["spec"], plan, conditions


def _served(api: Api) -> bool | NotYet:
    """Whether services can be read: a definition that changes makes its storage anew, which is answered with 429."""
    try:
        return bool(api.list(SERVICE))
    except Refused as answer:
        return NotYet(answer.words)


def _definition(api: Api) -> str:
    return yaml.safe_dump(api.get(DEFINITIONS, "", DEFINITION)["spec"])
