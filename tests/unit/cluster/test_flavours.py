"""How clusters hand out NPUs."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuserve.cluster.flavours import CCE, FLAVOURS, HAMI, NATIVE, OLDER_VOLCANO, VOLCANO, Flavour, of_family

README = Path(__file__).parents[3] / "operator" / "README.md"


def test_a_configured_flavour_holds_for_its_own_family_and_others_are_detected() -> None:
    assert of_family("mindcluster", "auto") is NATIVE
    assert of_family("mindcluster", "mindcluster-volcano-before-7.3") is OLDER_VOLCANO
    assert of_family("hami", "mindcluster-volcano") is HAMI
    assert of_family("cce", "hami") is CCE


def test_volcano_is_told_the_shape_of_a_server_in_the_way_of_its_release_and_others_are_not() -> None:
    assert {row.name: row.shape for row in FLAVOURS if row.shape} == {
        VOLCANO.name: "policy",
        OLDER_VOLCANO.name: "label",
    }


@pytest.mark.parametrize("row", FLAVOURS, ids=lambda row: row.name)
def test_the_operators_document_tells_of_every_flavour(row: Flavour) -> None:
    assert f"\n| `{row.name}` |" in README.read_text(encoding="utf-8")
