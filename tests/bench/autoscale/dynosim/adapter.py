"""What DynoSim shows at a tick, as the sample that a rule is asked with.

DynoSim tells of the requests that ended since the last tick their number and the means of their lengths and times, not
each of them. The rule is asked every 5 s, but DynoSim is looked at more often: a request that ends alone in a tick is seen
as it was, and those that end alone speak for all that end in the same 5 s when squares, blocking prompts and late answers are
counted, as a gateway counts them for each. Prompt tokens count when they arrive, from the trace, as a gateway sees them.
A replica's gauges are those of its last step since the sample before; one that made none holds nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from npuserve.autoscale.collisions import blocking, harmless
from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.fleet import SAMPLE, Row, Rule

Metrics = Mapping[str, Any]


@dataclass(slots=True)
class Ended:
    """Requests that ended since the last sample."""

    count: int = 0
    prompt: float = 0.0
    output: float = 0.0
    alone: int = 0
    """Those that ended alone in a tick; what follows is of these."""
    alone_output: float = 0.0
    squares: float = 0.0
    blocking: float = 0.0
    late: int = 0

    def add(self, traffic: Metrics, profile: EngineProfile, objectives: Objectives) -> None:
        """Count what a tick tells; times in ms, as DynoSim has them."""
        count = traffic["shape_count"]
        if not count:
            return
        prompt, output = traffic["avg_isl"], traffic["avg_osl"]
        self.count += count
        self.prompt += count * prompt
        self.output += count * output
        if count > 1:
            return
        self.alone += 1
        self.alone_output += output
        self.squares += output * output
        if prompt > harmless(profile, objectives):
            self.blocking += blocking(prompt, profile, objectives)
        allowed = objectives.first_token(profile.ideal_prefill(prompt))
        first = traffic["avg_ttft_ms"] / 1000
        whole = first + (output - 1) * (traffic["avg_itl_ms"] or 0.0) / 1000
        self.late += first > allowed or whole > allowed + (output - 1) * objectives.per_token

    def traffic(self, *, seconds: float, arrivals: float, prompt_tokens: float, generated: float) -> Traffic:
        """All of them, by those that were seen alone."""
        each = self.count / self.alone if self.alone else 0.0
        long = self.output / self.alone_output if self.alone_output else 0.0
        return Traffic(
            seconds=seconds,
            arrivals=arrivals,
            prompt_tokens=prompt_tokens,
            generated=generated,
            finished=self.count,
            finished_prompt=self.prompt,
            finished_output=self.output,
            finished_output_squares=long * self.squares if self.alone else self.output**2 / max(1, self.count),
            blocking=each * self.blocking,
            late=each * self.late,
        )


@dataclass(slots=True)
class Driven:
    """A rule as DynoSim's scaling policy: `initial_tick_ms` and `on_tick` are what it calls."""

    rule: Rule
    profile: EngineProfile
    objectives: Objectives
    trace: Sequence[Row]
    ticks: int = 1
    """Looks per sample."""
    seconds: float = 0.0
    """Replica-seconds until the last arrival, starting and draining ones included."""
    changes: list[tuple[float, int, int]] = field(default_factory=list)
    _count: int = 0
    _asked_at: float = 0.0
    _sampled_at: float = 0.0
    _arrivals: int = 0
    _generated: float = 0.0
    _ended: Ended = field(default_factory=Ended)
    _steps: dict[int, Metrics] = field(default_factory=dict)
    _times: list[float] = field(default_factory=list)
    _prompts: list[int] = field(default_factory=list)
    _prompt_seen: int = 0

    def __post_init__(self) -> None:
        self._times = [row[0] for row in self.trace]
        self._prompts = [0, *accumulate(row[1] for row in self.trace)]

    def initial_tick_ms(self) -> float:
        return 1000 * SAMPLE / self.ticks

    def on_tick(self, metrics: Metrics) -> dict[str, Any]:
        """What to do now, and when to ask next."""
        self._count += 1
        self._steps |= {one["worker_id"]: one for one in metrics["decode_fpm_snapshots"]}
        traffic = metrics["traffic"]
        if traffic:
            self._arrivals += traffic["num_req"]
            self._generated += traffic["accept_length_forward_count"] + traffic["shape_count"]
            self._ended.add(traffic, self.profile, self.objectives)
        wanted = None if self._count % self.ticks else self._asked(metrics)
        following = (self._count + 1) * 1000 * SAMPLE / self.ticks
        return {"target_prefill": None, "target_decode": wanted, "next_tick_ms": following}

    def _asked(self, metrics: Metrics) -> int | None:
        now = SAMPLE * self._count / self.ticks
        sample = self.sample(metrics, now)
        if now <= self._times[-1] + SAMPLE:
            self.seconds += SAMPLE * (sample.current + sample.draining)
        wanted = self.rule.wanted(sample)
        if now < self._asked_at:
            return None
        self._asked_at += self.rule.every
        if wanted is None or wanted == sample.current:
            return None
        self.changes.append((now, sample.current, wanted))
        return wanted

    def sample(self, metrics: Metrics, now: float) -> LoadSample:
        """Everything since the last sample."""
        until = self._prompts[bisect_right(self._times, now)]
        traffic = self._ended.traffic(
            seconds=now - self._sampled_at,
            arrivals=self._arrivals,
            prompt_tokens=until - self._prompt_seen,
            generated=self._generated,
        )
        self._ended, self._sampled_at, self._prompt_seen = Ended(), now, until
        self._arrivals, self._generated = 0, 0.0
        steps, self._steps = self._steps, {}
        return LoadSample(
            time=now,
            replicas=tuple(_load(steps.get(worker)) for worker in metrics["active_decode_ids"]),
            starting=metrics["starting_decode_count"],
            draining=metrics["draining_decode_count"],
            traffic=traffic,
        )


def _load(shown: Metrics | None) -> ReplicaLoad:
    if shown is None:
        return ReplicaLoad(0, 0, 0.0)
    return ReplicaLoad(
        running=shown["num_decode_requests"] + shown["num_prefill_requests"],
        waiting=shown["num_queued_prefill"] + shown["num_queued_decode"],
        cached=shown["sum_decode_kv_tokens"] + shown["sum_prefill_kv_tokens"],
    )
