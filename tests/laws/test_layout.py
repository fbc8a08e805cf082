"""Laws of the layout: how devices, memory and tokens hang together, on products that exist and on made-up ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuserve import chips
from npuserve.api.serving import Parallelism as Wish
from npuserve.chips import Product
from npuserve.cluster.flavours import NATIVE
from npuserve.engines import ENGINES
from npuserve.engines.contract import Choice, ContextWindow, Engine, VolumeWeights
from npuserve.models.catalogue import lookup
from npuserve.plan.hardware import Pool
from npuserve.plan.layout import Layout, choose_layout
from npuserve.plan.splits import Question
from tests.laws.strategies import COMMON, models

rows = st.sampled_from([row for row in chips.PRODUCTS if row.usable_mib is not None])
windows = st.builds(ContextWindow, st.sampled_from((512, 4096, 32768, 131072)), st.sampled_from((1, 16, 64)))


def question(engine: Engine, product: Product, path: str, *, wish: Wish | None = None) -> Question:
    """The choice of a layout on one whole server of a product."""
    model = lookup(path)
    assert model is not None
    version = engine.stable[0]
    return Question(
        engine=engine,
        choice=Choice(model, "none", product, version, VolumeWeights("weights", path), "served"),
        pool=Pool(product, product.resource, NATIVE, ()),
        wish=wish or Wish(),
        devices=None,
        utilization=engine.utilization(version, {}),
        arguments={},
    )


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@given(row=rows, path=models, context=windows, more=st.integers(1, 100_000))
def test_more_memory_per_device_never_needs_more_devices(
    engine: Engine, row: Product, path: str, context: ContextWindow, more: int
) -> None:
    small = choose_layout(question(engine, row, path), context)
    assert row.usable_mib is not None
    large = choose_layout(question(engine, replace(row, usable_mib=row.usable_mib + more), path), context)
    if isinstance(small, Layout):
        assert isinstance(large, Layout)
        assert large.parallelism.devices <= small.parallelism.devices


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@given(row=rows, path=models, context=windows)
def test_a_layout_uses_all_its_devices_and_divides_the_experts(
    engine: Engine, row: Product, path: str, context: ContextWindow
) -> None:
    found = choose_layout(question(engine, row, path), context)
    if isinstance(found, Layout):
        split = found.parallelism
        experts = question(engine, row, path).choice.model.experts
        assert split.devices in row.request_sizes
        assert split.devices.bit_count() == 1
        assert split.expert in (1, split.tensor * split.data)
        assert experts % split.expert == 0


@given(row=rows, path=st.sampled_from(COMMON), context=windows, tensor=st.sampled_from((1, 2, 4, 8)))
def test_a_named_size_is_the_size_or_a_refusal(row: Product, path: str, context: ContextWindow, tensor: int) -> None:
    found = choose_layout(question(ENGINES[0], row, path, wish=Wish(tensor=tensor)), context)
    if isinstance(found, Layout):
        assert found.parallelism.tensor == tensor
        assert found.parallelism.devices == tensor
