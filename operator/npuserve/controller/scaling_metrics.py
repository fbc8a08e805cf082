"""What the operator tells Prometheus about autoscaling: the last decision of each service and the demand behind it.

`npuserve_autoscale_desired_replicas` and the demand are what an external scaler drives from in the mode `external`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from npuserve.autoscale.decision import Decision
from npuserve.autoscale.memory import Memory
from npuserve.reconcile.step import Seen

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(slots=True)
class _Service:
    """The last look at one service, and its requests since it was first looked at."""

    decision: Decision
    memory: Memory
    unread: int = 0
    leaving: int = 0
    finished: float = 0.0
    late: float = 0.0


_Value = Callable[[_Service], float]
_GAUGES: Mapping[str, tuple[str, _Value]] = {
    "desired_replicas": ("Replicas that the autoscaler decided on.", lambda one: one.decision.replicas),
    "wanted_replicas": ("Replicas that the load asks for, before limits.", lambda one: one.decision.wanted),
    "need_replicas": ("Replicas that the present load keeps busy.", lambda one: one.decision.need),
    "forecast_replicas": (
        "Replicas that the load will keep busy when a new one would serve.",
        lambda one: one.decision.forecast,
    ),
    "headroom_replicas": ("Replicas beyond the forecast.", lambda one: one.decision.headroom),
    "arrivals_per_second": ("Requests that arrive.", lambda one: one.decision.arrivals),
    "output_tokens_per_second": ("Output tokens that are asked for.", lambda one: one.decision.tokens),
    "cold_start_seconds": ("Time until a new replica serves, an upper quantile.", lambda one: one.memory.cold_start),
    "miss_price": (
        "What a missed request is worth, in units of the work of a request.",
        lambda one: one.memory.price,
    ),
    "leaving_replicas": ("Replicas that finish their requests to be removed.", lambda one: one.leaving),
    "unread_replicas": ("Ready replicas whose metrics could not be read.", lambda one: one.unread),
}
_LABELS = ["namespace", "name"]


class ScalingMetrics(Collector):
    """Samples per service, made when someone asks, and how long looks and decisions take."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._services: dict[str, _Service] = {}
        self._seconds = Histogram(
            "npuserve_autoscale_decision_seconds",
            "Time of one decision, the reading of replicas not counted.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._looks = Histogram(
            "npuserve_autoscale_look_seconds",
            "Time of one look at a service: reading its replicas and deciding.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "npuserve_autoscale_failures", "Looks at services that failed, by error.", ["error"], registry=registry
        )
        self._unreadable = Counter(
            "npuserve_scrape_failures",
            "Readings of replicas that failed, by what went wrong.",
            ["reason"],
            registry=registry,
        )
        registry.register(self)

    def unreadable(self, trouble: str) -> None:
        """A replica could not be read."""
        self._unreadable.labels(trouble).inc()

    def looked(self, seconds: float) -> None:
        """A look took so long."""
        self._looks.observe(seconds)

    def failed(self, error: str) -> None:
        """A look failed."""
        self._failures.labels(error).inc()

    def decided(self, key: str, decision: Decision, memory: Memory, *, seen: Seen, seconds: float) -> None:
        """A decision about a service was taken."""
        self._seconds.observe(seconds)
        one = self._services.setdefault(key, _Service(decision, memory))
        one.decision, one.memory = decision, memory
        one.unread, one.leaving = seen.unread, len(seen.fleet.leaving)
        if seen.read.traffic is not None:
            one.finished += seen.read.traffic.finished
            one.late += seen.read.traffic.late

    def forget(self, key: str) -> None:
        """The service is gone, or is not autoscaled any more."""
        self._services.pop(key, None)

    def collect(self) -> Iterator[Metric]:
        """Every sample."""
        services = [(key.split("/", 1), one) for key, one in list(self._services.items())]
        for name, (meaning, value) in _GAUGES.items():
            family = GaugeMetricFamily(f"npuserve_autoscale_{name}", meaning, labels=_LABELS)
            for labels, one in services:
                family.add_metric(labels, value(one))
            yield family
        constraint = GaugeMetricFamily(
            "npuserve_autoscale_constraint",
            "1 for what decides the number of replicas.",
            labels=[*_LABELS, "constraint"],
        )
        finished = CounterMetricFamily(
            "npuserve_autoscale_requests", "Requests that ended since the operator looked.", labels=_LABELS
        )
        late = CounterMetricFamily(
            "npuserve_autoscale_late_requests", "Of those, the ones that missed the objectives.", labels=_LABELS
        )
        for labels, one in services:
            constraint.add_metric([*labels, one.decision.constraint], 1)
            finished.add_metric(labels, one.finished)
            late.add_metric(labels, one.late)
        yield from (constraint, finished, late)
