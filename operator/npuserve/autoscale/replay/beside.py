"""What people run instead: a fleet of one size, and a HorizontalPodAutoscaler on requests in flight.

The HPA is restated from kubernetes pkg/controller/podautoscaler/replica_calculator.go (AverageValue of an external
metric, without the weighting by readiness) and reads through Prometheus.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.replay.behaviour import Behaviour
from npuserve.autoscale.replay.history import History, active, running, waiting

PROMETHEUS_LAG = 15.0
"""Seconds that a Prometheus reader is behind: half a scrape interval and the adapter's own."""


@dataclass(slots=True)
class Static:
    """A fleet of one size."""

    replicas: int
    every: float = 15.0

    def wanted(self, sample: LoadSample) -> int:
        return self.replicas


@dataclass(slots=True)
class Hpa:
    """ceil(sum / target) with 10 % tolerance, through the behaviour of autoscaling/v2."""

    target: float
    least: int
    most: int
    behaviour: Behaviour = field(default_factory=Behaviour)
    metric: Literal["active", "running", "waiting"] = "active"
    every: float = 15.0
    nothing_is_zero: bool = False
    """KEDA's `ignoreNullValues`: an empty answer counts as 0."""
    history: History = field(default_factory=lambda: History(PROMETHEUS_LAG))

    def wanted(self, sample: LoadSample) -> int | None:
        seen = self.history.see(sample)
        if seen is None or sample.time % self.every:
            return None
        value = {"active": active, "running": running, "waiting": waiting}[self.metric](seen)
        if self.nothing_is_zero and sample.traffic is None:
            value = 0
        current = sample.current
        ratio = value / (self.target * max(1, current))
        wish = current if abs(ratio - 1) <= 0.1 else ceil(value / self.target)
        wish = within(wish, self.least, self.most)
        return within(self.behaviour.apply(sample.time, current, wish), self.least, self.most)


def within(wish: int, least: int, most: int) -> int:
    """The wish, within limits."""
    return max(least, min(most, wish))
