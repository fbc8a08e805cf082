"""Replicas that answer: the whole control plane, the operator, and a server behind every pod's address, in one network of
their own. `make fleet` runs these tests; elsewhere each of them is skipped and says why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.cluster import network, nodes
from tests.fleet.__main__ import REFUSED
from tests.support.api import NAMESPACES
from tests.support.tenant import Tenant
from tests.support.world import World, world

HERE = Path(__file__).parent
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if network.holds():
        return
    reason = os.environ.get(REFUSED) or "pods are asked by their addresses in a network of its own: run `make fleet`"
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def ground() -> Iterator[World]:
    """Two Atlas 800I A2 64G servers; the operator works; replicas take a second to start. One world at a time can have the
    pods' addresses, so each module makes its own."""
    with world(nodes.a2_64g("a2", 2)) as built:
        built.site.start()
        yield built


@pytest.fixture
def tenant(ground: World) -> Iterator[Tenant]:
    """A namespace of its own for a test."""
    made = Tenant(ground.site.api, f"team-{next(_numbers)}")
    yield made
    ground.site.api.delete(NAMESPACES, "", made.namespace)
