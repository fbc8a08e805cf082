"""`python -m tests.bench.planning`: how long 1,000 fresh plans take on a description of 500 nodes, in one process.

Services vary in model, quantization, backend and wishes, so that most plans share nothing but the cluster. The aim is 5 s
on one core: planning is then never what the operator waits for.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice, product
from typing import Any

from rich.console import Console
from rich.table import Table

from npuserve.cli.inputs import cluster_facts
from npuserve.configuration import Configuration
from npuserve.models.catalogue import names
from npuserve.plan.plan import Record
from npuserve.plan.resolve import resolve
from npuserve.plan.service import Service
from tests.cluster import nodes as machines
from tests.support.services import a_service

_KINDS = (machines.A2_64G, machines.A2_32G, machines.A3, machines.DUO_96G)
_WISHES: tuple[dict[str, Any], ...] = (
    {},
    {"quantization": "W8A8"},
    {"context": {"maxModelLen": 8192, "maxSequences": 128}},
    {"backend": "vllm-ascend", "engineArgs": {"enable-prefix-caching": True}},
    {"hardware": {"product": "Atlas 800I A3 64G"}},
    {"parallelism": {"tensor": 4}},
)


def services(count: int) -> Iterator[Service]:
    """So many services, each model of the catalogue with each wish in turn."""
    pairs = product(_WISHES, names())
    yield from (a_service(f"pvc://weights/{path}", **wish) for wish, path in islice(cycle(pairs), count))


def main() -> None:
    """Plan each service once, afresh, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.planning", description=main.__doc__)
    parser.add_argument("--services", type=int, default=1000, metavar="N", help="plans to make")
    parser.add_argument("--nodes", type=int, default=500, metavar="N", help="nodes of the cluster")
    asked = parser.parse_args()
    objects = [kind.node(f"node-{index}") for index, kind in zip(range(asked.nodes), cycle(_KINDS), strict=False)]
    before = time.process_time()
    cluster = cluster_facts(objects, [], Configuration())
    reading = time.process_time() - before
    taken, accepted = [], 0
    for service in services(asked.services):
        before = time.process_time()
        outcome = resolve(service, cluster, Configuration(), previous=None)
        taken.append(time.process_time() - before)
        accepted += isinstance(outcome, Record)
    _show(asked.services, asked.nodes, accepted, reading=reading, taken=taken)


def _show(count: int, nodes: int, accepted: int, *, reading: float, taken: list[float]) -> None:
    table = Table(title=f"{count} fresh plans over {nodes} nodes, CPU time of one core")
    for title in ("accepted", "nodes read s", "all plans s\n(1,000: 5)", "median ms", "longest ms"):
        table.add_column(title, justify="right")
    table.add_row(
        str(accepted),
        f"{reading:.2f}",
        f"{sum(taken):.2f}",
        f"{statistics.median(taken) * 1000:.2f}",
        f"{max(taken) * 1000:.1f}",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
