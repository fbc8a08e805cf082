"""What the chart becomes: the same under both Helms and every time, and what each value does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from npuserve.api.crd import custom_resource_definition
from npuserve.configuration import Configuration
from npuserve.controller.access import CLUSTER, ELECTION, TENANTS, WORK
from npuserve.controller.files import load_configuration
from npuserve.settings import Settings, read_settings
from tests.cluster.kubectl import Object
from tests.support.helm import CHART, RELEASE, Helm

DEFINITION = "CustomResourceDefinition"
CLUSTER_WIDE = {DEFINITION, "ClusterRole", "ClusterRoleBinding"}
NOT_REPEATABLE = (
    "lookup",
    "randAlpha",
    "randNumeric",
    "randBytes",
    "uuidv4",
    "genCA",
    "genSelfSigned",
    "genSigned",
    "now",
)


def one(objects: list[Object], kind: str, name: str = RELEASE) -> Object:
    """The object of a kind and name."""
    (found,) = (item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name))
    return found


def pod_of(objects: list[Object]) -> dict[str, Any]:
    spec: dict[str, Any] = one(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def environment(objects: list[Object]) -> dict[str, str]:
    """The variables that the chart gives values to."""
    (container,) = pod_of(objects)["containers"]
    return {item["name"]: item.get("value", "") for item in container["env"]}


def test_helm_3_and_helm_4_render_the_same_objects(helm3: Helm, helm4: Helm, case: dict[str, Any]) -> None:
    assert helm3.render(case) == helm4.render(case)


def test_rendering_twice_gives_the_same_bytes(any_helm: Helm, case: dict[str, Any]) -> None:
    assert any_helm.text(case) == any_helm.text(case)


def test_helm_finds_nothing_to_warn_of_in_the_chart(any_helm: Helm) -> None:
    assert "0 chart(s) failed" in any_helm("lint", str(CHART), "--strict")


def test_no_template_asks_the_cluster_the_clock_or_chance() -> None:
    words = "|".join(NOT_REPEATABLE)
    for file in (CHART / "templates").rglob("*"):
        if file.is_file() and file.name != "crds.yaml":
            used = [
                action for action in re.findall(r"{{.*?}}", file.read_text()) if re.search(rf"\b({words})\w*\b", action)
            ]
            assert used == [], file.name


def test_no_webhook_and_no_certificate_is_asked_for(helm4: Helm, case: dict[str, Any]) -> None:
    kinds = {item["kind"] for item in helm4.render(case)}
    assert not [kind for kind in kinds if "Webhook" in kind or kind in ("Certificate", "Issuer", "Secret")]


def test_the_definition_is_the_generated_one_and_stays_when_the_release_goes(helm4: Helm) -> None:
    definition = one(helm4.render(), DEFINITION, "inferenceservices.npuserve.io")
    assert definition["spec"] == custom_resource_definition()["spec"]
    assert definition["metadata"]["annotations"] == {
        "helm.sh/resource-policy": "keep",
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    }
    given_up = one(helm4.render({"crds": {"keep": False}}), DEFINITION, "inferenceservices.npuserve.io")
    assert "annotations" not in given_up["metadata"]
    assert DEFINITION not in {item["kind"] for item in helm4.render({"crds": {"enabled": False}})}


def test_the_roles_are_those_of_the_code(helm4: Helm) -> None:
    objects = helm4.render()
    assert one(objects, "ClusterRole")["rules"] == [rule.manifest() for rule in (*WORK, *CLUSTER)]
    assert one(objects, "Role", "npuserve-leader-election")["rules"] == [rule.manifest() for rule in ELECTION]
    for role, rules in TENANTS.items():
        found = one(objects, "ClusterRole", f"npuserve-{role}")
        assert found["rules"] == [rule.manifest() for rule in rules]
        assert found["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{role}"] == "true"


def test_in_a_single_namespace_nothing_is_granted_outside_it(helm4: Helm) -> None:
    values = {"watchNamespace": "team-a", "rbac": {"aggregate": False}, "crds": {"enabled": False}}
    objects = helm4.render(values)
    assert not CLUSTER_WIDE & {item["kind"] for item in objects}
    assert one(objects, "Role")["rules"] == [rule.manifest() for rule in WORK]
    bindings = {item["metadata"]["name"]: item for item in objects if item["kind"] == "RoleBinding"}
    assert {name: item["metadata"]["namespace"] for name, item in bindings.items()} == {
        "npuserve": "team-a",
        "npuserve-leader-election": RELEASE,
    }
    account = {"kind": "ServiceAccount", "name": RELEASE, "namespace": RELEASE}
    assert all(item["subjects"] == [account] for item in bindings.values())
    assert environment(objects)["NPUSERVE_WATCH_NAMESPACE"] == "team-a"


def test_the_configuration_file_is_the_one_that_the_operator_reads(helm4: Helm, tmp_path: Path) -> None:
    changes = {"flavour": "hami", "readBytesPerSecond": 2_000_000_000, "images": {"mirrors": {"quay.io": "m.example"}}}
    for config, expected in (({}, Configuration()), (changes, Configuration.model_validate(changes))):
        file = tmp_path / "configuration.yaml"
        file.write_text(one(helm4.render({"config": config}), "ConfigMap")["data"]["configuration.yaml"])
        assert load_configuration(file) == expected


def test_a_change_of_the_configuration_replaces_the_operators_pods_and_nothing_else_does(helm4: Helm) -> None:
    def template(values: dict[str, Any]) -> Object:
        found: Object = one(helm4.render(values), "Deployment")["spec"]["template"]
        return found

    assert template({}) == template({"replicas": 3})
    assert template({}) != template({"config": {"flavour": "hami"}})


def test_every_setting_of_the_process_is_given_and_understood(helm4: Helm) -> None:
    names = set(re.findall(r'"""([A-Z_]+):', (Path(__file__).parents[2] / "operator/npuserve/settings.py").read_text()))
    given = environment(helm4.render())
    assert set(given) == names - {"NPUSERVE_HTTP_ADDRESS"}
    read = read_settings({**given, "POD_NAME": "pod", "NPUSERVE_NAMESPACE": "npuserve"})
    assert read == Settings(config=Path("/etc/npuserve/configuration.yaml"), identity="pod")


def test_two_replicas_are_kept_apart_and_drained_one_by_one(helm4: Helm) -> None:
    objects = helm4.render()
    assert one(objects, "Deployment")["spec"]["replicas"] == 2
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    selector = one(objects, "Deployment")["spec"]["selector"]
    rule = pod_of(objects)["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]
    assert rule["podAffinityTerm"] == {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
    required = pod_of(helm4.render({"antiAffinity": "required"}))["affinity"]["podAntiAffinity"]
    assert list(required) == ["requiredDuringSchedulingIgnoredDuringExecution"]
    alone = helm4.render({"replicas": 1, "antiAffinity": "none"})
    assert "affinity" not in pod_of(alone)
    assert "PodDisruptionBudget" not in {item["kind"] for item in alone}


def test_without_leader_election_no_two_operators_work_at_once(helm4: Helm) -> None:
    deployment = one(helm4.render({"replicas": 1, "leaderElection": False}), "Deployment")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert "strategy" not in one(helm4.render(), "Deployment")["spec"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "docker.io/npuserve/npuserve:0.1.0"),
        ({"registry": "mirror.example.com/hub"}, "mirror.example.com/hub/npuserve/npuserve:0.1.0"),
        ({"tag": "dev"}, "docker.io/npuserve/npuserve:dev"),
        ({"tag": "dev", "digest": f"sha256:{'a' * 64}"}, f"docker.io/npuserve/npuserve@sha256:{'a' * 64}"),
    ],
)
def test_the_image_comes_from_where_the_site_says(helm4: Helm, image: dict[str, str], expected: str) -> None:
    objects = helm4.render({"image": image, "imagePullSecrets": ["mirror"]})
    assert {item["image"] for pod in _pods(objects) for item in pod["containers"]} == {expected}
    assert all(pod["imagePullSecrets"] == [{"name": "mirror"}] for pod in _pods(objects))


def _pods(objects: list[Object]) -> list[Object]:
    return [item["spec"]["template"]["spec"] for item in objects if item["kind"] in ("Deployment", "Job")]


def test_a_proxy_and_a_private_authority_reach_the_operator(helm4: Helm) -> None:
    proxy = {"http": "http://p.example:1", "https": "http://p.example:2", "noProxy": ".svc"}
    objects = helm4.render({"proxy": proxy, "caBundle": {"configMap": "corporate", "key": "ca.pem"}})
    given = environment(objects)
    assert (given["HTTP_PROXY"], given["https_proxy"], given["NO_PROXY"]) == (proxy["http"], proxy["https"], ".svc")
    assert given["SSL_CERT_FILE"] == "/etc/npuserve-ca/ca.pem"
    assert {"name": "ca-bundle", "configMap": {"name": "corporate"}} in pod_of(objects)["volumes"]
    assert not {"HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"} & set(environment(helm4.render()))


def test_the_network_policy_lets_scrapes_in_and_dns_the_replicas_and_the_api_server_out(helm4: Helm) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    policy = one(
        helm4.render(
            {"networkPolicy": {"apiServerPorts": [6443], "apiServerCidrs": ["10.0.0.1/32"], "metricsFrom": peers}}
        ),
        "NetworkPolicy",
    )["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    dns, replicas, server = policy["egress"]
    pods = {"matchLabels": {"app.kubernetes.io/managed-by": "npuserve"}}
    assert replicas == {"to": [{"namespaceSelector": {}, "podSelector": pods}]}
    assert {item["port"] for item in dns["ports"]} == {53}
    assert server == {"ports": [{"port": 6443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}
    (scrape,) = policy["ingress"]
    assert peers[0] in scrape["from"]


def test_two_releases_in_one_cluster_share_no_name(helm4: Helm) -> None:
    """But the definition, which one of them leaves to the other."""
    renamed = helm4.render({"fullnameOverride": "second", "crds": {"enabled": False}})
    first = {(item["kind"], item["metadata"]["name"]) for item in helm4.render({"crds": {"enabled": False}})}
    assert not first & {(item["kind"], item["metadata"]["name"]) for item in renamed}


def test_values_yaml_holds_every_default_and_the_readme_every_value(helm4: Helm) -> None:
    from npuserve.cli.chart.fields import fields
    from npuserve.cli.chart.values import Values

    assert Values.model_validate(yaml.safe_load((CHART / "values.yaml").read_text())) == Values()
    shown = (CHART / "README.md").read_text()
    stack = list(fields())
    while stack:
        field = stack.pop()
        assert field.meaning, f"{field.path} is not documented"
        assert (field.children and not field.of_rows) or f"| `{field.path}` |" in shown
        stack += field.children


def test_no_generated_file_of_the_chart_differs_from_its_source() -> None:
    from npuserve.cli.generate import differing

    assert differing(CHART.parents[1]) == []
