"""Replicas go without a request being lost, whichever way they are made to go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from npuserve.controller.resources import NODES, PODS
from tests.cluster import nodes
from tests.support.clients import Conversation, Told, ask, chat
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World, talking, world

QUICK = {"holdSeconds": 5, "pauseSeconds": 5, "replicas": 2}
DRAIN_SECONDS = 15
BUSY = 12.0
LONG_ANSWER = 150
"""Tokens; some nine seconds."""
CLIENTS = 4
STREAM_EVERY = 0.4


@pytest.fixture(scope="module")
def ground() -> Iterator[World]:
    """Two servers; a replica may drain for a quarter of a minute."""
    values = {"config": {"drainSeconds": DRAIN_SECONDS}}
    with world(nodes.a2_64g("a2", 2), values=values) as built:
        built.site.start()
        yield built


@dataclass(slots=True)
class Streams:
    """Streaming clients: one after another begins, each on a connection of its own."""

    fleet: Fleet
    answers: list[Told] = field(default_factory=list)

    async def open(self, over: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not over.is_set():
                tasks.create_task(self._one())
                await asyncio.sleep(STREAM_EVERY)

    async def _one(self) -> None:
        self.answers.append(await ask(self.fleet.proxy, chat(LONG_ANSWER)))


@dataclass(frozen=True, slots=True)
class Customers:
    """All clients of one test."""

    streams: Streams
    conversations: tuple[Conversation, ...]

    def lost(self) -> list[str]:
        """What happened to requests that got no whole answer."""
        accounts = [*self.streams.answers, *(told for one in self.conversations for told in one.accounts)]
        return [f"{told.endpoint}: {told.status} {told.problem}" for told in accounts if told.lost]


@contextmanager
def customers(fleet: Fleet) -> Iterator[Customers]:
    """Clients that stream and clients that keep a connection, until the end of the block and of their last answer."""
    streams, over = Streams(fleet), asyncio.Event()
    conversations = tuple(Conversation(fleet.proxy, pause=0.3, tokens=5) for _ in range(CLIENTS))
    background = fleet.world.background
    opening = background.start(streams.open(over))
    try:
        with talking(fleet.world, *conversations):
            yield Customers(streams, conversations)
    finally:
        background.call(over.set)
        opening.result(120)


def nothing_is_lost(fleet: Fleet, found: Customers) -> None:
    assert found.lost() == []
    assert len(found.streams.answers) > 20
    assert all(one.accounts for one in found.conversations)
    assert fleet.world.engines.cut == {}


@pytest.fixture
def busy(ground: World, tenant: Tenant) -> Iterator[Fleet]:
    """A service that has three replicas for its load."""
    scaling = {"minReplicas": 1, "maxReplicas": 3, "scaleDown": QUICK}
    with followed(ground, tenant, "chat", rate=BUSY, autoscaling=scaling) as fleet:
        fleet.wait_for_endpoints(3, within=120)
        yield fleet


def test_scaling_down_loses_no_request(busy: Fleet) -> None:
    with customers(busy) as found:
        time.sleep(10)
        busy.load.rate = 0.3
        busy.wait_for_replicas(1, 2, within=240)
        gone = busy.wait_for_endpoints(1, 2)
        until(lambda: True if len(busy.tenant.all_pods("chat")) == len(gone) else NotYet("a pod is ending"), within=120)
        time.sleep(2)
    nothing_is_lost(busy, found)


def test_the_replica_with_the_least_to_do_goes(busy: Fleet) -> None:
    """The others have streams that last."""
    idle, *others = busy.addresses()
    busy.load.rate = 0.0
    until(lambda: NotYet("requests are in flight") if busy.in_flight() else True)
    engines, background = busy.world.engines, busy.world.background

    async def hold(address: str) -> Told:
        endpoint = next(one for one in busy.proxy.endpoints if one.address == address)
        alone = replace(busy.proxy, endpoints=(endpoint,))
        return await ask(alone, chat(600))

    holding = [background.start(hold(address)) for address in others for _ in range(3)]
    there = dict.fromkeys(others, 3) | {idle: 0}
    until(lambda: True if there.items() <= background.call(engines.in_flight).items() else NotYet("they are not there"))
    busy.tenant.edit("chat", autoscaling={"maxReplicas": 2})
    until(lambda: NotYet("it is there") if idle in busy.addresses() else True, within=120)
    assert set(others) <= set(busy.addresses())
    assert [told.problem for one in holding if (told := one.result(120)).lost] == []


def test_an_edit_that_replaces_all_replicas_loses_no_request(busy: Fleet) -> None:
    before = busy.tenant.pod_uids("chat")
    with customers(busy) as found:
        time.sleep(3)
        busy.tenant.edit("chat", context={"maxModelLen": 4096})
        until(lambda: NotYet("old ones are left") if _uids(busy) & before else True, within=240)
        time.sleep(2)
    nothing_is_lost(busy, found)


def _uids(fleet: Fleet) -> set[str]:
    return {pod["metadata"]["uid"] for pod in fleet.tenant.all_pods("chat")}


def test_a_drained_node_loses_no_request(busy: Fleet) -> None:
    site = busy.world.site
    node = busy.tenant.pods("chat")[0]["spec"]["nodeName"]
    before = {pod["metadata"]["uid"] for pod in busy.tenant.pods("chat") if pod["spec"]["nodeName"] == node}
    with customers(busy) as found:
        time.sleep(3)
        try:
            site.cluster.kubectl(
                "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=200s", timeout=220
            )
        finally:
            site.cluster.kubectl("uncordon", node)
        until(lambda: NotYet("its pods are left") if _uids(busy) & before else True, within=60)
        time.sleep(2)
    nothing_is_lost(busy, found)
    assert site.api.get(NODES, "", node)
    assert site.api.list(PODS, busy.tenant.namespace)
