"""The committed files are what the types say, and say it in the same bytes every time."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from npuserve.api.conditions import ConditionType, Reason
from npuserve.api.crd import custom_resource_definition
from npuserve.api.generated import GENERATED
from npuserve.api.parse import parse
from npuserve.api.reference import EXAMPLE, reference_markdown
from npuserve.api.resource import InferenceService

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("path", "text"), GENERATED.items())
def test_a_generated_file_is_what_npuserve_generate_would_write(path: str, text: Callable[[], str]) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("text", GENERATED.values(), ids=list(GENERATED))
def test_generating_twice_gives_the_same_bytes(text: Callable[[], str]) -> None:
    assert text() == text()


def test_the_yaml_reads_back_as_the_definition() -> None:
    assert yaml.safe_load(GENERATED["crds/inferenceservices.npuserve.io.yaml"]()) == custom_resource_definition()


def test_kubectl_apply_can_keep_the_definition_in_its_annotation() -> None:
    # kubernetes: an object's annotations hold at most 262,144 bytes.
    assert len(GENERATED["crds/inferenceservices.npuserve.io.yaml"]().encode()) < 262_144


def test_the_example_has_twelve_lines_and_is_a_service() -> None:
    assert len(EXAMPLE.splitlines()) == 12
    assert isinstance(parse(yaml.safe_load(EXAMPLE)), InferenceService)


def test_the_reference_shows_the_example_first_and_says_who_refuses_unknown_fields() -> None:
    reference = reference_markdown()
    assert EXAMPLE in reference[:600]
    assert "prunes such a field silently" in reference


def test_the_reference_lists_every_condition_and_every_reason() -> None:
    reference = reference_markdown()
    assert all(f"| `{word}` | {word.meaning} |" in reference for word in (*ConditionType, *Reason))


def test_every_link_of_the_reference_leads_to_one_of_its_sections() -> None:
    reference = reference_markdown()
    sections = {
        line[3:].lower().translate(str.maketrans(" ", "-", ".[]"))
        for line in reference.splitlines()
        if line[:3] == "## "
    }
    links = {part.split(")")[0] for part in reference.split("](#")[1:]}
    assert links
    assert links <= sections
