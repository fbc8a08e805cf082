"""The health check that Argo CD runs, in Argo CD's own layout of tests: a manifest in, a status and a message out."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.argocd import CUSTOMIZATION, FOLDER, LuaFailed, health

SCRIPT = (CUSTOMIZATION / "health.lua").read_text(encoding="utf-8")
TESTS: list[dict[str, Any]] = yaml.safe_load((CUSTOMIZATION / "health_test.yaml").read_text(encoding="utf-8"))["tests"]
CONFIG: dict[str, str] = yaml.safe_load((FOLDER / "argocd-cm.yaml").read_text(encoding="utf-8"))["data"]


@pytest.mark.parametrize("test", TESTS, ids=[test["inputPath"] for test in TESTS])
def test_the_health_of_a_service_is_what_the_file_says(test: dict[str, Any]) -> None:
    resource = yaml.safe_load((CUSTOMIZATION / test["inputPath"]).read_text(encoding="utf-8"))
    assert health(SCRIPT, resource) == (test["healthStatus"]["status"], test["healthStatus"]["message"])


def test_every_file_of_test_data_is_tested() -> None:
    assert {test["inputPath"] for test in TESTS} == {
        f"testdata/{file.name}" for file in CUSTOMIZATION.glob("testdata/*")
    }


def test_the_config_map_holds_the_same_script() -> None:
    assert CONFIG["resource.customizations.health.npuserve.io_InferenceService"] == SCRIPT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, ("Progressing", "")),
        ({"health": {"status": "Healthy"}}, ("Healthy", "")),
        ({"health": {"status": "Degraded", "message": "a Job failed"}}, ("Degraded", "a Job failed")),
    ],
)
def test_an_application_waits_for_the_one_before_it(status: dict[str, Any], expected: tuple[str, str]) -> None:
    assert health(CONFIG["resource.customizations.health.argoproj.io_Application"], {"status": status}) == expected


@pytest.mark.parametrize("forbidden", ["os.time()", "string.upper('x')", "('x'):upper()", "io.read()", "math.floor(1)"])
def test_a_script_that_uses_more_than_argo_cd_opens_fails_here(forbidden: str) -> None:
    with pytest.raises(LuaFailed):
        health(f"return {{ status = 'Healthy', message = tostring({forbidden}) }}", {})


def test_applications_come_in_the_order_of_their_waves_and_ignore_no_difference() -> None:
    applications = [yaml.safe_load(file.read_text()) for file in sorted((FOLDER / "applications").glob("*.yaml"))]
    waves = [item["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave") for item in applications]
    assert waves == [None, "0", "10"]
    for item in applications:
        assert "ignoreDifferences" not in item["spec"]
        assert "ServerSideApply=true" in item["spec"]["syncPolicy"]["syncOptions"]
    assert applications[0]["spec"]["source"]["directory"]["exclude"] == "0-all.yaml"
