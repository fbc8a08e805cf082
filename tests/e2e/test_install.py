"""What the documents say about installing, done as a new user would: every variant brings the operator up and a sample to
READY, and removing removes what it says and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
import yaml

from npuserve.controller.resources import CHILDREN, DEPLOYMENTS, PODS, SERVICE
from tests.cluster import binaries, nodes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import KubectlFailed, Object
from tests.e2e.documents import ENVIRONMENT, INSTALLING, ROOT, copy_tree, run
from tests.support.api import DEFINITIONS, NAMESPACES, Api
from tests.support.argocd import FOLDER
from tests.support.helm import CHART, RELEASE, Helm, HelmFailed, helm
from tests.support.installed import CRD, DEFINITION, NAMESPACE, RESTRICTED, SAMPLES, start_operator, wait_until_served
from tests.support.manifests import a_service, condition, ready, said
from tests.support.waiting import NotYet, until

TEAM = "team-a"
APPLICATIONS = ROOT / "tests" / "e2e" / "application-crd.yaml"


class Ground:
    """A cluster with NPU nodes and nothing else."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster, self.api = cluster, Api(cluster)
        self._numbers = count(1)
        self.helm: Helm = helm(cluster.folder, kubeconfig=cluster.admin_kubeconfig)

    def environment(self) -> Mapping[str, str]:
        """The environment of a user whose tools are on the path and whose current cluster this is."""
        folder = self.cluster.folder / "bin"
        folder.mkdir(exist_ok=True)
        if not (folder / "helm").exists():
            (folder / "helm").symlink_to(binaries.ensure(["helm"])["helm"])
        path = f"{folder}:{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"
        return os.environ | self.helm.environment() | {"PATH": path}

    def has_argo_cd(self) -> None:
        """What documents take for granted of it: its namespace, its ConfigMap and its kind."""
        self.cluster.kubectl("create", "namespace", "argocd")
        self.cluster.kubectl("create", "configmap", "argocd-cm", "--namespace=argocd")
        self.cluster.kubectl("apply", "--filename", str(APPLICATIONS))

    def serves(self, namespace: str) -> None:
        """Start the operator as it is deployed now; a service of the namespace becomes READY and goes again."""
        operator = start_operator(self.cluster)
        # A name of its own each time: the garbage collector may take half a minute for objects of a kind it has just met.
        name = f"chat-{next(self._numbers)}"
        self.api.create(SERVICE, a_service(name, namespace))
        until(lambda: ready(self.api.get(SERVICE, namespace, name)))
        self.api.delete(SERVICE, namespace, name)
        operator.process.stop()


@pytest.fixture
def ground() -> Iterator[Ground]:
    with ControlPlane() as cluster:
        cluster.add_nodes(nodes.a2_64g("a2", 2))
        built = Ground(cluster)
        yield built
        built.api.hang_up()


@pytest.mark.parametrize("document", INSTALLING)
def test_every_command_that_installs_works_and_the_operator_then_serves(
    ground: Ground, tmp_path: Path, document: str
) -> None:
    where, environment = copy_tree(tmp_path), ground.environment()
    ground.has_argo_cd()
    for command in INSTALLING[document]:
        assert run(command, where=where, environment=environment), f"$ {command} prints nothing"
        if command.startswith("helm upgrade"):
            wait_until_served(ground.cluster)
            deployed = ground.api.get(DEPLOYMENTS, NAMESPACE, RELEASE)
            (container,) = deployed["spec"]["template"]["spec"]["containers"]
            served = next(item.get("value") for item in container["env"] if item["name"] == "NPUSERVE_WATCH_NAMESPACE")
            ground.serves(served or "default")


def test_every_application_for_argo_cd_is_one_that_the_api_server_takes(ground: Ground) -> None:
    ground.has_argo_cd()
    applied = ground.cluster.kubectl("apply", "--validate=strict", f"--filename={FOLDER / 'applications'}")
    assert applied.count("created") == 3


def test_a_release_that_is_uninstalled_leaves_the_definition_and_what_runs_and_comes_back(ground: Ground) -> None:
    ground.helm.install()
    wait_until_served(ground.cluster)
    operator = start_operator(ground.cluster)
    sample: Object = yaml.safe_load((SAMPLES / "qwen3-32b.yaml").read_text())
    ground.api.create(SERVICE, {**sample, "metadata": {**sample["metadata"], "namespace": "default"}})
    until(lambda: ready(ground.api.get(SERVICE, "default", "qwen3-32b")))
    before = _running(ground.api)
    operator.process.stop()
    ground.helm("uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait")
    assert ground.api.find(DEPLOYMENTS, NAMESPACE, RELEASE) is None
    assert ground.api.find(DEFINITIONS, "", DEFINITION) is not None
    assert _running(ground.api) == before
    ground.helm.install()
    start_operator(ground.cluster)
    ground.api.create(SERVICE, a_service("next"))
    until(lambda: ready(ground.api.get(SERVICE, "default", "next")))
    assert before <= _running(ground.api)


def _running(api: Api) -> set[tuple[str, int]]:
    """Identity and generation of everything that services consist of, and of their pods."""
    found = [item for resource in (SERVICE, *CHILDREN, PODS) for item in api.list(resource, "default")]
    return {(item["metadata"]["uid"], item["metadata"].get("generation", 0)) for item in found}


def test_a_release_of_helm_3_serves_and_goes_on_under_helm_4(ground: Ground) -> None:
    helm(ground.cluster.folder, version=3, kubeconfig=ground.cluster.admin_kubeconfig).install()
    wait_until_served(ground.cluster)
    ground.serves("default")
    ground.helm.install({"config": {"enginePreference": ["mindie", "vllm-ascend"]}})
    ground.serves("default")


def test_a_definition_that_was_applied_by_hand_is_taken_over_when_helm_is_told_to(ground: Ground) -> None:
    ground.cluster.kubectl("apply", "--server-side", "--filename", str(CRD))
    with pytest.raises(HelmFailed, match="ownership"):
        ground.helm.install()
    ground.helm.install(None, "--take-ownership", "--force-conflicts")
    found = ground.api.get(DEFINITIONS, "", DEFINITION)
    assert found["metadata"]["annotations"]["meta.helm.sh/release-name"] == RELEASE


def test_the_operators_pods_are_admitted_where_every_pod_has_to_be_restricted(ground: Ground) -> None:
    ground.api.create(NAMESPACES, {"metadata": {"name": NAMESPACE, "labels": RESTRICTED}})
    refused = {"spec": {"containers": [{"name": "a", "image": "a"}]}, "metadata": {"name": "a", "namespace": NAMESPACE}}
    with pytest.raises(KubectlFailed, match="violates PodSecurity"):
        ground.cluster.kubectl.apply({"apiVersion": "v1", "kind": "Pod", **refused})
    ground.helm.install(None, "--wait", "--timeout=60s")
    ground.helm("test", RELEASE, f"--namespace={NAMESPACE}")
    names = {
        item["metadata"]["name"].rpartition("-")[0].rpartition("-")[0] for item in ground.api.list(PODS, NAMESPACE)
    }
    assert RELEASE in names
    assert ground.api.get(DEPLOYMENTS, NAMESPACE, RELEASE)["status"]["readyReplicas"] == 2


@pytest.mark.parametrize(("level", "example"), [("baseline", ""), ("restricted", "restricted-engines.yaml")])
def test_engine_pods_are_admitted_where_every_pod_has_to_pass_a_standard(
    ground: Ground, level: str, example: str
) -> None:
    """`restricted` takes a profile, because the images that vendors publish run as root."""
    ground.helm.install(yaml.safe_load((CHART / "examples" / example).read_text()) if example else None)
    wait_until_served(ground.cluster)
    start_operator(ground.cluster)
    enforced = {"pod-security.kubernetes.io/enforce": level}
    ground.api.create(NAMESPACES, {"metadata": {"name": TEAM, "labels": enforced}})
    for backend in ("vllm-ascend", "mindie"):
        model = {"uri": "pvc://weights/Qwen/Qwen3-8B"}
        ground.api.create(SERVICE, a_service(backend, TEAM, backend=backend, model=model))

    def admitted() -> bool | NotYet:
        pods = {item["metadata"]["labels"]["app.kubernetes.io/instance"] for item in ground.api.list(PODS, TEAM)}
        return True if pods >= {"vllm-ascend", "mindie"} else NotYet(f"pods of {pods}: {_told(ground.api)}")

    until(admitted)


def test_without_that_profile_what_restricted_refuses_is_told(ground: Ground) -> None:
    ground.helm.install()
    wait_until_served(ground.cluster)
    start_operator(ground.cluster)
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    ground.api.create(NAMESPACES, {"metadata": {"name": TEAM, "labels": enforced}})
    ground.api.create(SERVICE, a_service("chat", TEAM))
    service = until(lambda: said(ground.api.get(SERVICE, TEAM, "chat"), "Ready", "False", "ReplicaFailure"))
    assert "violates PodSecurity" in condition(service, "Ready")["message"]


def _told(api: Api) -> str:
    return str([item["status"].get("conditions") for item in api.list(SERVICE, TEAM)])
