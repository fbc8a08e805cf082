"""How many replicas beyond the forecast are worth their devices.

Rule: the next replica is added as long as the misses it prevents are worth more than it costs:

    price * rate * (missed(n) - missed(n + 1)) >= 1

`price` is what a missed request is worth, in units of the usual work of a request, and the only thing that is tuned, by
the slow loop in `attainment`; all requests of a day are worth the same, whatever work they are. The rate is the geometric
mean of now and usual, so that quiet hours are not starved; for collisions that of now, as fewer requests both cause and
suffer fewer of them.
missed(n) is the share of requests that n replicas would fail: the chance that the need exceeds n, from the controller's
own past look-ahead errors (logistic, sigma * sqrt(need)), plus what long prompts block (`collisions`). A calm service
becomes lean by itself, a bursty one keeps spare.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, sqrt

LOGISTIC = 1.7
"""Scale at which the logistic distribution has the spread of a normal one."""
LEAST_SPREAD = 0.2
LEAST_NEED = 0.3


@dataclass(frozen=True, slots=True)
class Risk:
    """What speaks for more replicas than the forecast."""

    need: float
    spread: float
    """Look-ahead error over sqrt(need)."""
    blocked: float
    """Share of requests that long prompts would block on a single replica."""
    worth: float
    """price * rate: what a share of 1 of the requests is worth, in replicas."""
    worth_blocked: float
    """The same of those that collide, at the rate of now: a price that bursts have driven up says nothing of them."""

    def missed(self, replicas: int) -> float:
        """What the requests are worth that `replicas` would fail, in replicas."""
        deviation = max(LEAST_SPREAD, self.spread) * sqrt(max(LEAST_NEED, self.need))
        scaled = min(500.0, (replicas - self.need) / deviation * LOGISTIC)
        overload = 1 / (1 + exp(scaled)) if scaled > -500 else 1.0
        return self.worth * overload + self.worth_blocked * self.blocked / replicas

    def replicas(self, most: int) -> int:
        """The number from which on one more is not worth it; at least what the forecast needs, at most `most`."""
        count = max(1, ceil(self.need - 0.25))
        missed = self.missed(count)
        while count < most:
            after = self.missed(count + 1)
            if missed - after < 1:
                break
            count, missed = count + 1, after
        return min(count, most)
