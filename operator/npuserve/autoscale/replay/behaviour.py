"""What Kubernetes' HorizontalPodAutoscaler does with a recommendation: windows and rates (autoscaling/v2 `behavior`)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil

JUST = 1e-3
"""Seconds: before any window without length."""


@dataclass(slots=True)
class Behaviour:
    """The API's defaults: up at once by at most 100 % or 4 pods in 15 s, down to the highest wish of 300 s."""

    up_window: float = 0
    up_percent: float = 100
    up_pods: int = 4
    up_period: float = 15
    down_window: float = 300
    down_pods: int | None = None
    """Pods that may go in `down_period`; None: all of them."""
    down_period: float = 15
    _wishes: deque[tuple[float, int]] = field(default_factory=deque)
    _added: deque[tuple[float, int]] = field(default_factory=deque)
    _removed: deque[tuple[float, int]] = field(default_factory=deque)

    def apply(self, now: float, current: int, wish: int) -> int:
        """Replicas that the controller sets, wishing for `wish`; what it finds at first counts as the wish just before."""
        if not self._wishes:
            self._wishes.append((now - JUST, current))
        self._wishes.append((now, wish))
        while self._wishes[0][0] < now - max(self.up_window, self.down_window):
            self._wishes.popleft()
        if wish > current:
            steady = min(one for at, one in self._wishes if at >= now - self.up_window)
            return self._raised(now, current, max(current, steady))
        steady = max(one for at, one in self._wishes if at >= now - self.down_window)
        return self._lowered(now, current, min(current, steady))

    def _raised(self, now: float, current: int, wish: int) -> int:
        base = current - sum(count for at, count in self._added if at > now - self.up_period)
        most = max(base + self.up_pods, ceil(base * (1 + self.up_percent / 100)) if self.up_percent else 0)
        wish = max(current, min(wish, most))
        if wish > current:
            self._added.append((now, wish - current))
        return wish

    def _lowered(self, now: float, current: int, wish: int) -> int:
        if self.down_pods is not None and wish < current:
            base = current + sum(count for at, count in self._removed if at > now - self.down_period)
            wish = min(current, max(wish, base - self.down_pods))
        if wish < current:
            self._removed.append((now, current - wish))
        return wish
