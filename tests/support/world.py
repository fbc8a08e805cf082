"""A cluster whose pods answer: the site, the engines behind the pods' addresses, and the kubelet that starts and ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Object
from tests.support.background import Background
from tests.support.clients import Conversation
from tests.support.engine_replica import Speed
from tests.support.engine_server import EngineServer
from tests.support.engines import Engines
from tests.support.kubelet import STAGE, Kubelet
from tests.support.site import Site, site

_STARTED = Path(__file__).with_name(STAGE)


@dataclass(frozen=True, slots=True)
class World:
    """All of it; plain calls go to the engines through `background.call`."""

    site: Site
    engines: Engines
    kubelet: Kubelet
    background: Background


@contextmanager
def talking(world: World, *clients: Conversation) -> Iterator[None]:
    """The clients go on for the length of the block, and end with a whole answer; their Service is looked up meanwhile."""
    over = asyncio.Event()
    proxies = {id(client.proxy): client.proxy for client in clients}
    following = [world.background.start(proxy.follow()) for proxy in proxies.values()]
    talks = [world.background.start(client.talk(over)) for client in clients]
    try:
        yield
    finally:
        world.background.call(over.set)
        for talk in talks:
            talk.result(60)
        for task in following:
            task.cancel()


@contextmanager
def world(
    nodes: Sequence[Object],
    *,
    start_seconds: float = 1.0,
    speed: Speed | None = None,
    values: Mapping[str, Any] | None = None,
) -> Iterator[World]:
    """A world with these nodes, in which no operator runs yet. It needs the network of `tests.cluster.network`."""
    with (
        Background() as background,
        site(nodes, stages=("node/fast",), extra_stages=(_STARTED,), values=values) as built,
    ):
        engines = Engines(speed=speed)
        serving = EngineServer(engines).serve()
        background.run(serving.__aenter__())
        with Kubelet(built.api, engines, background, start_seconds=start_seconds) as kubelet:
            yield World(built, engines, kubelet, background)
        background.run(serving.__aexit__(None, None, None))
