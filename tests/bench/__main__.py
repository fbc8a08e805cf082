"""Prints the table of figures; see the package."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench.measure import REST_SECONDS, Figures, measure

SERVICES = (100, 300, 1000)


def main() -> None:
    """Measure the operator on fresh control planes, one per number of services."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("--services", type=int, nargs="*", default=SERVICES, metavar="N", help="numbers of services")
    parser.add_argument("--large", type=int, default=0, metavar="N", help="one more run, for 5000 some minutes long")
    parser.add_argument("--rest", type=float, default=REST_SECONDS, metavar="SECONDS", help="how long rest is watched")
    asked = parser.parse_args()
    console, rows = Console(width=220), []
    for count in (*asked.services, *([asked.large] if asked.large else [])):
        with console.status(f"{count} services"):
            rows.append(measure(count, rest_seconds=asked.rest))
        console.print(f"{count} services: {rows[-1].deployments:.1f} s, floor {rows[-1].floor:.1f} s")
    console.print(table(rows))


def table(rows: list[Figures]) -> Table:
    """The figures side by side, the aims in the header."""
    found = Table(title="npuserve on real etcd and kube-apiserver, one process, fresh cluster per row")
    columns: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        ("services", lambda row: str(row.services)),
        ("Deployments s\n(1,000: 7)", lambda row: f"{row.deployments:.1f}"),
        ("floor s\n(within twice)", lambda row: f"{row.floor:.1f}"),
        ("settled s", lambda row: f"{row.settled:.1f}"),
        ("single p50 / max ms\n(15)", lambda row: f"{row.single.p50:.1f} / {row.single.longest:.0f}"),
        ("amid as many p50 / max ms\n(100)", lambda row: f"{row.amid.p50:.1f} / {row.amid.longest:.0f}"),
        ("requests (writes) each\n(4 writes)", lambda row: f"{row.requests:.2f} ({row.writes:.2f})"),
        ("CPU s", lambda row: f"{row.cpu:.2f}"),
        ("peak MB\n(1,000: 120, 5,000: 250)", lambda row: f"{row.megabytes:.0f}"),
        (
            "requests (writes beside\nthe lease) per min at rest",
            lambda row: f"{row.rest_requests:.0f} ({row.rest_writes:.0f})",
        ),
        ("other programs'\nCPU %", lambda row: f"{row.others * 100:.0f}"),
    )
    for title, _ in columns:
        found.add_column(title, justify="right")
    for row in rows:
        found.add_row(*(shown(row) for _, shown in columns))
    return found


if __name__ == "__main__":
    main()
