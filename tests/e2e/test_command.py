"""The command against a live cluster: what it plans is what the operator runs, with or without a file of nodes, alone or as kubectl's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.installed import SAMPLES
from tests.support.site import Site
from tests.support.tenant import Tenant

BIN = Path(sys.executable).parent
FILES = [f"--filename={path}" for path in sorted(SAMPLES.glob("*.yaml"))]


def run(ground: Site, *words: str, given: str | None = None, expected: int = 0) -> str:
    """What a command prints with the cluster as its current one."""
    environment = os.environ | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "KUBECONFIG": str(ground.cluster.admin_kubeconfig),
    }
    answer = subprocess.run(
        words, input=given, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == expected, answer.stderr or answer.stdout
    return answer.stdout


@pytest.fixture
def nodes_file(ground: Site, tmp_path: Path) -> str:
    """The nodes of the cluster as kubectl prints them."""
    path = tmp_path / "nodes.yaml"
    path.write_text(run(ground, "kubectl", "get", "nodes", "--output=yaml"))
    return str(path)


def test_a_plan_of_the_live_cluster_is_the_plan_of_its_nodes_in_a_file(ground: Site, nodes_file: str) -> None:
    live = json.loads(run(ground, "npuserve", "plan", *FILES, "--output=json"))
    from_file = json.loads(run(ground, "npuserve", "plan", *FILES, f"--cluster={nodes_file}", "--output=json"))
    assert live == from_file
    assert [answer["accepted"] for answer in live] == [True] * len(FILES)


def test_the_command_plans_what_the_operator_runs(ground: Site, tenant: Tenant) -> None:
    tenant.has_weights()
    names = [path.stem for path in sorted(SAMPLES.glob("*.yaml"))]
    planned: list[dict[str, Any]] = json.loads(run(ground, "npuserve", "plan", *FILES, "--output=json"))
    for path in sorted(SAMPLES.glob("*.yaml")):
        tenant.ask_file(path)
    tenant.wait_until_ready(*names)
    running = {name: tenant.service(name)["status"]["plan"] for name in names}
    for plan in running.values():
        del plan["observedGeneration"]
    assert {answer["name"]: answer["plan"] for answer in planned} == running


def test_kubectl_finds_the_command_as_its_plugin(ground: Site) -> None:
    assert run(ground, "kubectl", "npuserve", "plan", *FILES) == run(ground, "npuserve", "plan", *FILES)


def test_a_refused_service_ends_the_command_with_2_and_its_reason(ground: Site) -> None:
    sample = f"--filename={SAMPLES / 'refused' / 'reserved-argument.yaml'}"
    (answer,) = json.loads(run(ground, "kubectl", "npuserve", "plan", sample, "--output=json", expected=2))
    assert (answer["accepted"], answer["reason"], answer["field"]) == (
        False,
        "ReservedArgument",
        "spec.engineArgs.port",
    )


def test_what_is_rendered_is_what_the_api_server_takes(ground: Site, tenant: Tenant) -> None:
    here = f"--namespace={tenant.namespace}"
    objects = run(ground, "npuserve", "render", *FILES, here)
    taken = run(
        ground,
        "kubectl",
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        here,
        "--filename=-",
        given=objects,
    )
    assert taken.count("serverside-applied") == objects.count("\nkind: ")
