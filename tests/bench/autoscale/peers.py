"""What other autoscalers would have done: their rules, restated from their sources.

| rule | source | what is left out |
|---|---|---|
| `replay.beside.Hpa` | kubernetes pkg/controller/podautoscaler/replica_calculator.go, AverageValue | readiness weighting |
| the same in KEDA's llm-d form | llm-d/llm-d-benchmark@8bc9f1d config/scenarios/guides/epp-keda-saturation.yaml | saturation trigger |
| `Kthena` | volcano-sh/kthena@3cc0572 pkg/autoscaler/{algorithm,autoscaler} | the freeze after a container restart |
| `KubeAi` | substratusai/kubeai@2f32ef4 internal/modelautoscaler | nothing |
| `Knative` | knative/serving@98e5ef9 pkg/autoscaler/scaling/autoscaler.go | scale to zero |
| `Wva` | llm-d/llm-d-workload-variant-autoscaler@b08b1c7 internal/engines/analyzers/saturation_v2 | variants |
| `Dynamo` | ai-dynamo 1.6.1 dynamo/planner/core, throughput mode | ARIMA (constant predictor); the engine model is perfect |
| `replay.beside.Static` | - | - |

Limits `least` and `most` hold for each. Every rule answers as `replay.fleet.Rule` asks. A trace begins with replicas that
hold nothing yet, which is no fleet that anybody scales: every rule begins as one that has run before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, floor

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.behaviour import Behaviour
from npuserve.autoscale.replay.beside import PROMETHEUS_LAG, within
from npuserve.autoscale.replay.capacity import highest_rate
from npuserve.autoscale.replay.history import History, active

WVA_HISTORY = 300.0
"""Seconds: five of its loops."""


@dataclass(slots=True)
class Kthena:
    """ceil(sum / target) read directly; nothing while a replica drains; its tolerance acts only around one target."""

    target: float
    least: int
    most: int
    every: float = 15.0
    behaviour: Behaviour = field(default_factory=lambda: Behaviour(up_period=30))
    history: History = field(default_factory=History)

    def wanted(self, sample: LoadSample) -> int | None:
        seen = self.history.see(sample)
        if seen is None or sample.draining or sample.traffic is None or sample.time % self.every:
            return None
        current = sample.current
        ratio = active(seen) / self.target
        wish = current if abs(ratio - 1) <= 0.1 and not sample.starting else ceil(ratio)
        wish = within(wish, self.least, self.most)
        return within(self.behaviour.apply(sample.time, current, wish), self.least, self.most)


@dataclass(slots=True)
class KubeAi:
    """Mean of active requests over ten minutes over the target; down after three lower answers in a row.

    Upstream keeps the mean over restarts; the first ten minutes here are a mean of what there is.
    """

    target: float
    least: int
    most: int
    every: float = 10.0
    history: History = field(default_factory=History)
    _lower: int = 0

    def wanted(self, sample: LoadSample) -> int | None:
        if self.history.see(sample) is None or sample.time % self.every:
            return None
        seen = [active(one) for one in self.history.last(600)]
        mean = sum(seen) / len(seen)
        wish = within(ceil(mean / self.target), self.least, self.most)
        if wish >= sample.current:
            self._lower = 0
            return wish
        self._lower += 1
        return None if self._lower <= 3 else wish


@dataclass(slots=True)
class Knative:
    """Concurrency over 60 s, and over 6 s when that is twice what is ready: then never down until 60 s of calm.

    With more than one replica it begins in that state.
    """

    target: float
    least: int
    most: int
    every: float = 5.0
    history: History = field(default_factory=History)
    _panic_since: float | None = None
    _panic_most: int = 0
    _first: bool = True

    def wanted(self, sample: LoadSample) -> int | None:
        if self.history.see(sample) is None:
            return None
        ready = max(1, len(sample.replicas))
        if self._first and ready > 1:
            self._panic_since, self._panic_most = sample.time, ready
        self._first = False
        stable, panic = (ceil(self._mean(seconds) / self.target) for seconds in (60, 6))
        if panic / ready >= 2:
            self._panic_since = sample.time
        elif self._panic_since is not None and self._panic_since + 60 < sample.time:
            self._panic_since, self._panic_most = None, 0
        stable, panic = (max(wish, floor(ready / 2)) for wish in (stable, panic))
        if self._panic_since is None:
            return within(stable, self.least, self.most)
        self._panic_most = max(self._panic_most, stable, panic)
        return within(self._panic_most, self.least, self.most)

    def _mean(self, seconds: float) -> float:
        counts = [active(sample) for sample in self.history.last(seconds)]
        return sum(counts) / max(1, len(counts))


@dataclass(slots=True)
class Wva:
    """Tokens in use and queued against the tokens in use at which queues were seen; up at `full`, down 15 points below.

    0.85 is upstream's own; it may be set. Silent until its history is as long as it looks back.
    """

    profile: EngineProfile
    least: int
    most: int
    window: float = 240
    full: float = 0.85
    every: float = 60.0
    history: History = field(default_factory=lambda: History(PROMETHEUS_LAG))
    _full: deque[float] = field(default_factory=lambda: deque(maxlen=10))
    _behaviour: Behaviour | None = None

    def wanted(self, sample: LoadSample) -> int | None:
        seen = self.history.see(sample)
        if seen is None or sample.time % self.every or not seen.present or sample.time < WVA_HISTORY:
            return None
        count = len(seen.present)
        recent = [one for one in self.history.last(60) if len(one.present) == count]
        capacity, demand = [], 0.0
        prompt = self._mean_prompt()
        for index in range(count):
            used = max(one.present[index].cached for one in recent)
            queue = max(one.present[index].waiting for one in recent)
            if queue >= 5:
                self._full.append(used)
            limit = used if queue >= 5 else sum(self._full) / len(self._full) if self._full else 1e18
            capacity.append(min(0.8 * self.profile.cache_tokens, limit))
            demand += used + queue * prompt
        per = max(1.0, sorted(capacity)[count // 2])
        current = sample.current
        short, spare = demand / self.full - current * per, count * per - demand / max(0.05, self.full - 0.15)
        wish = current + ceil(short / per) if short > 0 else current - floor(spare / per) if spare > 0 else current
        if self._behaviour is None:
            self._behaviour = Behaviour(up_window=self.window, up_pods=10, down_window=self.window, down_pods=10)
        wish = self._behaviour.apply(sample.time, current, within(wish, self.least, self.most))
        return within(wish, self.least, self.most)

    def _mean_prompt(self) -> float:
        traffic = [one.traffic for one in self.history.last(60) if one.traffic]
        return sum(one.finished_prompt for one in traffic) / max(1, sum(one.finished for one in traffic))


@dataclass(slots=True)
class Dynamo:
    """Every 180 s the request rate of the last 180 s over what one engine carries within `limit` ms per token."""

    profile: EngineProfile
    limit: float
    least: int
    most: int
    every: float = 180.0
    history: History = field(default_factory=History)

    def wanted(self, sample: LoadSample) -> int | None:
        if self.history.see(sample) is None or sample.time % self.every:
            return None
        traffic = [one.traffic for one in self.history.last(self.every) if one.traffic]
        finished = sum(one.finished for one in traffic)
        if not finished:
            return None
        rate = sum(one.arrivals for one in traffic) / sum(one.seconds for one in traffic)
        prompt = sum(one.finished_prompt for one in traffic) / finished
        output = sum(one.finished_output for one in traffic) / finished
        wish = ceil(rate / max(1e-6, highest_rate(self.profile, prompt, output, limit=self.limit)))
        current = sample.current
        return within(min(max(wish, current - 8), current + 8), self.least, self.most)
