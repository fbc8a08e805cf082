"""What the operator tells Prometheus about itself and about the services.

Rule: base units, one prefix, few labels; what belongs to one service ends with it. Conditions are kept as one shared
tuple per service and become samples only when someone asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from npuserve.controller.scaling_metrics import ScalingMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Conditions = tuple[tuple[str, str], ...]


class Metrics:
    """The operator's own registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._passes = Counter(
            "npuserve_reconcile_total", "Passes over services by result.", ["result"], registry=self._registry
        )
        self._seconds = Histogram(
            "npuserve_reconcile_seconds", "Duration of a pass.", buckets=_BUCKETS, registry=self._registry
        )
        self._requests = Counter(
            "npuserve_api_requests_total",
            "Answers of the API server; code 0 when there was none. kopf's own lists and watches are not among them.",
            ["verb", "resource", "code"],
            registry=self._registry,
        )
        self._leader = Gauge("npuserve_leader", "1 while this replica is the one that works.", registry=self._registry)
        build = Gauge("npuserve_build_info", "The operator's version.", ["version"], registry=self._registry)
        build.labels(version("npuserve")).set(1)
        self._conditions: dict[str, Conditions] = {}
        self._shared: dict[Conditions, Conditions] = {}
        self._registry.register(_Asked(self._service_conditions))
        self.scaling = ScalingMetrics(self._registry)

    def passed(self, result: str, seconds: float) -> None:
        """A pass ended."""
        self._passes.labels(result).inc()
        self._seconds.observe(seconds)

    def requested(self, verb: str, resource: str, code: int) -> None:
        """An answer came."""
        self._requests.labels(verb, resource, str(code)).inc()

    def leads(self, leading: int) -> None:
        """1 while this replica works, else 0."""
        self._leader.set(leading)

    def watch(self, depth: Callable[[], Mapping[Any, int]], ages: Callable[[], Mapping[str, float]]) -> None:
        """Ask these for the depth of the queue's lanes and the ages of streams whenever metrics are read."""
        self._registry.register(
            _Asked(lambda: _gauge("npuserve_queue_depth", "Services that wait, by lane.", "lane", depth()))
        )
        self._registry.register(
            _Asked(lambda: _gauge("npuserve_watch_age_seconds", "Time since a stream was heard.", "stream", ages()))
        )

    def conditions(self, key: str, conditions: Conditions) -> None:
        """What is true of a service: (type, status) pairs."""
        self._conditions[key] = self._shared.setdefault(conditions, conditions)

    def forget(self, key: str) -> None:
        """The service is gone."""
        self._conditions.pop(key, None)
        self.scaling.forget(key)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _service_conditions(self) -> Iterator[GaugeMetricFamily]:
        labels = ["namespace", "name", "type"]
        family = GaugeMetricFamily(
            "npuserve_service_condition", "1 for a condition that is true, 0 for one that is not.", labels=labels
        )
        for key, conditions in list(self._conditions.items()):
            namespace, _, name = key.partition("/")
            for kind, status in conditions:
                family.add_metric([namespace, name, kind], 1 if status == "True" else 0)
        yield family


class _Asked(Collector):
    """Samples that are made when someone asks."""

    def __init__(self, ask: Callable[[], Iterator[GaugeMetricFamily]]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return self._ask()


def _gauge(name: str, help_text: str, label: str, values: Mapping[Any, float]) -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([getattr(key, "name", key).lower()], value)
    yield family
