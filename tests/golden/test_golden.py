"""A service and a cluster in, the plan and the objects out: every case as files side by side.

A case is a folder: `service.yaml` (a comment says what it shows; ConfigMaps may follow), `cluster.yaml` (as kubectl
prints nodes) and, where it matters, `configuration.yaml`. What became of them: `plan.yaml` and `manifests.yaml`, or
`refusal.yaml`. `pytest tests/golden --update-golden` rewrites those.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from npuserve.cli.asked import ask
from npuserve.cli.inputs import read_cluster, read_configuration, read_inputs
from npuserve.cli.present import as_text
from npuserve.cli.rendered import manifests
from npuserve.plan.plan import Refusal

CASES = Path(__file__).parent / "cases"
OUTCOMES = ("plan.yaml", "manifests.yaml", "refusal.yaml")


def became(case: Path) -> dict[str, str]:
    """What the commands `plan -o yaml` and `render` print for a case, by file."""
    file = case / "configuration.yaml"
    configuration = read_configuration(str(file) if file.is_file() else None)
    inputs = read_inputs((str(case / "service.yaml"),), "default")
    answers = list(
        ask(inputs, read_cluster(str(case / "cluster.yaml"), configuration), configuration, models_folder=None)
    )
    told = f"{as_text(answers, 'yaml')}\n"
    if any(isinstance(answer.outcome, Refusal) for answer in answers):
        return {"refusal.yaml": told}
    return {"plan.yaml": told, "manifests.yaml": manifests(answers, configuration)}


@pytest.mark.parametrize("name", sorted(folder.name for folder in CASES.iterdir() if folder.is_dir()))
def test_a_service_becomes_what_the_files_beside_it_say(name: str, request: pytest.FixtureRequest) -> None:
    case = CASES / name
    found = became(case)
    if request.config.getoption("--update-golden"):
        for file in OUTCOMES:
            (case / file).unlink(missing_ok=True)
        for file, text in found.items():
            (case / file).write_text(text, encoding="utf-8")
    expected = {file: (case / file).read_text(encoding="utf-8") for file in OUTCOMES if (case / file).is_file()}
    assert found == expected


def test_every_outcome_of_the_planner_has_a_case() -> None:
    there = {path.name for path in CASES.glob("*/*")}
    assert there >= {"plan.yaml", "manifests.yaml", "refusal.yaml", "configuration.yaml"}
