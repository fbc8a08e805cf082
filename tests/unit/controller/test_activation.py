"""Replicas that answer, the activator's places and ports, as EndpointSlices show them; and who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, web

from npuserve.configuration import Activator
from npuserve.controller.activation import Activation, Around
from npuserve.controller.activators import queued, waiting
from npuserve.controller.answers import Object, Page, Selection, WatchEvent
from npuserve.controller.freshness import Freshness
from npuserve.controller.resources import Resource
from npuserve.plan.activation import Holding
from npuserve.render import labels
from npuserve.render.activation import activation_slice
from npuserve.render.owner import Owner
from tests.unit.activator.house import HOST, House, house

PLACE = "npuserve-activator"
ENABLED = Activator(enabled=True, service=PLACE, first_port=20_000, last_port=20_003)
AT_ZERO = Owner("zero", "team-a", "uid-zero")


def a_slice(name: str, ready: dict[str, bool], *, family: str = "IPv4", **marks: str) -> Object:
    """An EndpointSlice; `marks` become labels of a service's pods, or of the activator's."""
    wanted = (
        {labels.SERVICE_UID: marks["uid"], labels.MANAGED_BY: "npuserve", labels.SLICE_MANAGER: labels.SLICES_OF_PODS}
        if "uid" in marks
        else {labels.OF_SERVICE: PLACE}
    )
    return {
        "metadata": {"name": name, "namespace": "team-a", "uid": name, "labels": wanted, "resourceVersion": "1"},
        "addressType": family,
        "endpoints": [{"addresses": [one], "conditions": {"ready": yes}} for one, yes in ready.items()],
        "ports": [{"name": "http", "port": 8080}],
    }


class Api:
    """EndpointSlices as two streams: those of pods and those of the activator."""

    def __init__(self, *items: Object) -> None:
        self.items = items
        self.asked: list[Selection] = []
        self.streams: list[tuple[str, asyncio.Queue[WatchEvent]]] = []

    async def pages(self, resource: Resource, selection: Selection, *, limit: int) -> AsyncIterator[Page]:
        self.asked.append(selection)
        yield Page([item for item in self.items if _selected(item, selection)], "1")

    async def watch(self, resource: Resource, selection: Selection, *, since: str) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self.streams.append((selection.labels, queue))
        while True:
            yield await queue.get()

    async def push(self, item: Object, kind: str = "MODIFIED") -> None:
        for wanted, queue in self.streams:
            if _selected(item, Selection(labels=wanted)):
                queue.put_nowait(WatchEvent(kind, item))
        await asyncio.sleep(0.01)


def _selected(item: Object, selection: Selection) -> bool:
    wanted = dict(pair.split("=") for pair in selection.labels.split(","))
    return wanted.items() <= item["metadata"]["labels"].items()


Scene = Callable[[Activation, Api, list[str]], Any]


def play(scene: Scene, *items: Object, settings: Activator = ENABLED, alive: set[str] | None = None) -> Api:
    """A scene after everything was listed; the list holds the services to look at again."""
    api, told = Api(*items), list[str]()

    async def main() -> None:
        known = {"uid-zero", "uid-other"} if alive is None else alive
        activation = Activation(settings, exists=known.__contains__, look_at=told.append)
        listed = asyncio.Event()
        following = asyncio.create_task(
            activation.follow(
                api,  # type: ignore[arg-type]
                namespace="",
                own_namespace="npuserve",
                freshness=Freshness(),
                listed=listed,
            )
        )
        async with asyncio.timeout(5):
            await listed.wait()
            await asyncio.sleep(0.02)
            await scene(activation, api, told)
        following.cancel()
        await asyncio.wait([following])

    asyncio.run(main())
    return api


def test_a_service_at_zero_is_looked_at_when_its_first_replica_answers_and_when_its_last_one_stops() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        activation.port("uid-zero")
        assert not activation.around(AT_ZERO).answered
        for ready, times, answered in (
            ({"10.0.0.1": False}, 0, False),
            ({"10.0.0.1": True}, 1, True),
            ({"10.0.0.1": True, "10.0.0.2": True}, 1, True),
            ({"10.0.0.2": True}, 1, True),
            ({"10.0.0.2": False}, 2, False),
        ):
            await api.push(a_slice("pods", ready, uid="uid-zero"))
            assert (len(told), activation.around(AT_ZERO).answered) == (times, answered)
        assert set(told) == {"uid-zero"}

    play(scene)


def test_replicas_in_several_slices_count_together() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        activation.port("uid-zero")
        await api.push(a_slice("one", {}, uid="uid-zero"), "DELETED")
        assert activation.around(AT_ZERO).answered
        assert told == []
        await api.push(a_slice("two", {}, uid="uid-zero"), "DELETED")
        assert not activation.around(AT_ZERO).answered

    play(scene, *(a_slice(name, {"10.0.0.1": True}, uid="uid-zero") for name in ("one", "two")))


def test_a_service_that_always_has_replicas_is_not_looked_at_for_their_sake() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        activation.port("uid-zero")
        activation.give_up("uid-zero")
        await api.push(a_slice("pods", {"10.0.0.1": True}, uid="uid-zero"))
        await api.push(a_slice("place", {"10.1.0.1": True}))
        assert told == []

    play(scene)


def test_requests_can_go_to_the_ready_replicas_of_the_activator_and_all_of_them_tell_who_waits() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        activation.port("uid-zero")
        assert activation.around(AT_ZERO) == Around(answered=False, addresses=("10.1.0.1",), family="IPv4")
        assert activation.metrics() == (("10.1.0.1", 8080), ("10.1.0.2", 8080))
        await api.push(a_slice("place", {"10.1.0.2": True, "10.1.0.3": True}))
        assert activation.around(AT_ZERO).addresses == ("10.1.0.2", "10.1.0.3")
        assert told == ["uid-zero"]

    play(scene, a_slice("place", {"10.1.0.1": True, "10.1.0.2": False}))


@pytest.mark.parametrize(
    ("families", "expected"), [(("IPv6",), ("IPv6", "fd00::1")), (("IPv4", "IPv6"), ("IPv4", "10.1.0.1"))]
)
def test_one_family_of_addresses_is_taken(families: tuple[str, ...], expected: tuple[str, str]) -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        found = activation.around(AT_ZERO)
        assert (found.family, *found.addresses) == expected

    addresses = {"IPv4": "10.1.0.1", "IPv6": "fd00::1"}
    play(scene, *(a_slice(family, {addresses[family]: True}, family=family) for family in families))


def test_without_an_activator_nothing_is_asked_and_nothing_stands_in() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        assert activation.around(AT_ZERO) == Around()

    assert play(scene, settings=Activator()).asked == []


def test_only_slices_of_our_services_and_of_the_activator_are_asked_for() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        pass

    ours, place = play(scene).asked
    assert "app.kubernetes.io/managed-by=npuserve" in ours.labels.split(",")
    assert (place.namespace, place.labels) == ("npuserve", f"kubernetes.io/service-name={PLACE}")


def test_ports_are_those_of_the_slices_that_exist_and_new_services_get_others() -> None:
    activation = Activation(ENABLED)
    slices = [
        activation_slice(
            Owner(name, "team-a", f"uid-{name}"),
            "mindie",
            port=port,
            holding=Holding(1, 1, ""),
            family="IPv4",
            addresses=[],
        )
        for name, port in (("a", 20_002), ("b", 20_000))
    ]
    activation.learn(slices)
    assert (activation.port("uid-a"), activation.port("uid-b")) == (20_002, 20_000)
    assert {activation.port("uid-c"), activation.port("uid-d")} == {20_001, 20_003}


def test_of_two_slices_with_one_port_the_older_one_counts_and_one_of_no_service_never_does() -> None:
    def claim(name: str, since: str) -> Object:
        owner = Owner(name, "team-a", f"uid-{name}")
        made = activation_slice(owner, "mindie", port=20_002, holding=Holding(1, 1, ""), family="IPv4", addresses=[])
        made["metadata"]["creationTimestamp"] = since
        return made

    slices = [
        claim("a", "2026-11-20T12:00:01Z"),
        claim("b", "2026-11-20T12:00:00Z"),
        claim("0", "2025-01-01T00:00:00Z"),
    ]
    activation = Activation(ENABLED, exists={"uid-a", "uid-b"}.__contains__)
    activation.learn(slices)
    assert activation.port("uid-b") == 20_002
    assert activation.port("uid-a") != 20_002


def test_replicas_of_another_namespace_are_not_the_services_whatever_their_labels_say() -> None:
    async def scene(activation: Activation, api: Api, told: list[str]) -> None:
        activation.port("uid-zero")
        forged = a_slice("forged", {"10.6.6.6": True}, uid="uid-zero")
        forged["metadata"]["namespace"] = "team-b"
        await api.push(forged)
        assert not activation.around(AT_ZERO).answered

    play(scene)


def test_ports_of_services_that_are_gone_are_given_out_when_no_other_is_left() -> None:
    alive = {"uid-1", "uid-2", "uid-3", "uid-4"}
    activation = Activation(ENABLED, exists=alive.__contains__)
    taken = {uid: activation.port(uid) for uid in sorted(alive)}
    assert None not in taken.values()
    assert activation.port("uid-5") is None
    alive.discard("uid-3")
    assert activation.port("uid-5") == taken["uid-3"]
    assert all(activation.port(uid) == taken[uid] for uid in alive)


PAGE = """# HELP npuserve_activator_queued Requests that wait for a replica.
# TYPE npuserve_activator_queued gauge
npuserve_activator_queued{name="chat",namespace="team-a"} 3.0
npuserve_activator_queued{name="idle",namespace="team-a"} 0.0
npuserve_activator_arrivals_total{name="chat",namespace="team-a"} 7.0
"""


def test_a_page_tells_who_waits_and_nothing_else() -> None:
    assert waiting(PAGE) == {("team-a", "chat"): 3, ("team-a", "idle"): 0}
    assert waiting("") == {}


def test_who_waits_is_added_up_over_the_activators_that_answer() -> None:
    async def tell(built: House) -> tuple[web.AppRunner, int]:
        async def page(_: web.Request) -> web.Response:
            return web.Response(body=built.metrics.text())

        app = web.Application()
        app.router.add_get("/metrics", page)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        return runner, int(runner.addresses[0][1])

    async def scene() -> None:
        async with house() as one, house() as two, ClientSession() as session:
            asked = [asyncio.ensure_future(built.ask()) for built, times in ((one, 3), (two, 2)) for _ in range(times)]
            await one.until(lambda: (one.line.waiting, two.line.waiting) == (3, 2))
            told = [await tell(built) for built in (one, two)]
            places = [(HOST, port) for _, port in told]
            assert await queued(session, [*places, (HOST, 1)]) == {("team-a", "chat"): 5}
            assert await queued(session, []) == {}
            for item in asked:
                item.cancel()
            await one.until(lambda: (one.line.waiting, two.line.waiting) == (0, 0))
            assert await queued(session, places) == {}
            for runner, _ in told:
                await runner.cleanup()

    asyncio.run(scene())
