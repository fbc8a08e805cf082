"""The product table: every row means something, and names lead to rows."""

from __future__ import annotations

import pytest

from npuserve.chips import MIB, PRODUCTS, Product, by_id, chip_name, find, with_chip
from npuserve.cluster.flavours import FAMILIES

GIB = 1 << 30
POLICIES = {
    "chip4-node8", "chip8-node8", "chip8-node16", "chip2-node16", "chip2-node16-sp", "chip2-node8-sp", "chip1-node8", "chip8-node8-sp",
    "chip8-node8-ra64-sp",
}  # fmt: skip
"""MC:docs/en/scheduling/api/volcano.md: an unknown value is ignored, and the rules of the oldest server apply silently."""

ids = pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: row.id)


def test_ids_are_unique() -> None:
    assert len({row.id for row in PRODUCTS}) == len(PRODUCTS)


def test_every_server_and_card_that_the_sources_name_has_a_row() -> None:
    """MC:docs/en/scheduling/api/k8s.md and volcano.md, VA:docs/source/getting_started/installation.md, product by product."""
    named = {
        "Atlas 800 910A 32G",
        "Atlas 800T A2 64G",
        "Atlas 800I A2 32G",
        "Atlas 800I A2 64G",
        "Atlas 200I A2 Box",
        "Atlas 200I A2 Box16",
        "Atlas 300I A2 32G",
        "Atlas 300I A2 64G",
        "Atlas 800I A3 64G",
        "Atlas 800T A3 64G",
        "Atlas 900 A3 SuperPoD 64G",
        "Atlas 9000 A3 SuperPoD 64G",
        "Atlas 300I Duo 96G",
        "Atlas 300I Duo 48G",
        "Atlas 300I Pro 24G",
        "Atlas 300V Pro 48G",
        "Atlas 300V Pro 24G",
        "Atlas 300V 24G",
        "Atlas 200I SoC A1",
        "Atlas 350",
        "Atlas 350 4-mesh",
        "Atlas 850 96G",
        "Atlas 850 SuperPoD 96G",
        "Atlas 950 SuperPoD 96G",
    }
    assert {row.id for row in PRODUCTS} == named


@ids
def test_less_memory_is_usable_than_the_product_is_sold_with(row: Product) -> None:
    if row.usable_mib is None:
        assert row.usable_bytes is None
    else:
        assert row.memory_gib is not None
        assert 0.8 * row.memory_gib * GIB < row.usable_mib * MIB < row.memory_gib * GIB
        assert row.usable_bytes == row.usable_mib * MIB


@ids
def test_a_row_without_stated_memory_has_no_usable_memory(row: Product) -> None:
    if row.memory_gib is None:
        assert row.usable_mib is None


@ids
def test_what_a_replica_may_ask_for_fits_into_a_node(row: Product) -> None:
    assert row.request_sizes == tuple(sorted(set(row.request_sizes)))
    assert row.request_sizes[0] >= 1
    assert row.request_sizes[-1] <= row.largest_node()


@ids
def test_resources_are_huawei_com_and_each_family_has_at_most_its_own(row: Product) -> None:
    for family in FAMILIES:
        assert all(name.startswith("huawei.com/") for name in row.resource_for(family))
    assert row.resource_for("mindcluster") == (row.resource,)
    assert row.resource_for("odd") == ()


@ids
def test_a_policy_is_one_that_the_scheduler_knows(row: Product) -> None:
    assert row.policy in POLICIES | {""}


@ids
def test_the_chips_of_the_resource_names_are_the_rows_own(row: Product) -> None:
    for name in row.hami_resources:
        assert chip_name(name.removeprefix("huawei.com/")) in {*row.chips, "310P"}


@ids
def test_the_310p_family_computes_in_float16_only(row: Product) -> None:
    assert ("bfloat16" in row.dtypes) == (row.generation not in ("310P", "910A"))


def test_a_box_of_sixteen_takes_pairs_beyond_the_eight_of_one_ring() -> None:
    row = by_id("Atlas 200I A2 Box16")
    assert row is not None
    assert row.sizes_for("mindcluster") == (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16)


def test_request_sizes_are_others_under_hami_where_it_hands_out_whole_modules_only() -> None:
    others = {row.generation for row in PRODUCTS if row.sizes_for("hami") != row.request_sizes}
    assert others == {"A3"}


def test_a_whole_id_finds_one_row_in_any_capitals() -> None:
    assert [row.id for row in find("atlas 300i duo 96g")] == ["Atlas 300I Duo 96G"]


def test_the_beginning_of_an_id_finds_all_rows_that_begin_with_those_words() -> None:
    assert [row.id for row in find("Atlas 800I A2")] == ["Atlas 800I A2 64G", "Atlas 800I A2 32G"]
    assert [row.id for row in find("Atlas 200I A2 Box")] == ["Atlas 200I A2 Box"]
    assert find("Atlas 800I A") == ()
    assert find("") == ()


def test_a_row_is_had_by_its_exact_id() -> None:
    assert by_id("Atlas 800I A3 64G") in PRODUCTS
    assert by_id("atlas 800i a3 64g") is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("910B3", "910B3"),
        ("Ascend910B4-1", "910B4-1"),
        ("ascend310p3", "310P3"),
        ("Ascend910", "910C"),
        ("Ascend910_9391", "910C"),
        ("910C", "910C"),
        ("H100", "H100"),
    ],
)
def test_a_chip_has_one_name_however_it_is_written(written: str, name: str) -> None:
    assert chip_name(written) == name
    assert all(name in row.chips for row in with_chip(written))


def test_a_chip_leads_to_every_row_that_is_sold_with_it() -> None:
    assert [row.id for row in with_chip("910B3")] == ["Atlas 800I A2 64G", "Atlas 800T A2 64G"]
    assert with_chip("H100") == ()
