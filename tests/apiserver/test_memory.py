"""What was learned of a service's load is kept by a real API server, and falls on nobody else's object."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from npuserve.autoscale.memory import Memory
from npuserve.autoscale.starts import learn_start
from npuserve.controller.credentials import Credentials, log_in
from npuserve.controller.kube import Kube
from npuserve.controller.memories import FIRST_SECONDS, WRITE_SECONDS, keep, recall
from npuserve.controller.resources import CONFIG_MAPS, SERVICE
from npuserve.render.owner import Owner
from tests.cluster.control_plane import ControlPlane
from tests.support.api import NAMESPACES, Api
from tests.support.manifests import a_service

T = TypeVar("T")
NAMESPACE = "remembered"


@pytest.fixture
def owner(api: Api, request: pytest.FixtureRequest) -> Owner:
    """A service of its own for each test."""
    if api.find(NAMESPACES, "", NAMESPACE) is None:
        api.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    name = f"chat-{abs(hash(request.node.name)) % 100_000}"
    made = api.create(SERVICE, a_service(name, NAMESPACE))
    return Owner(name, NAMESPACE, made["metadata"]["uid"])


@pytest.fixture
def asked(cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Kube], Awaitable[T]]], T]:
    """Runs something with the operator's own client."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.admin_kubeconfig))

    def ask(scenario: Callable[[Kube], Awaitable[T]]) -> T:
        async def main() -> T:
            credentials = Credentials(log_in)
            async with credentials.session(connections=4) as session:
                return await scenario(Kube(session, credentials.server))

        return asyncio.run(main())

    return ask


def test_what_was_learned_comes_back_and_is_written_only_when_it_is_something_else(
    api: Api, owner: Owner, asked: Callable[[Callable[[Kube], Awaitable[None]]], None]
) -> None:
    learned = learn_start(Memory(), 300.0)

    async def scenario(kube: Kube) -> None:
        memory, kept = await recall(kube, owner, now=0.0)
        assert memory == Memory()
        assert kept is not None
        kept = await keep(kube, owner, kept, memory=Memory(), now=FIRST_SECONDS)
        assert api.find(CONFIG_MAPS, NAMESPACE, f"{owner.name}-autoscaling") is None
        kept = await keep(kube, owner, kept, memory=learned, now=FIRST_SECONDS)
        first = api.get(CONFIG_MAPS, NAMESPACE, f"{owner.name}-autoscaling")
        assert first["metadata"]["ownerReferences"][0]["uid"] == owner.uid
        later = FIRST_SECONDS + WRITE_SECONDS
        kept = await keep(kube, owner, kept, memory=learned._replace(usual_error=0.17), now=later)
        assert api.get(CONFIG_MAPS, NAMESPACE, f"{owner.name}-autoscaling") == first
        await keep(kube, owner, kept, memory=learned._replace(usual_error=0.32), now=later + WRITE_SECONDS)
        again, _ = await recall(kube, owner, now=0.0)
        assert (again.cold_start, again.starts, again.usual_error) == (300.0, (300.0,), 0.32)

    asked(scenario)


def test_a_map_of_someone_else_is_left_alone_and_one_that_was_deleted_is_made_again(
    api: Api, owner: Owner, asked: Callable[[Callable[[Kube], Awaitable[None]]], None]
) -> None:
    name = f"{owner.name}-autoscaling"
    learned = learn_start(Memory(), 300.0)

    async def scenario(kube: Kube) -> None:
        theirs = api.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": NAMESPACE}, "data": {"a": "b"}})
        memory, kept = await recall(kube, owner, now=0.0)
        assert (memory, kept) == (Memory(), None)
        assert api.get(CONFIG_MAPS, NAMESPACE, name) == theirs
        api.delete(CONFIG_MAPS, NAMESPACE, name)
        _, kept = await recall(kube, owner, now=0.0)
        assert kept is not None
        theirs = api.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": NAMESPACE}, "data": {"a": "b"}})
        kept = await keep(kube, owner, kept, memory=learned, now=FIRST_SECONDS)
        assert api.get(CONFIG_MAPS, NAMESPACE, name) == theirs
        api.delete(CONFIG_MAPS, NAMESPACE, name)
        kept = await keep(kube, owner, kept, memory=learned, now=2 * FIRST_SECONDS)
        assert kept.uid == api.get(CONFIG_MAPS, NAMESPACE, name)["metadata"]["uid"]
        api.delete(CONFIG_MAPS, NAMESPACE, name)
        kept = await keep(kube, owner, kept, memory=learned._replace(usual_error=0.32), now=9 * WRITE_SECONDS)
        await keep(kube, owner, kept, memory=learned._replace(usual_error=0.32), now=10 * WRITE_SECONDS)
        assert api.find(CONFIG_MAPS, NAMESPACE, name) is not None

    asked(scenario)
