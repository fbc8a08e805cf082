"""Prints the table of figures; see the package."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench.scraping.measure import EVERY_SECONDS, STEPPING, Asked, Figures, measure
from tests.cluster import network
from tests.cluster.progress import Steps


def main() -> None:
    """Read the metrics of many replicas with one operator on one core."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scraping", description=main.__doc__)
    parser.add_argument("--services", type=int, nargs="*", default=[300], metavar="N", help="numbers of services")
    parser.add_argument("--replicas", type=int, default=4, metavar="N", help="replicas of each")
    parser.add_argument("--warm", type=int, default=60, metavar="SECONDS", help="how long nothing is counted")
    parser.add_argument("--seconds", type=int, default=120, metavar="SECONDS", help="how long is counted")
    asked = parser.parse_args()
    try:
        network.enter()
    except network.NotAllowed as refusal:
        sys.exit(f"Replicas are asked by their addresses in a network of its own, and {refusal}.")
    cores = sorted(os.sched_getaffinity(0))
    steps, rows = Steps(), []
    for count in asked.services:
        with steps.step(f"{count} services with {asked.replicas} replicas") as report:
            size = Asked(count, asked.replicas, asked.warm, asked.seconds, cores[-1] if len(cores) > 1 else None)
            rows.append(measure(size, report))
    Console(width=200).print(table(rows))


def table(rows: list[Figures]) -> Table:
    """The figures side by side."""
    found = Table(title=f"every replica asked every {EVERY_SECONDS:.0f} s by one operator process on one core")
    columns: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        ("services x replicas", lambda row: f"{row.services} x {row.replicas}"),
        ("pages/s", lambda row: f"{row.pages:.0f}"),
        ("kB each", lambda row: f"{row.page_bytes / 1000:.0f}"),
        ("CPU %\nof a core", lambda row: f"{row.cpu * 100:.0f}"),
        ("peak MB", lambda row: f"{row.megabytes:.0f}"),
        (
            "lateness of samples s\nmedian / 99 % / most",
            lambda row: f"{row.late_median:.2f} / {row.late_most:.2f} / {row.late_longest:.2f}",
        ),
        ("a look ms\n(its decision)", lambda row: f"{row.look:.0f} ({row.decision:.2f})"),
        ("writes meanwhile,\nsteady services", _written),
        ("load step to decision s\nmedian / most (services)", _decided),
        ("other programs'\nCPU %", lambda row: f"{row.others * 100:.0f}"),
    )
    for title, _ in columns:
        found.add_column(title, justify="right")
    for row in rows:
        found.add_row(*(shown(row) for _, shown in columns))
    return found


def _written(row: Figures) -> str:
    return ", ".join(f"{count} {resource}" for resource, count in sorted(row.writes.items())) or "none"


def _decided(row: Figures) -> str:
    if not row.decided:
        return f"none (0 of {STEPPING})"
    return f"{statistics.median(row.decided):.1f} / {max(row.decided):.1f} ({len(row.decided)} of {STEPPING})"


if __name__ == "__main__":
    main()
