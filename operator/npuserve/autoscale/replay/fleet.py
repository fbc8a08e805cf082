"""What a scaling rule would have done with a trace: the fleet, its router and its clock.

Requests go to the replica with the fewest in flight. Replicas that are told to stop finish what they have; replicas
that start count at once, as they hold their devices. Every 5 s a sample of the load is taken, and the rule is asked at
its own pace. It is told what the engines' own pages would show (`shown`), counted as they are in a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from npuserve.autoscale.collisions import blocking, harmless
from npuserve.autoscale.counting import Counting
from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.page import Page
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.replica import Replica, Request
from npuserve.autoscale.replay.score import Tally
from npuserve.autoscale.replay.shown import Shown

SAMPLE = 5.0
"""Seconds between two samples."""
CUT = 30.0
"""Seconds that a stopped replica is given where nothing waits for it to drain: Kubernetes' default grace period."""
AFTERWARDS = 7200.0
"""Seconds after the last arrival for which answers are waited for."""

Row = tuple[float, int, int]
"""Arrival in seconds, prompt tokens, output tokens."""


class Rule(Protocol):
    """Anything that says how many replicas there should be."""

    every: float
    """Seconds between two questions; a multiple of `SAMPLE`."""

    def wanted(self, sample: LoadSample) -> int | None:
        """Replicas to have from now on; None changes nothing. Every sample is shown, wanted or not."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the cluster and the engine are like during a replay."""

    cold_start: float = 180.0
    """Seconds from the order to start until a replica serves."""
    quota: Callable[[float], int] | None = None
    """Replicas that the cluster can place at a time."""
    unseen: Callable[[float], bool] = lambda _: False
    """Whether the metrics cannot be read at a time."""
    slow: Callable[[int], float] = lambda _: 1.0
    """How many times slower the n-th replica is than its profile says."""
    exact: bool = False
    """Whether rules are told what truly happened, in place of what the engines' histograms show of it."""


@dataclass(slots=True)
class Fleet:
    """The replicas of one replay."""

    profile: EngineProfile
    objectives: Objectives
    conditions: Conditions
    tally: Tally
    harmless: float
    """Prompt tokens up to which no prompt keeps another waiting too long."""
    counting: Counting
    serving: list[Replica] = field(default_factory=list)
    starting: list[Replica] = field(default_factory=list)
    draining: list[Replica] = field(default_factory=list)
    begun: int = 0
    arrivals: int = 0
    prompt: int = 0
    finished: int = 0
    finished_prompt: int = 0
    finished_output: int = 0
    finished_squares: int = 0
    late: int = 0
    blocking: float = 0.0
    seen_at: float = -SAMPLE
    """When the counters were read last."""

    def start(self, now: float, ready_at: float) -> None:
        slowness = self.conditions.slow(self.begun)
        profile = self.profile if slowness == 1 else self.profile.scaled(slowness)
        self.begun += 1
        shown = None if self.conditions.exact else Shown()
        replica = Replica(
            profile, born=now, ready_at=ready_at, finished=self._finished, uid=str(self.begun), shown=shown
        )
        (self.serving if ready_at <= now else self.starting).append(replica)

    def route(self, row: Row) -> None:
        now = row[0]
        best: Replica | None = None
        least = 1 << 60
        for replica in self.serving or self.draining or self.starting:
            if replica.due < now:
                replica.run(now)
            if replica.load < least:
                least, best = replica.load, replica
        assert best is not None
        best.accept(Request(*row), now)
        self.arrivals += 1
        self.prompt += row[1]
        self.tally.arrived(now)

    def sample(self, now: float) -> LoadSample:
        """Bring every replica to `now` and say what the engines would show."""
        for replica in (*self.serving, *self.draining):
            replica.run(now)
        born = [replica for replica in self.starting if replica.ready_at <= now]
        for replica in born:
            self.starting.remove(replica)
            self.serving.append(replica)
        unseen = self.conditions.unseen(now)
        traffic = None if unseen else self._traffic(now) if self.conditions.exact else self._told(now)
        self._drain(now)
        shown = LoadSample(
            time=now,
            replicas=tuple(
                None if unseen else ReplicaLoad(replica.running, len(replica.waiting), replica.cached)
                for replica in self.serving
            ),
            starting=len(self.starting),
            draining=len(self.draining),
            traffic=traffic,
        )
        if not unseen:
            self.arrivals = self.prompt = self.finished = self.finished_prompt = self.finished_output = 0
            self.finished_squares = self.late = 0
            self.blocking = 0.0
            self.seen_at = now
        return shown

    def resize(self, now: float, wanted: int) -> None:
        have = len(self.serving) + len(self.starting)
        if wanted == have:
            return
        self.tally.changes.append((now, have, wanted))
        placed = have + len(self.draining)
        room = self.conditions.quota(now) - placed if self.conditions.quota else wanted
        for _ in range(min(wanted - have, room)):
            self.start(now, now + self.conditions.cold_start)
        for _ in range(have - wanted):
            self._stop_one(now)

    def idle(self) -> bool:
        return not any(replica.load for replica in (*self.serving, *self.starting, *self.draining))

    def _stop_one(self, now: float) -> None:
        if self.starting:
            self.starting.pop()
            return
        victim = min(self.serving, key=lambda replica: replica.load)
        self.serving.remove(victim)
        victim.drained_at = now
        self.draining.append(victim)

    def _drain(self, now: float) -> None:
        for replica in self.draining:
            if replica.drained_at is not None and now - replica.drained_at >= CUT:
                self.tally.cut += replica.load
                replica.drained_at = None
        self.draining = [replica for replica in self.draining if replica.load]

    def _traffic(self, now: float) -> Traffic:
        return Traffic(
            seconds=now - self.seen_at,
            arrivals=self.arrivals,
            prompt_tokens=self.prompt,
            generated=self._newly_generated(),
            finished=self.finished,
            finished_prompt=self.finished_prompt,
            finished_output=self.finished_output,
            finished_output_squares=self.finished_squares,
            blocking=self.blocking,
            late=self.late,
        )

    def _told(self, now: float) -> Traffic | None:
        """The traffic as the pages of all replicas tell it."""
        pages = {
            replica.uid: Page(replica.running, len(replica.waiting), 0.0, replica.shown.counters())
            for replica in (*self.serving, *self.draining)
            if replica.shown is not None
        }
        self.counting, _, traffic = self.counting.take(pages, time=now)
        return traffic

    def _newly_generated(self) -> int:
        count = 0
        for replica in (*self.serving, *self.draining):
            count += replica.generated
            replica.generated = 0
        return count

    def _finished(self, request: Request, now: float) -> None:
        self.finished += 1
        self.finished_prompt += request.prompt
        self.finished_output += request.output
        self.finished_squares += request.output * request.output
        if request.prompt > self.harmless:
            self.blocking += blocking(request.prompt, self.profile, self.objectives)
        self.late += not self.tally.ended(request, now)


def replay(
    trace: Iterable[Row],
    rule: Rule,
    *,
    profile: EngineProfile,
    objectives: Objectives,
    initial: int,
    conditions: Conditions,
    watch: Callable[[LoadSample, Tally], None] | None = None,
) -> Tally:
    """Replay `trace` (in order of arrival) from `initial` ready replicas and return the counts."""
    tally = Tally(profile, objectives)
    counting = Counting(profile, objectives)
    fleet = Fleet(profile, objectives, conditions, tally, harmless(profile, objectives), counting)
    for _ in range(initial):
        fleet.start(0.0, 0.0)
    tick = 0.0
    ask_at = 0.0

    def control() -> None:
        nonlocal tick, ask_at
        sample = fleet.sample(tick)
        tally.seconds += SAMPLE * (len(fleet.serving) + len(fleet.starting) + len(fleet.draining))
        if watch is not None:
            watch(sample, tally)
        wanted = rule.wanted(sample)
        if tick >= ask_at:
            ask_at += rule.every
            if wanted is not None:
                fleet.resize(tick, wanted)
        tick += SAMPLE

    end = 0.0
    for row in trace:
        end = row[0]
        while tick <= end:
            control()
        fleet.route(row)
    spent = tally.seconds
    while not fleet.idle() and tick < end + AFTERWARDS:
        control()
    tally.seconds = spent
    return tally
