"""`npuserve render`: the objects that would be applied."""

from __future__ import annotations

from typing import Any

import yaml

from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.test_plan import a_service


def rendered(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def test_every_object_of_every_accepted_service_is_one_document(run: Run, write: Write) -> None:
    services = [a_service("one", replicas=2), a_service("two", uri="pvc://w/Qwen/Qwen3-8B", backend="mindie")]
    result = run("render", "-f", write("s.yaml", *services))
    assert result.exit_code == 0
    assert [
        (item["kind"], item["metadata"]["name"]) for item in rendered(result.stdout) if item["kind"] != "ConfigMap"
    ] == [
        ("Service", "one"),
        ("Deployment", "one"),
        ("PodDisruptionBudget", "one"),
        ("Service", "two"),
        ("Deployment", "two"),
    ]


def test_every_document_is_what_kubectl_takes(run: Run, write: Write) -> None:
    for item in rendered(run("render", "-f", write("s.yaml", a_service())).stdout):
        assert {"apiVersion", "kind", "metadata"} <= set(item)
        assert item["metadata"]["namespace"] == "default"


def test_refusals_go_to_standard_error_and_the_rest_is_rendered(run: Run, write: Write) -> None:
    result = run("render", "-f", write("s.yaml", a_service("bad", backend="odd"), a_service("good")))
    assert result.exit_code == 2
    assert "default/bad refused: spec.backend" in result.stderr
    assert {item["metadata"]["name"] for item in rendered(result.stdout)} == {"good"}


def test_nothing_accepted_is_nothing_printed(run: Run, write: Write) -> None:
    result = run("render", "-f", write("s.yaml", a_service(backend="odd")))
    assert (result.exit_code, result.stdout) == (2, "")


def test_scripts_are_readable(run: Run, write: Write) -> None:
    text = run("render", "-f", write("s.yaml", a_service(uri="pvc://w/Qwen/Qwen3-8B", backend="mindie"))).stdout
    assert "  start.sh: |\n    #!/bin/bash\n" in text
    assert "\\n" not in text.replace("\\\\n", "")


def test_the_configured_pull_policy_is_rendered(run: Run, write: Write) -> None:
    config = write("c.yaml", {"images": {"pullPolicy": "Always"}})
    deployment = rendered(run("render", "--config", config, "-f", write("s.yaml", a_service())).stdout)[1]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"
