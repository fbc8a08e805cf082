"""Laws of the layout: how devices, memory and tokens hang together, on products that exist and on made-up ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from npuserve import chips
from npuserve.api.serving import Parallelism as Wish
from npuserve.chips import Product
from npuserve.cluster.flavours import NATIVE
from npuserve.engines import ENGINES
from npuserve.engines.contract import Choice, ContextWindow, Engine
from npuserve.engines.weights import VolumeWeights
from npuserve.models.catalogue import lookup
from npuserve.plan.attempts import attempts
from npuserve.plan.backend import Sketch, candidates, preference
from npuserve.plan.hardware import Pool
from npuserve.plan.intent import intend
from npuserve.plan.layout import Layout, choose_layout
from npuserve.plan.plan import Refusal
from npuserve.plan.splits import Question
from npuserve.plan.sticky import Pins
from tests.laws.strategies import COMMON, models
from tests.support.services import DEFAULTS, a_service

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


def by_engine(row: Product, path: str) -> dict[str, int]:
    """Devices that each engine which can takes for a service of the model, its length left to the plan."""
    intent = intend(a_service(f"pvc://weights/{path}"), DEFAULTS, Pins())
    assume(not isinstance(intent, Refusal))
    assert not isinstance(intent, Refusal)
    wanted = candidates("auto", "", preference(()))
    assert not isinstance(wanted, Refusal)
    tried = attempts(intent, (Pool(row, row.resource, NATIVE, ()),), wanted)
    return {item.candidate.engine.name: item.layout.parallelism.devices for item in tried if isinstance(item, Sketch)}


@given(row=rows, path=models, more=st.integers(1, 100_000))
def test_more_memory_needs_no_more_devices_where_the_length_follows_the_memory_too(
    row: Product, path: str, more: int
) -> None:
    assert row.usable_mib is not None
    small, large = by_engine(row, path), by_engine(replace(row, usable_mib=row.usable_mib + more), path)
    assert {name: devices for name, devices in small.items() if large.get(name, devices + 1) > devices} == {}


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
