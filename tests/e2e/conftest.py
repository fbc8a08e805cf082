"""The whole control plane with simulated NPU nodes and the operator as its own process.

Most tests share one cluster and have a namespace each; a module whose tests stop programs or change the nodes has a `ground` of its own. What takes minutes
without anything to do (the fixtures in LONG) begins before the first test, on clusters of its own where it must, and is looked at by the tests
marked `last`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import count

import pytest

from npuserve.controller.resources import CONFIG_MAPS
from tests.cluster import nodes
from tests.cluster.control_plane import API_ONLY
from tests.support.activator_process import ENABLED, say_ready
from tests.support.api import NAMESPACES
from tests.support.models import described
from tests.support.silence import Noticed, begin_silence
from tests.support.site import Rest, Site, site
from tests.support.states import OWN_MODEL, REFUSED, WITH_FILES, converge, obstruct
from tests.support.tenant import Tenant

LONG = ("silence", "rest", "doomed", "undescribed")
SETTLE_SECONDS = 3.0
"""Between the last statement about a service and rest: events and counts of pods come after conditions."""
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last: looks back on what began before the first test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session", autouse=True)
def _begin_what_takes_long(request: pytest.FixtureRequest) -> None:
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in LONG:
        if name in wanted:
            # pytest keeps what goes wrong here for the tests that look back on it; the others go on.
            with suppress(Exception):
                request.getfixturevalue(name)


@pytest.fixture(scope="session")
def ground() -> Iterator[Site]:
    """Five Atlas 800I A2 64G servers and one with four Atlas 300I Duo cards; the operator works, the activator's pods are
    ready."""
    with site([*nodes.a2_64g("a2", 5), *nodes.duo_96g("duo", 1)], values=ENABLED) as built:
        say_ready(built)
        built.start()
        yield built


@pytest.fixture
def tenant(ground: Site) -> Iterator[Tenant]:
    """A namespace of its own for a test."""
    made = Tenant(ground.api, f"team-{next(_numbers)}")
    yield made
    ground.api.delete(NAMESPACES, "", made.namespace)


@pytest.fixture(scope="session")
def rest() -> Iterator[Rest]:
    """A cluster with services in every state, in which nothing happens from now on."""
    with site([*nodes.a2_64g("a2", 2), *nodes.duo_96g("duo", 1)]) as built:
        built.start()
        converge(Tenant(built.api, "calm"))
        obstruct(Tenant(built.api, "troubled"))
        time.sleep(SETTLE_SECONDS)
        yield Rest(built, time.monotonic(), built.position())


@pytest.fixture(scope="session")
def silence() -> Iterator[tuple[Site, Future[Noticed]]]:
    """An operator whose API server falls silent now, and what came of it.

    Without leader election: with it the operator ends after the lease's deadline, long before.
    """
    with site(nodes.a2_64g("a2", 1), components=API_ONLY) as built:
        built.start(environment={"NPUSERVE_LEADER_ELECTION": "false"})
        server = built.cluster.pids["kube-apiserver"]
        yield built, begin_silence(built)
        os.kill(server, signal.SIGCONT)


@pytest.fixture(scope="session")
def undescribed(ground: Site) -> Tenant:
    """A namespace whose service `chat` was refused for want of a ConfigMap that appeared then; no watch tells of it."""
    made = Tenant(ground.api, "undescribed")
    made.has_weights()
    made.ask("chat", model=OWN_MODEL)
    made.wait_until_said("chat", "Accepted", "False", "ConfigMapMissing")
    made.api.create(CONFIG_MAPS, described("own-model", made.namespace))
    return made


@pytest.fixture(scope="session")
def doomed(ground: Site) -> str:
    """A namespace with a READY and a refused service whose deletion has begun; the namespace controller takes its time."""
    made = Tenant(ground.api, "doomed")
    made.has_weights()
    made.ask("chat", replicas=2, **WITH_FILES)
    made.ask("refused", **REFUSED)
    made.wait_until_ready("chat")
    ground.api.delete(NAMESPACES, "", made.namespace)
    return made.namespace
