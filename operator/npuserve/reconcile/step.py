"""One step of a service's autoscaling: what is known, what is seen and what is allowed in, what is known and ordered
afterwards out.

Rule: a step asks no clock and writes nothing, so what the operator does in a cluster can be replayed. A first sample
teaches only where the counters stand, and decides nothing. Where someone else is in charge of the number, the autoscaler
decides beside it from what runs, for people and metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from npuserve.api.autoscaling import AutoscalingFloor
from npuserve.autoscale.decision import Decision, decide
from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.memory import Memory
from npuserve.autoscale.order import order
from npuserve.autoscale.placing import Placing, place
from npuserve.autoscale.schedule import floor_at
from npuserve.autoscale.settings import Room, Settings
from npuserve.autoscale.starts import learn_start
from npuserve.reconcile.autoscaling import Mode, Told, tell
from npuserve.reconcile.course import Aim
from npuserve.reconcile.sample import Fleet, sample_of

UNLIMITED = 1_000_000

Charge = Literal["load", "spec", "another scaler"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service asks of the autoscaler."""

    mode: Mode
    settings: Settings
    """Without the floors of the schedule and the room there is."""
    schedule: tuple[AutoscalingFloor, ...]
    charge: Charge
    """Whose number counts."""
    grace: float
    """Seconds that replicas may wait for a place before they are taken back."""
    starts: int | None
    """Replicas that may start at the same time; None: any number."""

    @property
    def in_charge(self) -> bool:
        """Whether the number that is decided is the one that is ordered."""
        return self.charge == "load"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read from the pods of a service, by their UIDs."""

    loads: Mapping[str, ReplicaLoad | None]
    traffic: Traffic | None
    """Of no seconds where counters were read for the first time, and tell no rate yet."""
    why: str = ""
    """Why some could not be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sample shows: the pods, what was read from them, and requests that are held in front of them."""

    fleet: Fleet
    read: Read
    queued: int = 0

    @property
    def first(self) -> bool:
        """Counters were read for the first time."""
        return self.read.traffic is not None and self.read.traffic.seconds <= 0

    @property
    def unread(self) -> int:
        """Replicas that serve and could not be read."""
        return sum(1 for pod in self.fleet.serving if self.read.loads.get(pod.uid) is None)


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one service's autoscaling."""

    memory: Memory
    ordered: int
    """Replicas that are asked for, those that leave not counted."""
    began: float
    """When it was first looked at, in seconds since the epoch: starts of before were not seen."""
    placing: Placing = field(default_factory=Placing)
    blocked: str = ""
    """Why replicas found no place, in the scheduler's words."""
    told: Told | None = None
    decision: Decision | None = None
    counted: frozenset[str] = frozenset()
    """UIDs of pods whose start was learned from, or is nothing to learn from."""


def begin(memory: Memory, told: Mapping[str, Any] | None, *, ordered: int, began: float, now: float) -> State:
    """The state before the first look: what is remembered, and what the status says of the last decision.

    Where someone decided before, what runs counts as needed a moment ago, for what is remembered may be hours old: a
    new operator takes nothing away that the last one had kept.
    """
    if told is None:
        return State(memory, ordered=ordered, began=began)
    higher = tuple(wish for wish in memory.wishes if wish[1] > ordered)
    memory = memory._replace(wishes=(*higher, (now, ordered)))
    return State(memory, ordered=ordered, began=began, told=Told(told))


def step(state: State, seen: Seen, asked: Asked, *, room: Room | None, now: float) -> State:
    """The state after a look at `now`, seconds since the epoch."""
    state = _learn_starts(state, seen.fleet)
    settings = asked.settings
    if asked.schedule:
        floor, reason = floor_at(asked.schedule, datetime.fromtimestamp(now, tz=UTC))
        settings = replace(settings, floor=floor, floor_reason=reason)
    if asked.in_charge:
        state = _take_back(state, seen.fleet, asked, least=_least(settings), room=room, now=now)
    settings = replace(settings, room=_room(state, room, least=_least(settings)))
    if seen.first:
        return state
    loads, traffic = seen.read.loads, seen.read.traffic
    sample = sample_of(seen.fleet, ordered=state.ordered, time=now, loads=loads, traffic=traffic, queued=seen.queued)
    memory, decision = decide(state.memory, sample, settings)
    decision = _in_words(decision, sample, seen.read.why)
    ordered = _ordered(state, decision, sample, asked, aside=len(seen.fleet.aside))
    said = _as_ordered(decision, ordered, sample, asked)
    told = tell(state.told, said, mode=asked.mode, ordered=asked.in_charge, now=now)
    return replace(state, memory=memory, decision=decision, ordered=ordered, told=told)


def aim_of(state: State, asked: Asked, *, wished: int) -> Aim | None:
    """What the Deployment's number is to become: what was decided, or the `wished` one of the spec; None while nothing is
    decided, and where another scaler writes it."""
    if asked.charge == "another scaler" or state.decision is None:
        return None
    if asked.charge == "spec":
        return Aim(wished, commanded=True)
    # Where all that the limit allows is ordered and there are more, it is the limit that was lowered.
    return Aim(state.ordered, commanded=state.ordered >= asked.settings.most)


def _ordered(state: State, decision: Decision, sample: LoadSample, asked: Asked, *, aside: int) -> int:
    if not asked.in_charge:
        return state.ordered
    before = state.ordered - aside
    return aside + order(before, decision, current=sample.current, starting=sample.starting, starts=asked.starts)


def _least(settings: Settings) -> int:
    return min(settings.most, max(settings.least, settings.floor))


def _learn_starts(state: State, fleet: Fleet) -> State:
    """The state after pods that were created since it began have become ready; waiting for devices is no start."""
    memory, counted = state.memory, {pod.uid for pod in fleet.starting if pod.unschedulable}
    for pod in fleet.serving:
        if pod.created >= state.began and pod.uid not in state.counted and pod.ready_since is not None:
            memory = learn_start(memory, pod.ready_since - pod.created)
        counted.add(pod.uid)
    present = {pod.uid for pod in fleet.staying}
    return replace(state, memory=memory, counted=frozenset((state.counted | counted) & present))


def _take_back(state: State, fleet: Fleet, asked: Asked, *, least: int, room: Room | None, now: float) -> State:
    """The state without the replicas that found no place for too long; those that the service keeps at least stay."""
    placing = place(
        state.placing,
        ordered=state.ordered,
        placed=fleet.placed + len(fleet.aside),
        room=UNLIMITED if room is None else room.replicas,
        now=now,
        grace=asked.grace,
    )
    if placing.cap is None:
        return replace(state, placing=placing, blocked="")
    words = next((pod.unschedulable for pod in fleet.starting if pod.unschedulable), "")
    kept = min(state.ordered, max(placing.cap, least))
    return replace(state, placing=placing, ordered=kept, blocked=state.blocked or words)


def _room(state: State, room: Room | None, *, least: int) -> Room | None:
    """The room there is, as far as replicas find it; what a service keeps at least is asked for in any case."""
    cap = state.placing.cap
    if cap is None:
        return None if room is None else replace(room, replicas=max(room.replicas, least))
    what = f"replicas found no place{f': {state.blocked}' if state.blocked else ''}"
    if room is None:
        return Room(max(cap, least), what)
    return Room(max(min(cap, room.replicas), least), f"{room.what}; {what}")


def _in_words(decision: Decision, sample: LoadSample, why: str) -> Decision:
    """The decision as it is told where replicas could not be read: with the reason, or, where nothing serves yet, without
    anything being wrong."""
    if decision.constraint != "MetricsMissing":
        return decision
    if not sample.replicas and sample.starting:
        return replace(decision, constraint="Starting", reason=f"none serves yet, {sample.starting} start")
    return replace(decision, reason=f"{decision.reason} ({why})") if why else decision


def _as_ordered(decision: Decision, ordered: int, sample: LoadSample, asked: Asked) -> Decision:
    """The decision as it is told: with the number that is ordered, which the surplus of a rollout is no part of, and what
    keeps it lower where fewer replicas may start at once than it takes."""
    if not asked.in_charge:
        return decision
    if ordered >= decision.replicas or decision.replicas <= sample.current:
        return replace(decision, replicas=ordered)
    reason = f"{decision.reason}; {asked.starts} start at a time, {decision.replicas} are on their way"
    return replace(decision, replicas=ordered, reason=reason)
