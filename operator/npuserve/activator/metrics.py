"""What the activator tells of itself: who waits, who came, how they were answered.

Rule: read off the services when someone asks, so that nothing of a service outlives it. The operator reads
`npuserve_activator_queued` to know who waits for a first replica.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from npuserve.activator.table import Table

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUEUED = "npuserve_activator_queued"
_WHO = ("namespace", "name")

Family = GaugeMetricFamily | CounterMetricFamily


class Metrics:
    """The process's own registry. `kept` gives the bytes of bodies that wait, `present` the requests there are."""

    def __init__(self, table: Table, *, kept: Callable[[], int], present: Callable[[], int]) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        build = Gauge("npuserve_activator_build_info", "The version.", ["version"], registry=self._registry)
        build.labels(version("npuserve")).set(1)
        self._registry.register(_Services(table))
        bytes_kept = Gauge("npuserve_activator_kept_bytes", "Bodies of requests that wait.", registry=self._registry)
        bytes_kept.set_function(kept)
        requests = Gauge("npuserve_activator_requests", "Requests under way.", registry=self._registry)
        requests.set_function(present)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Services(Collector):
    def __init__(self, table: Table) -> None:
        self._table = table

    def collect(self) -> Iterator[Family]:
        queued = GaugeMetricFamily(QUEUED, "Requests that wait for a replica.", labels=_WHO)
        arrived = CounterMetricFamily(
            "npuserve_activator_arrivals", "Requests that came to the activator.", labels=_WHO
        )
        answered = CounterMetricFamily("npuserve_activator_answers", "Answers by status.", labels=(*_WHO, "code"))
        for line in self._table.lines():
            who = (line.activation.service.namespace, line.activation.service.name)
            queued.add_metric(who, line.waiting)
            arrived.add_metric(who, line.arrived)
            for code, count in sorted(line.answered.items()):
                answered.add_metric((*who, str(code)), count)
        yield from (queued, arrived, answered)
