"""The cluster as the configuration declares it, for operators that may not read nodes."""

from __future__ import annotations

from functools import lru_cache

from npuserve import chips
from npuserve.cluster.facts import ClusterFacts, NodeFacts
from npuserve.cluster.flavours import FAMILIES
from npuserve.configuration import HardwareRow


@lru_cache(maxsize=64)
def declared(rows: tuple[HardwareRow, ...], flavour: str) -> ClusterFacts:
    """One node per declared node, with nothing known of CPUs, memory, labels or what is free; rows of unknown products
    declare nothing."""
    nodes = tuple(
        _node(row, f"{row.product.lower().replace(' ', '-')}-{number}")
        for row in rows
        for number in range(row.nodes)
        if chips.find(row.product)
    )
    return ClusterFacts(nodes=nodes, known=False, flavour=flavour)


def _node(row: HardwareRow, name: str) -> NodeFacts:
    products = chips.find(row.product)
    resource = row.resource_name or products[0].resource
    family = next(
        (family for family in FAMILIES if any(resource in item.resource_for(family) for item in products)), FAMILIES[0]
    )
    return NodeFacts(
        name=name,
        arch=row.arch,
        resource=resource,
        family=family,
        devices=row.devices,
        products=tuple(item.id for item in products),
        certain=len({(item.generation, item.memory_gib) for item in products}) == 1,
        chip="",
        cpus=0,
        memory=0,
        hugepages=(),
        labels={},
    )
