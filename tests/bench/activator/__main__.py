"""Prints the table of figures; see the package."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench.activator.measure import Figures, measure
from tests.cluster import network


def main() -> None:
    """Hold requests, pass them on, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.activator", description=main.__doc__)
    parser.add_argument("--services", type=int, nargs="*", default=[1, 1000], metavar="N", help="services at zero")
    parser.add_argument(
        "--streams", type=int, default=1000, metavar="N", help="streams that wait for the first replica"
    )
    parser.add_argument("--requests", type=int, default=2000, metavar="N", help="requests that are passed on")
    asked = parser.parse_args()
    try:
        network.enter()
    except network.NotAllowed as refusal:
        sys.exit(f"Replicas are asked by their addresses in a network of its own, and {refusal}.")
    rows = [asyncio.run(measure(count, asked.streams, requests=asked.requests)) for count in asked.services]
    Console(width=200).print(table(rows))


def table(rows: list[Figures]) -> Table:
    """The figures side by side."""
    found = Table(title="the activator, one process, one replica behind it")
    columns: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        ("services at zero", lambda row: str(row.services)),
        ("MB before", lambda row: f"{row.idle:.0f}"),
        ("streams that wait", lambda row: str(row.streams)),
        ("MB with them", lambda row: f"{row.holding:.0f}"),
        ("CPU % while\nthey wait", lambda row: f"{row.waiting_cpu * 100:.0f}"),
        ("first replica to\nlast answer s", lambda row: f"{row.released:.2f}"),
        ("added to a request ms\nmedian / 99 %", lambda row: f"{row.added_median:.1f} / {row.added_most:.1f}"),
        ("requests/s\nat 32 at once", lambda row: f"{row.rate:.0f}"),
    )
    for title, _ in columns:
        found.add_column(title, justify="right")
    for row in rows:
        found.add_row(*(shown(row) for _, shown in columns))
    return found


if __name__ == "__main__":
    main()
