"""`npuserve catalogue`: what is known of models, and how one is added."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from npuserve.cli import main
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.test_plan import a_service

CONFIG = files("npuserve.models.catalogue").joinpath("configs", "Qwen--Qwen3-8B.json").read_text(encoding="utf-8")


def catalogue(*words: str) -> Result:
    return CliRunner().invoke(main, ["catalogue", *words])


def test_models_are_found_by_a_part_of_their_path() -> None:
    assert "Qwen/Qwen3-8B" in catalogue("list", "qwen3-8").stdout.splitlines()


def test_a_part_that_no_path_has_is_an_error() -> None:
    result = catalogue("list", "no-such-model")
    assert (result.exit_code, "no model with 'no-such-model'" in result.stderr) == (1, True)


def test_a_model_is_shown_with_its_size_its_reach_and_its_quantized_uploads() -> None:
    shown = catalogue("show", "Qwen/Qwen3-8B").stdout
    assert all(word in shown for word in ("8.2 billion", "15.3 GiB in bfloat16", "40,960 tokens", "(W8A8)"))


def test_an_unknown_model_names_the_nearest() -> None:
    result = catalogue("show", "Qwen/Qwen3-9B")
    assert result.exit_code == 1
    assert "nearest: " in result.stderr
    assert "Qwen/Qwen3-8B" in result.stderr


def test_a_model_that_is_added_can_be_planned(run: Run, write: Write, tmp_path: Path) -> None:
    service = write("s.yaml", a_service(uri="pvc://w/acme/chat"))
    assert "ModelUnknown" in run("plan", "-f", service).stdout
    folder = str(tmp_path / "models")
    added = catalogue("add", write("config.json", CONFIG), "--name", "acme/chat", "--folder", folder)
    assert (added.exit_code, "8.2 billion" in added.stdout) == (0, True)
    assert "accepted" in run("plan", "-f", service, "--models", folder).stdout


def test_an_entry_keeps_only_what_planning_reads(write: Write, tmp_path: Path) -> None:
    config = json.dumps(json.loads(CONFIG) | {"auto_map": {"AutoModel": "modeling.Chat"}})
    catalogue("add", write("config.json", config), "--name", "acme/chat", "--folder", str(tmp_path))
    assert json.loads((tmp_path / "acme--chat.json").read_text()) == json.loads(CONFIG)


@pytest.mark.parametrize(
    ("config", "message"),
    [("{", "is no JSON"), ("[]", "is no JSON object"), ("{}", "architectures")],
    ids=["cut off", "a list", "empty"],
)
def test_a_file_that_describes_no_model_is_refused_and_nothing_is_written(
    config: str, message: str, write: Write, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    result = catalogue("add", write("config.json", config), "--name", "acme/chat", "--folder", str(folder))
    assert result.exit_code == 1
    assert message in result.stderr
    assert not folder.exists()


def test_a_name_without_an_organisation_is_refused(write: Write) -> None:
    result = catalogue("add", write("config.json", CONFIG), "--name", "chat")
    assert (result.exit_code, "'chat' is not Organisation/Model" in result.stderr) == (2, True)


def test_outside_the_source_tree_a_folder_must_be_named(write: Write, tmp_path: Path) -> None:
    result = catalogue("add", write("config.json", CONFIG), "--name", "acme/chat", "--root", str(tmp_path))
    assert result.exit_code == 1
    assert "--folder" in result.stderr
