"""python -m tests.bench.scrape: what one page of a replica costs the operator, in processor time.

The page is one that vLLM would show; 300 services of 4 replicas, read every 5 s, are 240 of them a second. The server
runs in a process of its own, so only what the operator does is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from random import Random
from time import process_time

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from npuserve.autoscale.counting import Counting
from npuserve.autoscale.objectives import USUAL
from npuserve.controller.exposition import Reader
from npuserve.controller.scrape import Scraper, Target, session
from npuserve.engines.vllm_ascend_metrics import SOURCE
from tests.bench.autoscale.engines import QWEN3_32B
from tests.support.vllm_pages import VllmReplica

PAGES_A_SECOND = 240


def used(replica: VllmReplica, requests: int, draw: Random) -> bytes:
    """The page after so many more requests."""
    for _ in range(requests):
        output, wait = 1 + int(draw.lognormvariate(4, 1)), draw.expovariate(2)
        time = wait + 0.07 * output
        replica.serve(prompt=1 + int(draw.lognormvariate(6, 1)), output=output, wait=wait, time=time)
    return replica.text()


def cost(work: Callable[[], object], *, times: int) -> float:
    """Seconds of processor time for one `work`: the least of five series."""
    series = []
    for _ in range(5):
        begun = process_time()
        for _ in range(times):
            work()
        series.append((process_time() - begun) / times)
    return min(series)


def serve(body: bytes, tell: Connection) -> None:
    """Answer every request with `body`; tells its port."""

    async def forever() -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type="text/plain")

        app = web.Application()
        app.router.add_get(SOURCE.path, answer)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=60)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        tell.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(forever())


async def asked(port: int, *, pages: int, rounds: int) -> float:
    """Seconds of processor time for one page, from the request to the page's values."""
    source = replace(SOURCE, port=port)
    targets = [Target(str(number), "127.0.0.1", source) for number in range(pages)]
    async with session() as http:
        scraper = Scraper(http)
        # More connections at once than a listening socket takes: what does not answer at first does a moment later.
        for _ in range(20):
            if None not in (await scraper.read(targets)).values():
                break
        assert not scraper.missing
        begun = process_time()
        for _ in range(rounds):
            await scraper.read(targets)
        return (process_time() - begun) / rounds / pages


def over_http(body: bytes, *, rounds: int) -> float:
    """The same, with a server beside."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(body, theirs), daemon=True)
    server.start()
    try:
        return asyncio.run(asked(mine.recv(), pages=PAGES_A_SECOND, rounds=rounds))
    finally:
        server.terminate()
        server.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scrape", description=main.__doc__)
    parser.add_argument("--times", type=int, default=200, help="how often each work is done in a series")
    times = parser.parse_args(arguments).times
    draw, replica = Random(1), VllmReplica()
    before = used(replica, 300, draw)
    after = used(replica, 4, draw)
    reader = Reader(SOURCE)
    first, second = reader.read(before), reader.read(after)
    counting, _, _ = Counting(QWEN3_32B, USUAL).take({"pod": first}, time=0.0)
    text = after.decode()
    rows = {
        "all lines, prometheus_client's parser": cost(
            lambda: list(text_string_to_metric_families(text)), times=max(1, times // 20)
        ),
        "the wanted lines, read": cost(lambda: reader.read(after), times=times),
        "counted, 4 requests ended": cost(lambda: counting.take({"pod": second}, time=5.0), times=times),
        "asked for over HTTP and read": over_http(after, rounds=max(1, times // 20)),
    }
    table = Table(title=f"a page of {len(after):,} bytes, {len(after.splitlines()):,} lines")
    for heading in ("", "ms a page", f"of one core at {PAGES_A_SECOND} a second"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, seconds in rows.items():
        table.add_row(name, f"{seconds * 1000:.2f}", f"{seconds * PAGES_A_SECOND:.1%}")
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
