"""What holds of every drain, whatever happens to the pods meanwhile: a ReplicaSet takes no replica that serves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from npuserve.autoscale.load import ReplicaLoad
from npuserve.reconcile.drain import DONE_COST, SETTLE_SECONDS, Drain, plan_drain
from npuserve.reconcile.pods import ReplicaPod
from tests.support.replicas import a_load, a_replica, in_order_of_removal, marked

LIMIT, SAMPLE = 30.0, 5.0
QUIET_STEPS = 60
"""Enough for two starts and two drains."""
EVENTS = ("asked", "ready", "sick", "idle", "busy", "unread", "slow", "stale", "put back", "put aside", "rolled")
looked_at_closely = settings(max_examples=400)


@dataclass
class World:
    """A service, its ReplicaSet, and what happens to them; no operator remembers anything of it."""

    pods: list[ReplicaPod]
    target: int
    current: int
    told: dict[str, ReplicaLoad | None] = field(default_factory=dict)
    now: float = 10_000.0
    born: int = 0
    slow: bool = False
    """The ReplicaSet does nothing in this step."""
    stale: bool = False
    """It has not yet seen this step's marks when it sees the number."""

    @property
    def loads(self) -> dict[str, ReplicaLoad | None]:
        """Every ready replica can be read and has nothing to do, unless it was told otherwise."""
        return {pod.uid: self.told.get(pod.uid, a_load(0)) for pod in self.pods if pod.ready_since is not None}

    def plan(self) -> Drain:
        return plan_drain(
            self.pods, target=self.target, current=self.current, loads=self.loads, now=self.now, limit=LIMIT
        )

    def step(self) -> Drain:
        """A sample, what it leads to, and what the ReplicaSet does; returns the plan."""
        drain = self.plan()
        loads, before = self.loads, self.pods
        self.pods, self.current = marked(self.pods, drain), drain.replicas
        if not self.slow:
            self._replica_set(before if self.stale else self.pods, loads)
        self.slow, self.stale, self.now = False, False, self.now + SAMPLE
        return drain

    def _replica_set(self, seen: list[ReplicaPod], loads: dict[str, ReplicaLoad | None]) -> None:
        going = {pod.uid for pod in in_order_of_removal(seen)[: max(0, len(seen) - self.current)]}
        for pod in [pod for pod in self.pods if pod.uid in going]:
            self._check(pod, loads.get(pod.uid))
            self.pods.remove(pod)
        while len(self.pods) < self.current:
            self.born += 1
            self.pods.append(a_replica(f"new-{self.born}", created=self.now, ready_since=None))

    def _check(self, removed: ReplicaPod, load: ReplicaLoad | None) -> None:
        """A pod that is ready went only out of the Service, with its cost on it, and empty or after its time."""
        if removed.ready_since is None:
            return
        assert not removed.serving
        assert removed.deletion_cost == DONE_COST
        assert removed.draining_since is not None
        out_for = self.now - removed.draining_since
        assert out_for >= LIMIT or (out_for >= SETTLE_SECONDS and load is not None and load.running + load.waiting == 0)

    def happens(self, what: str, which: int) -> None:
        """One event, to one of the pods where it is about a pod."""
        if what == "asked":
            self.target = which % 7
        elif what in ("slow", "stale"):
            setattr(self, what, True)
        elif self.pods:
            at = which % len(self.pods)
            self.pods[at] = self._changed(self.pods[at], what)

    def _changed(self, pod: ReplicaPod, what: str) -> ReplicaPod:
        match what:
            case "ready":
                return replace(pod, ready_since=self.now)
            case "sick":
                return replace(pod, ready_since=None)
            case "idle" | "busy" | "unread":
                self.told[pod.uid] = {"idle": a_load(0), "busy": a_load(3), "unread": None}[what]
            case "put back":
                return replace(pod, serving=True)
            case "put aside":
                return replace(pod, serving=False, draining_since=None, deletion_cost=0)
            case "rolled":
                return replace(pod, template="77aa" if pod.template == "6d5f" else "6d5f")
        return pod

    def calm_down(self) -> None:
        """Every replica becomes ready, can be read and has nothing left to do; there is one template."""
        self.pods = [
            replace(pod, ready_since=self.now if pod.ready_since is None else pod.ready_since, template="6d5f")
            for pod in self.pods
        ]
        self.told = {pod.uid: a_load(0) for pod in self.pods}

    @property
    def serving(self) -> int:
        return sum(pod.serving and pod.ready_since is not None for pod in self.pods)


worlds = st.builds(
    lambda size, target: World([a_replica(f"old-{number}") for number in range(size)], target, size),
    st.integers(0, 6),
    st.integers(0, 6),
)
one_step = st.one_of(
    st.just([]), st.just([]), st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 50)), min_size=1, max_size=2)
)
happenings = st.lists(one_step, min_size=5, max_size=30)


@looked_at_closely
@given(worlds, happenings)
def test_no_replica_that_serves_is_ever_removed(world: World, series: list[list[tuple[str, int]]]) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        world.step()


@looked_at_closely
@given(worlds, happenings)
def test_the_number_is_never_below_what_is_asked_for_nor_above_what_was_ordered(
    world: World, series: list[list[tuple[str, int]]]
) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        before = world.current
        assert world.target <= world.step().replicas <= max(world.target, before)


@looked_at_closely
@given(worlds, happenings)
def test_never_more_leave_than_are_too_many(world: World, series: list[list[tuple[str, int]]]) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        leave = {mark.uid for mark in world.plan().marks if mark.since is not None}
        serving = {pod.uid for pod in world.pods if pod.serving}
        assert len(leave & serving) <= max(0, len(serving) - world.target)
        before = world.serving
        world.pods = marked(world.pods, world.plan())
        assert world.serving >= min(world.target, before)
        world.step()


@looked_at_closely
@given(worlds, happenings)
def test_a_plan_that_was_carried_out_asks_for_no_further_mark(
    world: World, series: list[list[tuple[str, int]]]
) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        world.pods = marked(world.pods, world.plan())
        assert world.plan().marks == ()
        world.step()


@looked_at_closely
@given(worlds, happenings)
def test_once_nothing_happens_any_more_exactly_what_is_asked_for_serves(
    world: World, series: list[list[tuple[str, int]]]
) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        world.step()
    world.pods = [replace(pod, serving=pod.serving or pod.draining_since is None) for pod in world.pods]
    for _ in range(QUIET_STEPS):
        world.step()
        world.calm_down()
    assert (world.serving, world.current, len(world.pods)) == (world.target,) * 3
    assert world.plan() == Drain(world.target)


@looked_at_closely
@given(worlds, happenings)
def test_nobody_new_leaves_while_a_replica_starts_or_cannot_be_read(
    world: World, series: list[list[tuple[str, int]]]
) -> None:
    for events in series:
        for event in events:
            world.happens(*event)
        serving = {pod.uid: pod for pod in world.pods if pod.serving}
        leave = {mark.uid for mark in world.plan().marks if mark.since is not None} & set(serving)
        if leave:
            assert all(pod.ready_since is not None and world.loads.get(uid) for uid, pod in serving.items())
            assert len({pod.template for pod in world.pods}) == 1
        world.step()
