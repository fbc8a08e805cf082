"""What the operator's account may do, asked of the API server itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.controller.access import CLUSTER, WORK
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.support.installed import ACCOUNT, NAMESPACE, install

NEVER = (
    "secrets",
    "pods/exec",
    "pods/log",
    "serviceaccounts/token",
    "roles",
    "rolebindings",
    "clusterroles",
    "finalizers",
    "*",
)


@pytest.fixture(scope="module")
def operator(cluster: ControlPlane) -> Kubectl:
    """kubectl as the operator."""
    install(cluster, {"crds": {"enabled": False}})
    return replace(cluster.kubectl, kubeconfig=cluster.kubeconfig_for(ACCOUNT, NAMESPACE))


def rights(kubectl: Kubectl, namespace: str) -> list[str]:
    """One line per resource that the account may do something with; what every account may read is left out."""
    lines = kubectl("auth", "can-i", "--list", f"--namespace={namespace}").splitlines()[1:]
    return [line for line in lines if not line.startswith((" ", "self"))]


def test_the_rights_are_applied_as_they_are_shipped(operator: Kubectl, kubectl: Kubectl) -> None:
    role = kubectl.get("clusterrole", ACCOUNT)
    assert role["rules"] == [rule.manifest() for rule in (*WORK, *CLUSTER)]


@pytest.mark.parametrize("namespace", ["default", NAMESPACE])
def test_no_secret_no_wildcard_no_finalizer_and_nothing_that_escalates_is_among_them(
    operator: Kubectl, namespace: str
) -> None:
    found = rights(operator, namespace)
    assert found
    assert [line for line in found if any(word in line for word in NEVER)] == []


def test_of_a_service_only_the_status_is_written(operator: Kubectl) -> None:
    of_services = {
        line.split()[0]: line.rpartition("[")[2] for line in rights(operator, "default") if "inferenceservices" in line
    }
    assert set(of_services["inferenceservices.npuserve.io"].rstrip("]").split()) == {"get", "list", "watch"}
    assert set(of_services["inferenceservices.npuserve.io/status"].rstrip("]").split()) == {"patch"}
    assert len(of_services) == 2


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("get", "secrets"),
        ("list", "secrets"),
        ("delete", "pods"),
        ("patch", "nodes"),
        ("update", "inferenceservices.npuserve.io"),
        ("patch", "inferenceservices.npuserve.io"),
        ("update", "inferenceservices.npuserve.io/finalizers"),
        ("update", "leases.coordination.k8s.io/another"),
    ],
)
def test_what_the_operator_does_not_need_is_refused(operator: Kubectl, verb: str, what: str) -> None:
    kind, _, name = what.partition("/")
    with pytest.raises(KubectlFailed) as answer:
        operator("auth", "can-i", verb, what if name != "another" else f"{kind}/{name}", f"--namespace={NAMESPACE}")
    assert answer.value.code == 1
