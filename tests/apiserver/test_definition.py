"""The definition as the API server takes it and as people meet it: established, explained, listed."""

from __future__ import annotations

import pytest

from npuserve.controller.resources import SERVICE
from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.support.api import DEFINITIONS, Api
from tests.support.installed import CRD
from tests.support.manifests import a_service
from tests.support.waiting import NotYet, until

DEFINITION = f"{SERVICE.plural}.{SERVICE.group}"


def test_the_definition_is_established_and_its_schema_is_structural(api: Api) -> None:
    conditions = {item["type"]: item["status"] for item in api.get(DEFINITIONS, "", DEFINITION)["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"


def test_applying_the_definition_again_changes_nothing(api: Api, kubectl: Kubectl) -> None:
    before = api.get(DEFINITIONS, "", DEFINITION)["metadata"]["generation"]
    kubectl("apply", "--server-side", "--filename", str(CRD))
    assert api.get(DEFINITIONS, "", DEFINITION)["metadata"]["generation"] == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", ("InferenceService", "A model served on Ascend NPUs", "spec", "status")),
        (".spec", ("model", "quantization", "backend", "-required-", "The service that is asked for")),
        (".spec.hardware", ("The NPUs that the service runs on", "product", "Empty: any product of the cluster")),
        (".spec.hardware.devices", ("<integer>", "NPU devices per replica", "Empty: the smallest number")),
        (".spec.model.uri", ("<string>", "modelscope://ORG/NAME", "pvc://CLAIM/PATH", "Required.")),
        (".spec.engineArgs", ("Launch arguments", "without leading dashes")),
        (".status.plan", ("reasons", "backendVersion", "memory", "scheduler")),
        (".status.conditions", ("lastTransitionTime", "reason", "message")),
    ],
)
def test_explain_reads_like_documentation(kubectl: Kubectl, path: str, words: tuple[str, ...]) -> None:
    told = until(lambda: _explained(kubectl, path))
    assert [word for word in words if word not in told] == []


def _explained(kubectl: Kubectl, path: str) -> str | NotYet:
    """What kubectl explains; the API server publishes its documents a moment after it serves the resource."""
    try:
        return " ".join(kubectl("explain", f"inferenceservice{path}").split())
    except KubectlFailed as refused:
        return NotYet(str(refused))


def test_the_columns_say_what_runs_where_and_wide_says_why(api: Api, kubectl: Kubectl) -> None:
    api.create(SERVICE, a_service("columns"))
    status = {
        "replicas": 2,
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "WaitingForPods",
                "message": "pods start",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
        "plan": {"backend": "vllm-ascend", "devices": 4},
        "autoscaling": {"replicas": 2, "wanted": 2, "constraint": "Holding", "message": "needs 1"},
    }
    api.merge(SERVICE, "default", "columns", {"status": status}, subresource="status")
    narrow = kubectl("get", "npusvc", "columns").splitlines()
    wide = kubectl("get", "npusvc", "columns", "--output", "wide").splitlines()
    assert narrow[0].split() == ["NAME", "READY", "BACKEND", "NPUS", "REPLICAS", "MODEL", "AGE"]
    assert narrow[1].split()[:6] == ["columns", "False", "vllm-ascend", "4", "2", "modelscope://Qwen/Qwen3-8B"]
    assert wide[0].split() == [*narrow[0].split(), "REASON", "SCALING"]
    assert wide[1].split()[-2:] == ["WaitingForPods", "Holding"]


@pytest.mark.parametrize("word", ["inferenceservices", "inferenceservice", "npusvc", "npuserve"])
def test_kubectl_knows_the_resource_by_its_plural_singular_short_name_and_category(kubectl: Kubectl, word: str) -> None:
    kubectl("get", word)
