"""The operator lives on its own rights: it never asks for more, and in one namespace it needs none outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from npuserve.controller.access import namespace_role
from npuserve.controller.resources import PODS
from tests.cluster import audit, nodes
from tests.cluster.control_plane import ControlPlane
from tests.support.api import Api
from tests.support.installed import ACCOUNT, NAMESPACE, USER, install, start_operator
from tests.support.site import Rest, Site
from tests.support.tenant import Tenant

TEAM = "team-a"
CONFIGURATION = {"profiles": [{"name": "declared", "hardware": [{"product": "Atlas 800I A2 64G", "nodes": 2}]}]}


@pytest.mark.last
def test_in_all_that_the_tests_made_it_do_the_operator_never_asked_for_more_than_its_rights(
    ground: Site, rest: Rest
) -> None:
    for site in (ground, rest.site):
        assert [audit.described(event) for event in site.refusals()] == []
        assert any(site.events())


@pytest.fixture
def confined(tmp_path: Path) -> Iterator[ControlPlane]:
    """A cluster whose operator has rights in one namespace only, and a file that tells it the hardware."""
    with ControlPlane() as cluster:
        install(cluster)
        cluster.kubectl("delete", "clusterrolebinding,clusterrole", "npuserve")
        cluster.add_nodes(nodes.a2_64g("a2", 2))
        yield cluster


def test_an_operator_of_one_namespace_plans_with_declared_hardware_and_says_that_capacity_is_unknown(
    confined: ControlPlane, tmp_path: Path
) -> None:
    api = Api(confined)
    tenant, other = Tenant(api, TEAM), Tenant(api, "team-b")
    role = namespace_role(TEAM)
    name = role["metadata"]["name"]
    confined.kubectl.apply(role)
    confined.kubectl(
        "create",
        "rolebinding",
        name,
        f"--role={name}",
        f"--serviceaccount={NAMESPACE}:{ACCOUNT}",
        f"--namespace={TEAM}",
    )
    configuration = tmp_path / "configuration.yaml"
    configuration.write_text(yaml.safe_dump(CONFIGURATION))
    operator = start_operator(
        confined, environment={"NPUSERVE_WATCH_NAMESPACE": TEAM, "NPUSERVE_CONFIG": str(configuration)}
    )
    tenant.ask("chat", replicas=2)
    other.ask("chat")
    tenant.wait_until_ready("chat")
    plan = tenant.service("chat")["status"]["plan"]
    assert (plan["product"], plan["resourceName"]) == ("Atlas 800I A2 64G", "huawei.com/Ascend910")
    assert [line for line in plan["reasons"] if line.startswith("hardware: which devices are free is unknown")]
    assert len(api.list(PODS, TEAM)) == 2
    assert "status" not in other.service("chat")
    assert other.children() == []
    refused = {audit.described(event) for event in confined.audit(USER) if audit.code(event) == 403}
    assert {line.split()[1] for line in refused} <= {"nodes", "pods"}
    assert operator.answer("/healthz")[0] == 200
    api.hang_up()
