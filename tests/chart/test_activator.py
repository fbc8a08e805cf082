"""What `activator.enabled` adds to the chart, and what the operator and the activator are told of each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from npuserve.cli.activator import activator as command
from npuserve.configuration import Activator
from npuserve.controller.access import ACTIVATOR, NEIGHBOUR, WORK
from npuserve.controller.files import load_configuration
from tests.chart.test_render import one
from tests.support.helm import RELEASE, Helm

NAME = f"{RELEASE}-activator"
ENABLED: dict[str, Any] = {"activator": {"enabled": True}}
KINDS = {
    "ClusterRole",
    "ClusterRoleBinding",
    "Deployment",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceAccount",
}


def test_it_is_a_deployment_of_its_own_with_what_belongs_to_it_and_absent_unless_asked_for(helm4: Helm) -> None:
    found = {item["kind"] for item in helm4.render(ENABLED) if item["metadata"]["name"] == NAME}
    assert found == KINDS
    assert not [item for item in helm4.render() if item["metadata"]["name"] == NAME]


def test_the_operator_is_told_where_it_is_and_how_it_is_set(helm4: Helm, tmp_path: Path) -> None:
    values = {"activator": {"enabled": True, "firstPort": 30_000, "lastPort": 30_100, "heldRequests": 7}}
    file = tmp_path / "configuration.yaml"
    file.write_text(one(helm4.render(values), "ConfigMap")["data"]["configuration.yaml"])
    told = load_configuration(file).activator
    assert told == Activator(enabled=True, service=NAME, first_port=30_000, last_port=30_100, held_requests=7)


def test_its_service_finds_its_pods_and_the_operators_does_not(helm4: Helm) -> None:
    objects = helm4.render(ENABLED)
    marks = one(objects, "Deployment", NAME)["spec"]["template"]["metadata"]["labels"].items()
    own, operators = (one(objects, "Service", name)["spec"] for name in (NAME, RELEASE))
    assert own["clusterIP"] == "None"
    assert own["selector"].items() <= marks
    assert not operators["selector"].items() <= marks
    for kind in ("Deployment", "NetworkPolicy", "PodDisruptionBudget"):
        found = one(objects, kind, NAME)["spec"]
        selector = found.get("podSelector") or found["selector"]
        assert selector["matchLabels"] == own["selector"]


def test_its_rights_are_to_read_addresses_and_nothing_else(helm4: Helm) -> None:
    everywhere = helm4.render(ENABLED)
    assert one(everywhere, "ClusterRole", NAME)["rules"] == [rule.manifest() for rule in ACTIVATOR]
    confined = helm4.render({**ENABLED, "watchNamespace": "team-a", "rbac": {"aggregate": False}})
    role = one(confined, "Role", NAME)
    assert (role["metadata"]["namespace"], role["rules"]) == ("team-a", [rule.manifest() for rule in ACTIVATOR])
    neighbour = one(confined, "Role", f"{RELEASE}-neighbour")
    assert neighbour["metadata"]["namespace"] == RELEASE
    assert neighbour["rules"] == [rule.manifest() for rule in NEIGHBOUR]
    assert {verb for rule in (*ACTIVATOR, *NEIGHBOUR) for verb in rule.verbs} == {"list", "watch"}
    assert "endpointslices" in {rule.resource.plural for rule in WORK}


def test_its_pods_have_time_to_answer_who_waits_and_understand_what_they_are_given(helm4: Helm) -> None:
    pod = one(helm4.render({"activator": {"enabled": True, "holdSeconds": 300}}), "Deployment", NAME)["spec"]
    spec = pod["template"]["spec"]
    (container,) = spec["containers"]
    given = {item["name"]: item["value"] for item in container["env"]}
    assert container["args"] == ["activator"]
    assert int(given["NPUSERVE_STOP_SECONDS"]) == 300
    assert spec["terminationGracePeriodSeconds"] > 300 + 5
    known = {option.envvar for option in command.params if option.envvar}
    assert set(given) <= known
    answer = CliRunner().invoke(command, ["--help"], env=given)
    assert answer.exit_code == 0


def test_requests_come_in_on_its_ports_and_go_out_to_replicas_and_the_operator_may_read_who_waits(helm4: Helm) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    objects = helm4.render({**ENABLED, "networkPolicy": {"metricsFrom": peers}})
    policy = one(objects, "NetworkPolicy", NAME)["spec"]
    requests, numbers = policy["ingress"]
    assert requests == {"ports": [{"port": 20_000, "endPort": 29_999, "protocol": "TCP"}]}
    operators = one(objects, "Deployment")["spec"]["selector"]
    assert numbers["from"] == [{"podSelector": operators}, *peers]
    assert policy["egress"][-1]["to"] == [
        {"podSelector": {"matchLabels": {"app.kubernetes.io/managed-by": "npuserve"}}, "namespaceSelector": {}}
    ]
    allowed = one(objects, "NetworkPolicy")["spec"]["egress"][1]
    assert allowed["to"] == [{"podSelector": one(objects, "Deployment", NAME)["spec"]["selector"]}]


def test_its_replicas_are_kept_apart(helm4: Helm) -> None:
    found = one(helm4.render(ENABLED), "Deployment", NAME)["spec"]
    rule = found["template"]["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert rule[0]["podAffinityTerm"]["labelSelector"] == found["selector"]
