"""The operator lives on the rights that the chart gives it: it never asks for more, uses each of them, and in one namespace
it needs none outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from npuserve.api.status import NOT_YET
from npuserve.controller.access import CLUSTER, ELECTION, WORK
from npuserve.controller.resources import PODS
from tests.cluster import audit, nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.support.api import Api
from tests.support.installed import ACCOUNT, NAMESPACE, USER, install, start_operator
from tests.support.site import Rest, Site, kinds, named
from tests.support.tenant import Tenant

TEAM = "team-a"
CONFINED: dict[str, Any] = {
    "watchNamespace": TEAM,
    "config": {"profiles": [{"name": "declared", "hardware": [{"product": "Atlas 800I A2 64G", "nodes": 2}]}]},
    "rbac": {"aggregate": False},
}
FOLDER = Path(__file__).parent


@pytest.mark.last
def test_in_all_that_the_tests_made_it_do_the_operator_never_asked_for_more_than_its_rights(
    ground: Site, rest: Rest
) -> None:
    for site in (ground, rest.site):
        assert [audit.described(event) for event in site.refusals()] == []
        assert any(site.events())


@pytest.mark.last
def test_in_all_that_the_tests_made_it_do_the_operator_used_every_right_that_it_has(
    request: pytest.FixtureRequest, ground: Site, rest: Rest
) -> None:
    asked = {item.path for item in request.session.items}
    if not asked.issuperset(FOLDER.glob("test_*.py")) or request.config.getoption("keyword"):
        pytest.skip("only a part of the suite was asked for, which makes it do less")
    used = kinds(ground) | kinds(rest.site)
    assert sorted(named((*WORK, *CLUSTER, *ELECTION)) - used) == []


@pytest.fixture
def confined() -> Iterator[ControlPlane]:
    """A cluster whose operator has rights in one namespace only, and a file that tells it the hardware."""
    with ControlPlane() as cluster:
        cluster.kubectl("create", "namespace", TEAM)
        install(cluster, CONFINED)
        cluster.add_nodes(nodes.a2_64g("a2", 2))
        yield cluster


def readable(kubectl: Kubectl, namespace: str) -> list[str]:
    """One line per resource of which an account may do anything; what every account may ask of itself is left out."""
    lines = kubectl("auth", "can-i", "--list", f"--namespace={namespace}").splitlines()[1:]
    return [line for line in lines if not line.startswith((" ", "self"))]


def test_an_operator_of_one_namespace_plans_with_declared_hardware_and_says_that_capacity_is_unknown(
    confined: ControlPlane,
) -> None:
    api = Api(confined)
    other = Tenant(api, "team-b")
    operator = start_operator(confined)
    tenant = Tenant(api, TEAM, make=False)
    tenant.ask("chat", replicas=2)
    other.ask("chat")
    tenant.wait_until_ready("chat")
    plan = tenant.service("chat")["status"]["plan"]
    assert (plan["product"], plan["resourceName"]) == ("Atlas 800I A2 64G", "huawei.com/Ascend910")
    assert [line for line in plan["reasons"] if line.startswith("hardware: which devices are free is unknown")]
    assert len(api.list(PODS, TEAM)) == 2
    assert other.service("chat")["status"] == {"observedGeneration": NOT_YET}
    assert other.children() == []
    assert [audit.described(event) for event in confined.audit(USER) if audit.code(event) == 403] == []
    assert operator.answer("/healthz")[0] == 200
    api.hang_up()


def test_the_token_of_an_operator_of_one_namespace_reads_nothing_else(confined: ControlPlane) -> None:
    own = replace(confined.kubectl, kubeconfig=confined.kubeconfig_for(ACCOUNT, NAMESPACE))
    assert readable(own, TEAM)
    assert readable(own, "default") == []
    assert {line.split()[0] for line in readable(own, NAMESPACE)} == {"leases.coordination.k8s.io"}
    for what in ("nodes", "namespaces", "pods --all-namespaces", "secrets", "inferenceservices --all-namespaces"):
        with pytest.raises(KubectlFailed, match="forbidden"):
            own("get", *what.split())
