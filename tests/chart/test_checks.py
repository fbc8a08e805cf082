"""What others' checkers say about the chart. Whatever is left standing has its reason here, and goes when it is no longer
found."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import binaries
from tests.cluster.control_plane import API_ONLY, ControlPlane
from tests.support.api import Api
from tests.support.checkov import failed_checks
from tests.support.helm import Helm
from tests.support.installed import CRD, SAMPLES, wait_until_served
from tests.support.openapi import write_schemas
from tests.support.waiting import NotYet, until

REASONS = {
    "CKV_K8S_15": "IfNotPresent: releases have exact tags, and nodes of air-gapped sites pull nothing",
    "CKV_K8S_43": "the digest is a value: a release's image gets its digest after the chart is written",
    "CKV_K8S_38": "the operator's work is talking to the API server; the account itself mounts no token by default",
    "CKV2_K8S_6": "the pod of `helm test` lives for a second, holds no token and asks the operator's Service once",
    "CKV_DOCKER_2": "the kubelet probes /healthz; it does not read what an image says about health",
    "CKV_DOCKER_7": "the base is an argument, which checkov does not follow: its default has an exact tag (test_image.py)",
    "container-image-pull-policy": "as CKV_K8S_15",
    "pod-networkpolicy": "as CKV2_K8S_6",
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where kubeconform finds the schemas of the API server that the other tests run against, ours among them."""
    with ControlPlane(API_ONLY) as cluster:
        cluster.kubectl("apply", "--server-side", "--filename", str(CRD))
        wait_until_served(cluster)
        api = Api(cluster)
        until(lambda: True if "io.npuserve.v1alpha1" in str(api.ask("GET", "/openapi/v2")) else NotYet("no schema yet"))
        yield write_schemas(api, tmp_path_factory.mktemp("schemas"))
        api.hang_up()


def kubeconform(schemas: str, text: str) -> list[dict[str, Any]]:
    """Every object that is invalid or unknown."""
    answer = subprocess.run(
        [
            str(binaries.ensure(["kubeconform"])["kubeconform"]),
            "-strict",
            "-output=json",
            f"-schema-location={schemas}",
            "-",
        ],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)["resources"] or []
    return found


def test_every_object_is_one_that_the_api_servers_version_knows(
    schemas: str, helm4: Helm, case: dict[str, Any]
) -> None:
    assert kubeconform(schemas, helm4.text(case)) == []


def test_the_samples_are_too_and_what_is_wrong_is_found(schemas: str) -> None:
    for sample in SAMPLES.glob("*.yaml"):
        assert kubeconform(schemas, sample.read_text()) == []
        (wrong,) = kubeconform(schemas, sample.read_text().replace("quantization:", "quantisation:"))
        assert "quantisation" in wrong["msg"]


def kube_score(text: str) -> set[str]:
    """The checks that grade something below what they ask for."""
    answer = subprocess.run(
        [str(binaries.ensure(["kube-score"])["kube-score"]), "score", "--output-format=json", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    graded = [check for item in json.loads(answer.stdout) for check in item["checks"]]
    assert graded
    passed = 10
    return {check["check"]["id"] for check in graded if not check["skipped"] and check["grade"] < passed}


WHOLE = {"activator": {"enabled": True}}
"""With everything that the chart can install."""


def test_kube_score_finds_nothing_that_has_no_reason(helm4: Helm) -> None:
    found = kube_score(helm4.text(WHOLE))
    assert found == {name for name in REASONS if "CKV" not in name}


def test_checkov_finds_nothing_that_has_no_reason(helm4: Helm, tmp_path: Path) -> None:
    file = tmp_path / "chart.yaml"
    file.write_text(helm4.text(WHOLE))
    assert {check for check, _ in failed_checks(file, "kubernetes")} == {name for name in REASONS if "_K8S_" in name}


@pytest.mark.parametrize(
    "dockerfile", sorted((CRD.parents[1] / "images").glob("*/Dockerfile")), ids=lambda path: path.parent.name
)
def test_checkov_finds_nothing_in_an_image_that_has_no_reason(dockerfile: Path) -> None:
    assert {check for check, _ in failed_checks(dockerfile, "dockerfile")} <= {
        name for name in REASONS if "_DOCKER_" in name
    }
