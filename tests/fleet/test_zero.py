"""From zero to the first replica and back: requests wait in the activator's own process, and none is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from npuserve.controller.resources import SERVICE
from tests.cluster import nodes
from tests.support.activator_process import ENABLED, ActivatorProcess, activator_process, say_ready
from tests.support.api import NAMESPACES
from tests.support.clients import Conversation, Told, ask, chat
from tests.support.endpoints import Proxy
from tests.support.fleet import Fleet, followed
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World, talking, world

STREAMS, HELD = 200, 220
START_SECONDS = 8.0
DRAIN_SECONDS = 15
"""Clients that keep a connection and never rest use it for as long."""
TOKENS = 12
IDLE_SECONDS = 10
SCALING = {"minReplicas": 0, "maxReplicas": 2}
BY_HAND = {**SCALING, "mode": "external"}


@pytest.fixture(scope="module")
def ground() -> Iterator[World]:
    """Two servers, the operator, and the activator; a replica takes some seconds to start."""
    values = {"activator": {**ENABLED["activator"], "heldRequests": HELD}, "config": {"drainSeconds": DRAIN_SECONDS}}
    with world(nodes.a2_64g("a2", 2), start_seconds=START_SECONDS, values=values) as built:
        built.site.start()
        yield built


@pytest.fixture(scope="module")
def activator(ground: World) -> Iterator[ActivatorProcess]:
    (address,) = say_ready(ground.site)
    with activator_process(ground.site, address=address) as running:
        yield running


@pytest.fixture
def tenant(ground: World, activator: ActivatorProcess, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    made = Tenant(ground.site.api, f"zero-{abs(hash(request.node.name)) % 10_000}")
    yield made
    ground.site.api.delete(NAMESPACES, "", made.namespace)


@pytest.fixture
def by_hand(ground: World, activator: ActivatorProcess, tenant: Tenant) -> Iterator[Fleet]:
    """A service at zero that the test scales, whose clients are led to the activator."""
    yield from _at_zero(ground, activator, tenant, BY_HAND)


def _at_zero(ground: World, activator: ActivatorProcess, tenant: Tenant, scaling: dict[str, object]) -> Iterator[Fleet]:
    with followed(ground, tenant, "chat", replicas=0, autoscaling=scaling) as fleet:
        until(lambda: True if fleet.addresses() == (activator.address,) else NotYet(f"{fleet.addresses()}"))
        until(lambda: _listens(fleet.proxy), within=5)
        yield fleet


def _listens(proxy: Proxy) -> bool | NotYet:
    """Whether the activator has heard of the new service, which it does some milliseconds after the slice was written."""
    (endpoint,) = proxy.endpoints
    try:
        with socket.create_connection((endpoint.address, endpoint.port), timeout=5):
            return True
    except OSError as error:
        return NotYet(str(error))


@pytest.fixture
def at_zero(ground: World, activator: ActivatorProcess, tenant: Tenant) -> Iterator[Fleet]:
    """The same, scaled by the operator."""
    yield from _at_zero(ground, activator, tenant, SCALING)


def many(fleet: Fleet, count: int, **body: object) -> list[Future[Told]]:
    """So many clients that ask at once, each on a connection of its own."""
    start = fleet.world.background.start
    return [start(ask(fleet.proxy, {**chat(TOKENS), **body})) for _ in range(count)]


def waiting(activator: ActivatorProcess, fleet: Fleet) -> float:
    return activator.number("npuserve_activator_queued", name=fleet.name, namespace=fleet.tenant.namespace)


def wait_until_waiting(activator: ActivatorProcess, fleet: Fleet, count: int) -> None:
    until(lambda: True if (found := waiting(activator, fleet)) == count else NotYet(f"{found} wait"))


def scale(fleet: Fleet, replicas: int) -> None:
    where = fleet.tenant
    where.api.merge(SERVICE, where.namespace, fleet.name, {"spec": {"replicas": replicas}}, subresource="scale")


def to_replicas(fleet: Fleet) -> int:
    """Requests for an answer that reached a replica of this service's cluster."""
    return fleet.world.background.call(lambda: sum(fleet.world.engines.requests("/v1/chat").values()))


def test_two_hundred_streams_wait_for_the_first_replica_all_are_answered_and_the_next_goes_there_directly(
    activator: ActivatorProcess, by_hand: Fleet
) -> None:
    before = to_replicas(by_hand)
    asked = many(by_hand, STREAMS)
    wait_until_waiting(activator, by_hand, STREAMS)
    scale(by_hand, 1)
    told = [item.result(120) for item in asked]
    assert [one.problem for one in told if one.lost] == []
    assert {(one.status, one.tokens) for one in told} == {(200, TOKENS)}
    assert {one.endpoint.address for one in told if one.endpoint} == {activator.address}
    assert to_replicas(by_hand) - before == STREAMS
    until(lambda: NotYet("the activator is still there") if activator.address in by_hand.addresses() else True)
    (direct,) = many(by_hand, 1)
    found = direct.result(60)
    assert found.whole
    assert found.endpoint is not None
    assert found.endpoint.address != activator.address


def test_the_operator_starts_the_first_replica_within_seconds_of_the_first_request(
    activator: ActivatorProcess, at_zero: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    asked = many(at_zero, STREAMS)
    at_zero.wait_for_replicas(1, 2, within=30)
    ordered = time.monotonic() - began
    told = [item.result(120) for item in asked]
    assert [one.problem for one in told if one.lost] == []
    last = max(one.ended for one in told) - began
    with capsys.disabled():
        print(f"\n  {STREAMS} streams: ordered after {ordered:.1f} s, all answered after {last:.1f} s ", end="")
    until(lambda: NotYet("the activator is still there") if activator.address in at_zero.addresses() else True)


def test_a_service_that_nobody_asks_stops_after_its_idle_time_and_the_next_request_starts_it_again(
    ground: World, activator: ActivatorProcess, tenant: Tenant
) -> None:
    scaling = {**SCALING, "scaleDown": {"idleSeconds": IDLE_SECONDS}}
    with followed(ground, tenant, "chat", rate=1.0, autoscaling=scaling) as fleet:
        assert fleet.stays(1.5 * IDLE_SECONDS) == [1]
        fleet.load.rate = 0.0
        fleet.wait_for_replicas(0, within=120)
        until(lambda: True if fleet.addresses() == (activator.address,) else NotYet(f"{fleet.addresses()}"))
        assert fleet.decision()["constraint"] == "Idle"
        (asked,) = many(fleet, 1)
        assert asked.result(120).whole
        assert fleet.numbers() == [1, 0, 1]
        assert not fleet.load.refused


def models(url: str) -> list[str]:
    """The names that are told there."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return [card["id"] for card in json.load(answer)["data"]]


def test_a_question_that_needs_no_replica_starts_none(activator: ActivatorProcess, at_zero: Fleet) -> None:
    (endpoint,) = at_zero.proxy.endpoints
    assert models(f"http://{endpoint.address}:{endpoint.port}/v1/models") == [at_zero.world.engines.model]
    assert set(at_zero.stays(8)) <= {0}
    assert at_zero.asked_for() == 0


def test_more_than_may_wait_are_told_to_come_again_and_the_others_are_answered(
    activator: ActivatorProcess, by_hand: Fleet
) -> None:
    asked = many(by_hand, HELD)
    wait_until_waiting(activator, by_hand, HELD)
    late = [item.result(30) for item in many(by_hand, 20)]
    assert {one.status for one in late} == {429}
    assert all('"queue_full"' in one.problem for one in late)
    scale(by_hand, 1)
    assert all(item.result(120).whole for item in asked)


def test_clients_that_give_up_are_forgotten_and_reach_no_replica(activator: ActivatorProcess, by_hand: Fleet) -> None:
    before = to_replicas(by_hand)
    asked = many(by_hand, 50)
    wait_until_waiting(activator, by_hand, 50)
    for item in asked[:40]:
        item.cancel()
    wait_until_waiting(activator, by_hand, 10)
    scale(by_hand, 1)
    assert all(item.result(120).whole for item in asked[40:])
    assert to_replicas(by_hand) - before == 10


def test_nothing_is_lost_when_the_last_replica_goes_and_the_first_one_comes_again(
    activator: ActivatorProcess, by_hand: Fleet
) -> None:
    scale(by_hand, 1)
    by_hand.tenant.wait_until_ready("chat")
    until(lambda: NotYet("the activator is still there") if activator.address in by_hand.addresses() else True)
    clients = [Conversation(by_hand.proxy, pause=0.1, tokens=TOKENS) for _ in range(8)]
    with talking(by_hand.world, *clients):
        time.sleep(2)
        scale(by_hand, 0)
        until(lambda: True if waiting(activator, by_hand) == len(clients) else NotYet("not all wait yet"), within=60)
        scale(by_hand, 1)
        until(lambda: True if waiting(activator, by_hand) == 0 else NotYet("some still wait"), within=60)
        time.sleep(2)
    accounts = [one for client in clients for one in client.accounts]
    assert [one.problem for one in accounts if one.lost] == []
    assert len(accounts) > 5 * len(clients)


def test_an_activator_that_is_told_to_end_answers_who_waits_first(activator: ActivatorProcess, by_hand: Fleet) -> None:
    asked = many(by_hand, 20)
    wait_until_waiting(activator, by_hand, 20)
    os.kill(activator.process.pid, signal.SIGTERM)
    until(lambda: True if activator.answer("/readyz")[0] == 503 else NotYet("it is ready"))
    time.sleep(2)
    assert activator.process.exit_code is None
    scale(by_hand, 1)
    assert all(item.result(120).whole for item in asked)
    until(lambda: NotYet("it runs") if activator.process.exit_code is None else True)
    assert activator.process.exit_code == 0
