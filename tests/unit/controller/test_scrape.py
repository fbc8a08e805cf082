"""Replicas that answer well, late, too much, elsewhere, nonsense or not at all, behind real sockets."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from npuserve.controller import scrape
from npuserve.controller.scrape import Missing, Scraper, Target
from npuserve.engines import mindie_metrics, vllm_ascend_metrics
from npuserve.engines.metric_source import MetricSource
from tests.bench.scrape import main
from tests.support.mindie_pages import mindie_page
from tests.support.vllm_pages import VllmReplica

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def vllm_text(running: int = 3) -> bytes:
    replica = VllmReplica()
    replica.show(running=running)
    return replica.text()


async def page_of_vllm(_: web.Request) -> web.Response:
    return web.Response(body=vllm_text(), content_type="text/plain")


@asynccontextmanager
async def replica(
    answer: Answer, source: MetricSource = vllm_ascend_metrics.SOURCE, *, address: str = "127.0.0.1"
) -> AsyncIterator[Target]:
    """A server on a free port of the address that answers so at the row's path."""
    app = web.Application()
    app.router.add_get(source.path, answer)
    app.router.add_get("/elsewhere", page_of_vllm)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, address, 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Target("uid", address, replace(source, port=port))
    finally:
        await runner.cleanup()


async def read(answer: Answer, source: MetricSource = vllm_ascend_metrics.SOURCE) -> tuple[object, Missing | None]:
    async with replica(answer, source) as target, scrape.session() as http:
        scraper = Scraper(http)
        pages = await scraper.read([target])
        return pages["uid"], scraper.missing.get("uid")


def trouble(answer: Answer) -> str:
    page, missing = asyncio.run(read(answer))
    assert page is None
    assert missing is not None
    return missing.trouble


def test_a_page_is_read() -> None:
    page, missing = asyncio.run(read(page_of_vllm))
    assert page is not None
    assert page.running == 3
    assert missing is None


def test_a_page_is_read_over_version_6() -> None:
    async def ask() -> dict:
        async with replica(page_of_vllm, address="::1") as target, scrape.session() as http:
            return await Scraper(http).read([target])

    assert asyncio.run(ask())["uid"].running == 3


def test_a_page_of_mindie_before_3_0_comes_as_json_and_is_read() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=mindie_page(running=5), content_type="application/json")

    page, _ = asyncio.run(read(answer, mindie_metrics.SOURCE))
    assert page is not None
    assert page.running == 5


def test_a_slow_replica_is_given_up_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "SECONDS", 2.0)

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def both() -> tuple[dict, Scraper]:
        async with replica(slow) as one, replica(page_of_vllm) as two, scrape.session() as http:
            scraper = Scraper(http)
            return await scraper.read([replace(one, uid="slow"), replace(two, uid="quick")]), scraper

    pages, scraper = asyncio.run(both())
    assert pages["slow"] is None
    assert pages["quick"].running == 3
    assert scraper.missing["slow"].trouble == "Timeout"


def test_a_replica_that_drips_its_page_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "SECONDS", 2.0)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"# nothing\n")
            await asyncio.sleep(0.05)
        return response

    assert trouble(drip) == "Timeout"


@pytest.mark.parametrize("announced", [True, False])
def test_a_huge_page_is_not_taken_in(monkeypatch: pytest.MonkeyPatch, *, announced: bool) -> None:
    monkeypatch.setattr(scrape, "LARGEST", 100_000)

    async def huge(request: web.Request) -> web.StreamResponse:
        if announced:
            return web.Response(body=b"#" * 200_000)
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b"#" * 10_000)
        return response

    assert trouble(huge) == "TooLarge"


def test_a_redirect_is_not_followed() -> None:
    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    assert trouble(redirect) == "Refused"


@pytest.mark.parametrize("status", [404, 500, 503])
def test_another_status_is_no_page(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, body=vllm_text())

    assert trouble(refuse) == "Refused"


@pytest.mark.parametrize("body", [b"", b"<html></html>", bytes(range(256)) * 20, gzip.compress(vllm_text())])
def test_nonsense_is_no_page(body: bytes) -> None:
    async def babble(_: web.Request) -> web.Response:
        return web.Response(body=body)

    assert trouble(babble) == "Unreadable"


def test_a_connection_that_breaks_is_no_page() -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        await response.write(vllm_text()[:1000])
        assert request.transport is not None
        request.transport.close()
        return response

    assert trouble(hang_up) == "Unreachable"


def test_nobody_at_the_address_is_no_page() -> None:
    async def nobody() -> Scraper:
        async with replica(page_of_vllm) as target:
            pass
        async with scrape.session() as http:
            scraper = Scraper(http)
            assert await scraper.read([target]) == {"uid": None}
            return scraper

    assert asyncio.run(nobody()).missing["uid"].trouble == "Unreachable"


@pytest.mark.parametrize("address", ["", "localhost", "example.com", "127.0.0.1/elsewhere", "user@127.0.0.1"])
def test_what_is_no_ip_address_is_not_asked(address: str) -> None:
    async def ask() -> Scraper:
        async with replica(page_of_vllm) as target, scrape.session() as http:
            scraper = Scraper(http)
            assert await scraper.read([replace(target, address=address)]) == {"uid": None}
            return scraper

    assert asyncio.run(ask()).missing["uid"].trouble == "Unreachable"


def test_connections_are_kept_and_nothing_is_remembered_between_answers() -> None:
    peers: list[object] = []

    async def note(request: web.Request) -> web.Response:
        peers.append(request.transport and request.transport.get_extra_info("peername"))
        assert "Cookie" not in request.headers
        response = web.Response(body=vllm_text())
        response.set_cookie("session", "kept")
        return response

    async def thrice() -> None:
        async with replica(note) as target, scrape.session() as http:
            scraper = Scraper(http)
            for _ in range(3):
                assert (await scraper.read([target]))["uid"] is not None

    asyncio.run(thrice())
    assert len(set(peers)) == 1


def test_troubles_are_counted_and_end_with_the_next_page() -> None:
    answers = iter([404, 200])

    async def later(_: web.Request) -> web.Response:
        return web.Response(status=next(answers), body=vllm_text())

    async def twice() -> tuple[Scraper, Counter[str]]:
        counted: Counter[str] = Counter()
        async with replica(later) as target, scrape.session() as http:
            scraper = Scraper(http, count=lambda name: counted.update([name]))
            await scraper.read([target])
            assert scraper.missing["uid"] == Missing("Refused", "answered 404")
            await scraper.read([target])
        return scraper, counted

    scraper, counted = asyncio.run(twice())
    assert scraper.missing == {}
    assert counted == {"Refused": 1}


def test_the_cost_of_a_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--times", "2"]) == 0
    printed = capsys.readouterr().out
    for row in ("the wanted lines, read", "counted, 4 requests ended", "asked for over HTTP and read"):
        assert row in printed
