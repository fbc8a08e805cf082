"""Laws of what is read from the cluster: any object gets an answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from npuserve import chips
from npuserve.cluster.nodes import read_node
from npuserve.cluster.pods import npu_use
from npuserve.quantity import format_bytes, parse_quantity, whole
from tests.laws import strategies
from tests.laws.strategies import json_values

odd_nodes = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.one_of(json_values, st.fixed_dictionaries({"name": json_values, "labels": json_values})),
        "spec": st.one_of(json_values, st.fixed_dictionaries({"taints": json_values, "unschedulable": json_values})),
        "status": st.one_of(
            json_values,
            st.fixed_dictionaries(
                {
                    "allocatable": st.one_of(
                        json_values,
                        st.dictionaries(st.sampled_from(("huawei.com/Ascend910", "cpu", "hugepages-2Mi")), json_values),
                    )
                }
            ),
        ),
    },
)
containers = st.lists(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {
                "resources": st.one_of(
                    json_values, st.fixed_dictionaries({"limits": json_values, "requests": json_values})
                )
            }
        ),
    ),
    max_size=2,
)
odd_pods = st.fixed_dictionaries(
    {},
    optional={
        "spec": st.one_of(
            json_values,
            st.fixed_dictionaries(
                {
                    "nodeName": st.just("node"),
                    "containers": st.one_of(json_values, containers),
                    "initContainers": json_values,
                }
            ),
        ),
        "status": json_values,
    },
)


@given(odd_nodes)
def test_reading_a_node_never_fails(node: dict[str, Any]) -> None:
    assert all(facts.devices > 0 and facts.products for facts in read_node(node))


@given(odd_pods)
def test_reading_a_pod_never_fails(pod: dict[str, Any]) -> None:
    assert all(use.devices > 0 for use in npu_use(pod))


@given(strategies.node_objects())
def test_a_node_is_only_what_exists_and_never_more_than_the_product_has(node: dict[str, Any]) -> None:
    for facts in read_node(node):
        rows = [chips.by_id(product) for product in facts.products]
        assert all(row is not None and facts.devices <= row.largest_node() for row in rows)


@given(strategies.node_objects())
def test_the_least_memory_that_a_node_can_have_is_assumed(node: dict[str, Any]) -> None:
    for facts in read_node(node):
        stated = [
            row.memory_gib for product in facts.products if (row := chips.by_id(product)) is not None and row.memory_gib
        ]
        first = chips.by_id(facts.products[0])
        assert first is not None
        assert not stated or first.memory_gib == min(stated)


@given(st.integers(0, 1 << 62))
def test_bytes_written_as_a_quantity_are_the_same_bytes(amount: int) -> None:
    assert whole(format_bytes(amount)) == amount


@given(st.one_of(json_values, st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3})?(m|k|Ki|Mi|e[0-9])?", fullmatch=True)))
def test_any_value_is_a_quantity_or_none(value: object) -> None:
    number = parse_quantity(value)
    assert number is None or number >= 0 or isinstance(value, int)
    assert whole(value) == (0 if number is None else int(number))
