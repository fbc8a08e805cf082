"""What the API server makes of the objects that plans become: every golden case, checked strictly, and stored without drift."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from npuserve.controller.resources import PODS, of_kind
from npuserve.reconcile.compare import needs_write, stamped
from tests.cluster.control_plane import ControlPlane
from tests.support.api import Api, Refused

CASES = Path(__file__).parents[1] / "golden" / "cases"
NAMES = sorted(file.parent.name for file in CASES.glob("*/manifests.yaml"))
HOST_PATHS = [name for name in NAMES if "hostPath:" in (CASES / name / "manifests.yaml").read_text(encoding="utf-8")]
"""Cases that mount directories of the node, which `baseline` forbids."""


def objects_of(case: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CASES / case / "manifests.yaml").read_text(encoding="utf-8")))


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """A pod as the ReplicaSet controller makes it of the template."""
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": "replica", "namespace": deployment["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_there_are_cases() -> None:
    assert len(NAMES) >= 20


@pytest.mark.parametrize("case", NAMES)
def test_the_api_server_takes_every_object_strictly_and_has_nothing_to_warn_of(
    cluster: ControlPlane, guarded: str, case: str
) -> None:
    kubectl = cluster.kubectl
    answer = subprocess.run(
        [
            str(kubectl.program), f"--kubeconfig={kubectl.kubeconfig}", "apply", "--server-side", "--dry-run=server", "--validate=strict",
            "--warnings-as-errors", f"--filename={CASES / case / 'manifests.yaml'}",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expected = 1 if case in HOST_PATHS else 0
    assert (answer.returncode, answer.stdout.count("serverside-applied")) == (expected, len(objects_of(case))), (
        answer.stderr
    )


@pytest.mark.parametrize("case", [name for name in NAMES if name not in HOST_PATHS])
def test_a_replica_passes_pod_security_baseline(api: Api, guarded: str, case: str) -> None:
    for item in objects_of(case):
        if item["kind"] == "Deployment" and item["metadata"]["namespace"] == guarded:
            api.create(PODS, pod_of(item), query={"dryRun": "All"})


@pytest.mark.parametrize("case", HOST_PATHS)
def test_only_a_profile_of_the_platform_team_mounts_directories_of_the_node(api: Api, guarded: str, case: str) -> None:
    assert "profiles:" in (CASES / case / "configuration.yaml").read_text(encoding="utf-8")
    (deployment,) = (item for item in objects_of(case) if item["kind"] == "Deployment")
    with pytest.raises(Refused) as answer:
        api.create(PODS, pod_of(deployment), query={"dryRun": "All"})
    assert "hostPath volumes" in answer.value.words


@pytest.mark.parametrize("case", NAMES)
def test_what_is_stored_needs_no_further_write(api: Api, guarded: str, case: str) -> None:
    """A difference between what is applied and what is read back would be written again for ever."""
    for desired in objects_of(case):
        resource, metadata = of_kind(desired["kind"]), desired["metadata"]
        api.apply(resource, stamped(desired), manager="npuserve")
        stored = api.get(resource, metadata["namespace"], metadata["name"])
        api.delete(resource, metadata["namespace"], metadata["name"])
        assert not needs_write(desired, stored)


@pytest.mark.parametrize("case", NAMES)
def test_applying_the_same_again_stores_nothing_new(api: Api, guarded: str, case: str) -> None:
    for desired in objects_of(case):
        resource, metadata = of_kind(desired["kind"]), desired["metadata"]
        first = api.apply(resource, stamped(desired), manager="npuserve")
        second = api.apply(resource, stamped(desired), manager="npuserve")
        api.delete(resource, metadata["namespace"], metadata["name"])
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_value_of_ours_that_someone_changes_is_seen(api: Api, guarded: str) -> None:
    """The comparison finds an edit of each object by hand, so that the tests above can fail."""
    edits = {
        "Deployment": {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}},
        "Service": {"spec": {"selector": {"npuserve.io/serve": "false"}}},
    }
    for desired in objects_of("mixed-cluster"):
        resource, metadata = of_kind(desired["kind"]), desired["metadata"]
        api.apply(resource, stamped(desired), manager="npuserve")
        stored = api.merge(resource, metadata["namespace"], metadata["name"], edits[desired["kind"]])
        api.delete(resource, metadata["namespace"], metadata["name"])
        assert needs_write(desired, stored)
