"""One row: an API server, the activator beside it, and clients and a replica in this process."""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from npuserve.controller.resources import ENDPOINT_SLICES
from npuserve.plan.activation import Holding
from npuserve.render import labels
from npuserve.render.activation import activation_slice
from npuserve.render.owner import Owner
from tests.cluster.control_plane import API_ONLY, ControlPlane
from tests.support.activator_process import ENABLED, ActivatorProcess, activator_process
from tests.support.installed import install
from tests.support.site import Site

ACTIVATOR, REPLICA = "10.244.0.7", "10.244.0.8"
ENGINE_PORT, FIRST_PORT = 8000, 20_000
CHAT = "/v1/chat/completions"
AT_ONCE = 32
WATCHED_SECONDS = 10.0
SUBJECT = Owner("chat-0", "default", "uid-0")


@dataclass(frozen=True, slots=True)
class Figures:
    """Megabytes are resident sets in 10^6 bytes, `waiting_cpu` a share of one core."""

    services: int
    idle: float
    streams: int
    holding: float
    waiting_cpu: float
    released: float
    added_median: float
    added_most: float
    rate: float


async def measure(services: int, streams: int, *, requests: int) -> Figures:
    """With so many services at zero, so many streams to one of them, and so many requests once it has a replica."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ControlPlane(API_ONLY) as cluster:
        install(cluster, {**ENABLED, "crds": {"enabled": False}})
        place = Site(cluster)
        for number in range(services):
            _write(place, number)
        with activator_process(place, address=ACTIVATOR) as running:
            async with _replica(), ClientSession(connector=TCPConnector(limit=0)) as session:
                found = await _row(place, running, session, streams, requests)
        place.api.hang_up()
    return Figures(services, found[0], streams, *found[1:])


async def _row(
    place: Site, running: ActivatorProcess, session: ClientSession, streams: int, requests: int
) -> tuple[float, float, float, float, float, float, float]:
    process = psutil.Process(running.process.pid)
    idle = _megabytes(process)
    asked = [asyncio.ensure_future(_ask(session, ACTIVATOR, FIRST_PORT, stream=True)) for _ in range(streams)]
    await _until(lambda: running.number("npuserve_activator_requests") == streams)
    before = process.cpu_times()
    await asyncio.sleep(WATCHED_SECONDS)
    after = process.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / WATCHED_SECONDS
    holding = _megabytes(process)
    began = time.monotonic()
    await asyncio.to_thread(_answer, place)
    await asyncio.gather(*asked)
    released = time.monotonic() - began
    direct = [await _ask(session, REPLICA, ENGINE_PORT) for _ in range(requests // 4)]
    through = [await _ask(session, ACTIVATOR, FIRST_PORT) for _ in range(requests // 4)]
    began = time.monotonic()
    await asyncio.gather(*(_repeat(session, requests // AT_ONCE) for _ in range(AT_ONCE)))
    rate = requests // AT_ONCE * AT_ONCE / (time.monotonic() - began)
    added = 1000 * (statistics.median(through) - statistics.median(direct))
    most = 1000 * (statistics.quantiles(through, n=100)[-1] - statistics.median(direct))
    return idle, holding, cpu, released, added, most, rate


async def _repeat(session: ClientSession, times: int) -> None:
    for _ in range(times):
        await _ask(session, ACTIVATOR, FIRST_PORT)


async def _ask(session: ClientSession, address: str, port: int, *, stream: bool = False) -> float:
    """Seconds for one answer over a connection of its own."""
    began = time.monotonic()
    body = {"model": "chat-0", "stream": stream, "messages": [{"role": "user", "content": "word " * 200}]}
    url, timeout = f"http://{address}:{port}{CHAT}", ClientTimeout(total=300)
    async with session.post(url, json=body, timeout=timeout, headers={"Connection": "close"}) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()
    return time.monotonic() - began


@asynccontextmanager
async def _replica() -> AsyncIterator[None]:
    async def speak(request: web.Request) -> web.StreamResponse:
        if not json.loads(await request.read())["stream"]:
            return web.json_response({"choices": []})
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for _ in range(20):
            await answer.write(b'data: {"choices": [{"delta": {"content": " word"}}]}\n\n')
        await answer.write(b"data: [DONE]\n\n")
        return answer

    app = web.Application()
    app.router.add_post(CHAT, speak)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, REPLICA, ENGINE_PORT, backlog=4096).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _write(place: Site, number: int) -> None:
    owner = Owner(f"chat-{number}", "default", f"uid-{number}")
    holding = Holding(requests=100_000, seconds=300, model=owner.name)
    port = FIRST_PORT + number
    made = activation_slice(owner, "mindie", port=port, holding=holding, family="IPv4", addresses=[ACTIVATOR])
    place.api.apply(ENDPOINT_SLICES, made)


def _answer(place: Site) -> None:
    """The first replica is ready."""
    marks = {
        labels.MANAGED_BY: labels.MANAGER,
        labels.SERVICE_UID: SUBJECT.uid,
        labels.SLICE_MANAGER: labels.SLICES_OF_PODS,
    }
    place.api.create(
        ENDPOINT_SLICES,
        {
            "metadata": {"name": "chat-0-pods", "namespace": SUBJECT.namespace, "labels": marks},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [REPLICA], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": ENGINE_PORT, "protocol": "TCP"}],
        },
    )


async def _until(holds: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - the process tells it only when asked
        await asyncio.sleep(0.05)


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 1e6)
