"""The configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuserve.configuration import Configuration
from npuserve.controller.files import UnusableConfiguration, load_configuration


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file_and_no_file_mean_every_default(text: str, tmp_path: Path) -> None:
    assert load_configuration(None) == Configuration()
    assert load_configuration(written(tmp_path, text)) == Configuration()


def test_keys_are_read_as_they_are_written_in_the_chart(tmp_path: Path) -> None:
    text = "enginePreference: [mindie]\nimages: {mirrors: {quay.io: mirror.example/quay}, pullPolicy: Always}\n"
    configuration = load_configuration(written(tmp_path, text))
    assert configuration.engine_preference == ("mindie",)
    assert configuration.images.mirrors == {"quay.io": "mirror.example/quay"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("enginePreferences: [mindie]", "enginePreferences"),
        ("drainSeconds: soon", "drainSeconds"),
        ("images: {os: windows}", "images.os"),
        ("a: [", "is no YAML"),
        ("[1, 2]", "the file"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration) as refused:
        load_configuration(written(tmp_path, text))
    assert "config.yaml" in str(refused.value)
    assert words in str(refused.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match="cannot be read"):
        load_configuration(tmp_path / "none.yaml")
