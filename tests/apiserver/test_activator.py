"""How the activator's own process hears of services from a real API server, also when that goes away for a while."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from npuserve.activator import slices
from npuserve.activator.table import Table
from npuserve.controller.resources import ENDPOINT_SLICES
from npuserve.plan.activation import Holding
from npuserve.render.activation import activation_slice
from npuserve.render.owner import Owner
from tests.cluster.control_plane import API_ONLY, ControlPlane
from tests.support.activator_process import COMMAND, ENABLED, NAME, ActivatorProcess, activator_process
from tests.support.installed import NAMESPACE, install
from tests.support.site import Site
from tests.support.waiting import NotYet, until

NAMES = ("chat", "code", "draw", "late")


@pytest.fixture(scope="module")
def place() -> Iterator[Site]:
    """An API server with the chart; nobody but the test writes slices."""
    with ControlPlane(API_ONLY) as cluster:
        install(cluster, {**ENABLED, "crds": {"enabled": False}})
        built = Site(cluster)
        yield built
        built.api.hang_up()


def write(place: Site, name: str, port: int) -> None:
    """The slice of a service at zero, as the operator writes it."""
    owner = Owner(name, "default", f"uid-{name}")
    holding = Holding(requests=10, seconds=60, model=name)
    made = activation_slice(owner, "mindie", port=port, holding=holding, family="IPv4", addresses=[])
    place.api.apply(ENDPOINT_SLICES, made)


def knows(running: ActivatorProcess, *names: str) -> set[str]:
    """The services that it tells of, once they are exactly these and it listens for each."""

    def told() -> set[str] | NotYet:
        _, page = running.answer("/metrics")
        found = {name for name in NAMES if f'npuserve_activator_queued{{name="{name}",namespace="default"}}' in page}
        _, words = running.answer("/readyz")
        listening = f'"listening": {len(names)}' in words
        return found if found == set(names) and listening else NotYet(f"it knows {found}: {words}")

    return until(told)


def test_services_come_and_go_and_an_api_server_that_was_away_is_heard_again(place: Site) -> None:
    write(place, "chat", 20_001)
    with activator_process(place) as running:
        knows(running, "chat")
        write(place, "code", 20_002)
        knows(running, "chat", "code")
        place.api.delete(ENDPOINT_SLICES, "default", "chat")
        knows(running, "code")
        place.cluster.restart("kube-apiserver")
        place.api.hang_up()
        place.api.delete(ENDPOINT_SLICES, "default", "code")
        write(place, "late", 20_001)
        knows(running, "late")
        assert running.answer("/healthz")[0] == 200
    assert running.process.exit_code == 0


def test_without_a_login_it_says_so_and_ends() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "NPUSERVE"))}
    ended = subprocess.run([COMMAND, "activator"], env=alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "cannot be logged in to" in ended.stderr


def test_a_watch_that_falls_silent_is_opened_again(place: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server is stopped, as a network that swallows packets does, and nothing closes the connection."""
    monkeypatch.setattr(slices, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(slices, "_ANSWER_SECONDS", 1.0)
    monkeypatch.setenv("KUBECONFIG", str(place.cluster.kubeconfig_for(NAME, NAMESPACE)))
    server = place.cluster.pids["kube-apiserver"]

    async def scene() -> None:
        table = Table()
        async with await slices.log_in() as api:
            following = slices.Slices(api, table, namespace="", heard=lambda: None)
            running = asyncio.create_task(following.follow())
            await following.listed.wait()
            os.kill(server, signal.SIGSTOP)
            try:
                await asyncio.sleep(3)
            finally:
                os.kill(server, signal.SIGCONT)
            await asyncio.to_thread(write, place, "draw", 20_004)
            async with asyncio.timeout(15):
                while not table.at(20_004):  # noqa: ASYNC110 - the table tells of ports only
                    await asyncio.sleep(0.1)
            running.cancel()
            await asyncio.wait([running])

    asyncio.run(scene())
    place.api.delete(ENDPOINT_SLICES, "default", "draw")
