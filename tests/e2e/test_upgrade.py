"""An upgrade from the chart, the CRD and the operator of an earlier commit to the present ones, and back: what runs is not
touched, and nothing is lost.

`older/` holds that commit's chart, packaged by Helm, and its operator as a wheel, which runs on the present dependencies. Take newer
ones when those no longer fit it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from npuserve.controller.resources import CHILDREN, PODS, SERVICE
from tests.cluster import nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Object
from tests.support.api import DEFINITIONS, Api, Refused
from tests.support.helm import RELEASE, Helm, helm
from tests.support.installed import DEFINITION, NAMESPACE, wait_until_served
from tests.support.site import Site
from tests.support.states import REFUSED, WITH_FILES
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until

OLDER = Path(__file__).with_name("older")
RUN_OLDER = (sys.executable, "-c", "from npuserve.cli import main; main(['run'])")
LASTING = ("Ready", "Accepted", "Available", "Stalled", "Reconciling")
"""Conditions that both operators know."""
TEAM = "team-a"
AFTERWARDS_SECONDS = 3.0
"""Which a late write gets after every service was looked at."""


@pytest.fixture
def older(tmp_path: Path) -> dict[str, str]:
    """The environment in which the operator of then runs."""
    with ZipFile(next(OLDER.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "operator")
    return {"PYTHONPATH": str(tmp_path / "operator")}


@pytest.fixture
def ground(older: dict[str, str]) -> Iterator[tuple[Site, Helm]]:
    """A cluster with the older chart and its operator at work."""
    with ControlPlane() as cluster:
        cluster.add_nodes([*nodes.a2_64g("a2", 2), *nodes.duo_96g("duo", 1)])
        run = helm(cluster.folder, kubeconfig=cluster.admin_kubeconfig)
        run.install(chart=next(OLDER.glob("*.tgz")))
        wait_until_served(cluster)
        site = Site(cluster)
        site.start(command=RUN_OLDER, environment=older)
        yield site, run
        site.api.hang_up()


def test_an_upgrade_and_the_way_back_restart_no_service_change_no_plan_and_lose_nothing(
    ground: tuple[Site, Helm], older: dict[str, str]
) -> None:
    site, run = ground
    _in_all_states(site.api)
    before, plans, definition = _state(site.api), _plans(site.api), _definition(site.api)

    run.install()
    until(lambda: _served(site.api))
    assert _definition(site.api) != definition, "the older chart's definition is no older one"
    site.operator.process.stop()
    site.start_and_look()
    time.sleep(AFTERWARDS_SECONDS)
    assert _state(site.api) == before
    assert _kept(plans, _plans(site.api)) == plans
    other = Tenant(site.api, "team-b")
    other.ask("newer", replicas=0)
    other.wait_until_ready("newer")

    # As `helm rollback` and a rolling update do it: the definition goes back first.
    run("rollback", RELEASE, "1", f"--namespace={NAMESPACE}")
    until(lambda: _served(site.api))
    assert _definition(site.api) == definition
    other.ask("between", replicas=0)
    other.wait_until_ready("between")
    site.operator.process.stop()
    site.start_and_look(command=RUN_OLDER, environment=older)
    time.sleep(AFTERWARDS_SECONDS)
    assert _state(site.api) == before
    assert _kept(plans, _plans(site.api)) == plans


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
    """What a restart, another template or a loss would show in. A Deployment counts a generation for annotations as well,
    of which the operator's record of the plan is one; its spec is compared instead."""
    objects = [item for resource in (*CHILDREN, PODS) for item in api.list(resource, TEAM)]
    return {
        **{item["metadata"]["uid"]: (item["kind"], item.get("spec"), item.get("data")) for item in objects},
        **{item["metadata"]["uid"]: _service(item) for item in api.list(SERVICE, TEAM)},
    }


def _service(item: Object) -> tuple[Any, ...]:
    conditions = item["status"]["conditions"]
    said = {(held["type"], held["status"], held["reason"]) for held in conditions if held["type"] in LASTING}
    return item["metadata"]["name"], item["spec"], said


def _plans(api: Api) -> dict[str, dict[str, Any]]:
    """What each service's plan says, but for its reasons: a newer operator tells of newer versions and finer budgets."""
    told = ("reasons", "memory")
    return {
        item["metadata"]["name"]: {
            key: value for key, value in item["status"].get("plan", {}).items() if key not in told
        }
        for item in api.list(SERVICE, TEAM)
    }


def _kept(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The later plans as far as the earlier ones had something to say."""
    return {name: {key: after[name].get(key) for key in plan} for name, plan in before.items()}


def _served(api: Api) -> bool | NotYet:
    """Whether services can be read: a definition that changes makes its storage anew, which is answered with 429."""
    try:
        return bool(api.list(SERVICE))
    except Refused as answer:
        return NotYet(answer.words)


def _definition(api: Api) -> str:
    return yaml.safe_dump(api.get(DEFINITIONS, "", DEFINITION)["spec"])
