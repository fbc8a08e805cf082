"""The loop that decides how many replicas services have: looks, numbers, marks, and what is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from npuserve.autoscale.decision import LOOP
from npuserve.autoscale.load import ReplicaLoad, Traffic
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Settings
from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.quotas import Left, Quota
from npuserve.controller.followed import Followed
from npuserve.controller.memories import WRITE_SECONDS
from npuserve.controller.resources import CONFIG_MAPS, PODS
from npuserve.controller.scaling import AGAIN_SECONDS, Scaling
from npuserve.controller.scaling_metrics import ScalingMetrics
from npuserve.plan.plan import Plan
from npuserve.reconcile.pods import ReplicaPod
from npuserve.reconcile.step import Asked, Read
from npuserve.render.owner import Owner
from tests.support.clusters import A2_64G, cluster, named
from tests.support.fleets import BEGAN, a_pod_of, busy, starting, traffic
from tests.support.plans import a_plan
from tests.unit.controller.standin import StandIn

SETTINGS = Settings(EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000), least=1, most=8)
ASKED = Asked("active", SETTINGS, (), charge="load", grace=120.0, starts=None)
KEY = "ml/chat"


class World:
    """A loop over services whose pods, loads and clock are set by hand; `Meter`, `Cluster` and `Bounds` at once."""

    def __init__(self) -> None:
        self.kube = StandIn()
        self.registry = CollectorRegistry()
        self.now = BEGAN + 1000
        self.there: dict[str, list[ReplicaPod]] = {}
        self.load: ReplicaLoad | None = busy(90)
        self.flow: Traffic | None = traffic(12.0)
        self.fails: Exception | None = None
        self.nodes = cluster(*(named(A2_64G, f"a2-{number}") for number in range(6)))
        self.limits: tuple[Quota, ...] = ()
        self.priorities: dict[str, int] = {}
        self.held: Counter[str] = Counter()
        self.changed: list[str] = []
        self.said: list[str] = []
        self.start()

    def start(self) -> None:
        """The operator starts, and remembers nothing."""
        self.scaling = Scaling(
            self.kube,  # type: ignore[arg-type]
            self,
            self,
            meter=lambda: self,
            held=lambda key: self.held[key],
            metrics=ScalingMetrics(CollectorRegistry()),
            changed=self.changed.append,
            said=self.said.append,
            clock=lambda: self.now,
        )

    async def read(self, pods: Sequence[ReplicaPod], plan: Plan, **_: Any) -> Read:
        if self.fails is not None:
            raise self.fails
        return Read({pod.uid: self.load for pod in pods}, self.flow)

    def facts(self) -> ClusterFacts:
        return self.nodes

    def pods(self, uid: str) -> tuple[ReplicaPod, ...]:
        return tuple(self.there.get(uid, ()))

    def quotas(self) -> tuple[Quota, ...]:
        return self.limits

    def priority(self, name: str) -> int:
        return self.priorities.get(name, 0)

    def follow(self, name: str = "chat", *, live: int = 2, told: Any = None, asked: Asked = ASKED, **more: Any) -> None:
        """A pass found the service and has its replicas."""
        owner = Owner(name, "ml", f"uid-{name}")
        fields = {"plan": a_plan(), "priority_class": "", "wished": 1, **more}
        self.scaling.follow(Followed(key=f"ml/{name}", owner=owner, asked=asked, live=live, told=told, **fields))

    def serve(self, name: str = "chat", *, replicas: int = 2) -> None:
        """Its pods are all ready."""
        self.there[f"uid-{name}"] = [a_pod_of(f"{name}-{number}") for number in range(replicas)]

    def look(self, *names: str, times: int = 12) -> None:
        """So many looks at services, five seconds apart."""

        async def looks() -> None:
            for _ in range(times):
                for name in names or ("chat",):
                    await self.scaling.look(f"ml/{name}")
                self.now += LOOP

        asyncio.run(looks())

    def number(self, name: str = "chat") -> int | None:
        return self.scaling.number(f"ml/{name}", f"uid-{name}")


def served(**more: Any) -> World:
    world = World()
    world.serve()
    world.follow(**more)
    return world


def test_more_load_than_there_are_replicas_asks_for_a_pass_with_another_number() -> None:
    world = served()
    assert world.number() is None
    world.look()
    assert (world.number() or 0) > 2
    assert KEY in world.changed
    told = world.scaling.told(KEY, "uid-chat")
    assert told is not None
    assert told["replicas"] == world.number()


def test_another_service_of_the_same_name_has_nothing_of_the_first() -> None:
    world = served()
    world.look()
    assert world.scaling.number(KEY, "another") is None
    assert world.scaling.told(KEY, "another") is None


def test_a_look_that_fails_changes_nothing_and_is_repeated() -> None:
    world = served()
    world.look()
    before = world.number()
    world.fails = RuntimeError("odd")
    world.look(times=3)
    assert world.number() == before
    world.fails = None
    world.look(times=1)
    assert world.number() is not None


def test_a_restart_begins_with_what_runs_and_what_was_kept() -> None:
    world = served()
    world.look(times=int(WRITE_SECONDS / LOOP) + 2)
    assert [line for line in world.kube.wrote if "configmaps" in line] == ["apply configmaps chat-autoscaling"]
    reached = world.number() or 0
    world.start()
    world.serve(replicas=reached)
    world.follow(live=reached)
    world.load, world.flow = None, None
    world.look(times=1)
    assert world.number() == reached
    assert world.kube.read[-1] == "configmaps chat-autoscaling"


def test_what_was_learned_is_written_seldom_and_only_when_it_is_something_else() -> None:
    world = served()
    world.look(times=int(3 * WRITE_SECONDS / LOOP))
    first = len(world.kube.wrote)
    assert 1 <= first <= 3
    (kept,) = world.kube.of(CONFIG_MAPS)
    assert "app.kubernetes.io/managed-by" not in kept["metadata"]["labels"]
    assert kept["metadata"]["ownerReferences"][0]["uid"] == "uid-chat"


def test_a_map_of_that_name_that_is_someone_elses_is_neither_read_nor_written() -> None:
    world = World()
    world.kube.put(CONFIG_MAPS, {"metadata": {"name": "chat-autoscaling", "namespace": "ml"}, "data": {}})
    world.serve()
    world.follow()
    world.look(times=int(2 * WRITE_SECONDS / LOOP))
    assert world.kube.wrote == []
    assert (world.number() or 0) > 2


def test_replicas_too_many_leave_the_service_before_their_number_goes_down() -> None:
    world = served(live=4)
    world.serve(replicas=4)
    world.load, world.flow = busy(2), traffic(0.4)
    for pod in world.there["uid-chat"]:
        world.kube.put(PODS, {"metadata": {"name": pod.name, "namespace": "ml", "uid": pod.uid}})
    world.look(times=300)
    assert [line for line in world.kube.wrote if line.startswith("merge pods")]
    assert world.number() == 4


def test_who_is_not_in_charge_follows_the_spec_and_says_what_it_would_do() -> None:
    world = served(asked=replace(ASKED, mode="external", charge="spec"), wished=2)
    world.look()
    assert world.number() == 2
    told = world.scaling.told(KEY, "uid-chat")
    assert told is not None
    assert told["replicas"] > 2


def test_another_scaler_of_the_deployment_is_left_alone() -> None:
    world = served(asked=replace(ASKED, charge="another scaler"))
    world.look()
    assert world.number() is None
    assert world.changed == []


def test_the_number_that_another_scaler_leaves_behind_is_where_the_autoscaler_goes_on() -> None:
    world = served()
    world.look()
    world.follow(asked=replace(ASKED, charge="another scaler"), live=7)
    world.serve(replicas=7)
    world.look(times=2)
    world.follow(live=7)
    assert world.number() is None
    world.load = None
    world.look(times=1)
    assert world.number() == 7


def test_a_service_that_lost_its_autoscaling_is_followed_until_its_replicas_are_back() -> None:
    world = served(asked=replace(ASKED, mode="external", charge="spec"), wished=2, tidying=True)
    one, two = world.there["uid-chat"]
    world.there["uid-chat"] = [one, replace(two, serving=False, draining_since=world.now - 5)]
    world.kube.put(PODS, {"metadata": {"name": two.name, "namespace": "ml", "uid": two.uid}})
    world.look(times=2)
    assert "merge pods chat-1" in world.kube.wrote
    world.serve()
    world.look(times=1)
    assert world.number() is None


def test_of_two_services_that_want_what_is_left_the_more_important_one_gets_it() -> None:
    world = World()
    full = {f"a2-{number}": 8 for number in range(6)}
    world.nodes = replace(world.nodes, used=full)
    world.priorities = {"high": 1000}
    for name, priority in (("a", ""), ("b", "high")):
        world.serve(name)
        world.follow(name, priority_class=priority)
    world.look("a", "b")
    assert (world.number("a"), world.number("b")) == (2, 2)
    world.nodes = replace(world.nodes, used={**full, "a2-5": 0})
    world.look("a", "b", times=2)
    assert (world.number("a"), world.number("b")) == (2, 4)
    told = world.scaling.told("ml/a", "uid-a")
    assert told is not None
    assert (told["constraint"], "room for 2" in told["message"]) == ("Capacity", True)


def test_two_that_are_looked_at_in_the_same_second_do_not_get_the_same_devices() -> None:
    world = World()
    world.nodes = replace(world.nodes, used={f"a2-{number}": 8 for number in range(5)} | {"a2-5": 4})
    for name in ("a", "b"):
        world.serve(name)
        world.follow(name)
    world.load, world.flow = busy(10), traffic(1.0)
    world.look("a", "b")
    world.load, world.flow = busy(90), traffic(12.0)
    world.look("a", "b", times=2)
    assert sorted([world.number("a") or 0, world.number("b") or 0]) == [2, 3]


def test_replicas_whose_pods_are_not_made_keep_no_devices_from_others() -> None:
    world = World()
    world.nodes = replace(world.nodes, used={f"a2-{number}": 8 for number in range(5)} | {"a2-5": 0})
    world.serve("a", replicas=0)
    world.follow("a", live=2, asked=replace(ASKED, settings=replace(SETTINGS, least=2)))
    world.serve("b")
    world.follow("b")
    world.look("a", "b", times=3)
    assert world.number("b") == 2
    world.look("a", "b", times=4)
    assert world.number("b") == 4


def test_a_number_that_is_not_written_is_asked_for_again_after_a_while() -> None:
    world = served()
    world.look()
    asked = len(world.changed)
    world.look(times=int(AGAIN_SECONDS / LOOP) + 1)
    assert asked < len(world.changed) <= asked + 2


def test_a_quota_of_the_namespace_is_room_too() -> None:
    world = World()
    world.limits = (Quota("ml", "npus", (Left("huawei.com/Ascend910", 12, 4),)),)
    world.serve()
    world.follow()
    world.look()
    assert world.number() == 3


def test_requests_that_are_held_start_the_first_replica() -> None:
    world = World()
    nothing = replace(ASKED, settings=replace(SETTINGS, least=0))
    world.follow(live=0, asked=nothing)
    world.look(times=2)
    assert world.number() == 0
    world.held[KEY] = 3
    world.look(times=1)
    assert world.number() == 1


def test_a_spec_that_is_refused_leaves_its_service_scaled() -> None:
    world = served()
    world.look()
    reached = world.number()
    assert world.scaling.go_on(KEY, "uid-chat", live=2) == reached
    assert world.scaling.go_on(KEY, "another", live=2) is None
    assert world.scaling.go_on("ml/unknown", "uid-chat", live=2) is None


def test_a_service_that_is_gone_takes_its_metrics_along() -> None:
    registry = CollectorRegistry()
    world = World()
    world.scaling._metrics = ScalingMetrics(registry)
    world.serve()
    world.follow()
    world.look()
    text = generate_latest(registry).decode()
    assert f'npuserve_autoscale_desired_replicas{{name="chat",namespace="ml"}} {world.number()}.0' in text
    assert 'npuserve_autoscale_constraint{constraint="' in text
    world.scaling.forget(KEY)
    assert 'name="chat"' not in generate_latest(registry).decode()


def test_three_hundred_services_are_looked_at_evenly_over_the_loop() -> None:
    world = World()
    for number in range(300):
        world.follow(f"service-{number}")
    bins = Counter(int((one.due - world.now) / 0.5) for one in world.scaling._services.values())
    assert len(bins) == 10
    assert max(bins.values()) < 60


def test_each_service_is_looked_at_once_in_every_loop() -> None:
    world = World()
    looks: Counter[str] = Counter()

    async def main() -> None:
        for number in range(20):
            world.follow(f"service-{number}")
        world.scaling.look = look  # type: ignore[method-assign]
        running = asyncio.create_task(world.scaling.run())
        for _ in range(4):
            world.now += LOOP / 2
            await asyncio.sleep(0.12)
        running.cancel()

    async def look(key: str) -> None:
        looks[key] += 1
        world.scaling._services[key].looking = False

    asyncio.run(main())
    assert set(looks.values()) == {2}
    assert len(looks) == 20


def test_pods_that_only_start_are_no_reason_to_ask_again() -> None:
    world = served()
    world.look()
    reached = world.number() or 0
    world.there["uid-chat"] += [starting(f"new-{number}") for number in range(reached - 2)]
    world.follow(live=reached)
    world.changed.clear()
    world.look(times=1)
    assert world.number() == reached
    assert world.changed == []


def test_the_last_replica_leaves_only_once_requests_find_someone_else() -> None:
    world = World()
    nothing = replace(ASKED, settings=replace(SETTINGS, least=0, idle=60.0))
    world.serve(replicas=1)
    (pod,) = world.there["uid-chat"]
    world.kube.put(PODS, {"metadata": {"name": pod.name, "namespace": "ml", "uid": pod.uid}})
    world.follow(live=1, asked=nothing, stands_in=False)
    world.load, world.flow = busy(0), traffic(0.0)
    world.look(times=40)
    assert world.scaling.wanted(KEY, "uid-chat") == 0
    assert world.changed == [KEY]
    assert [line for line in world.kube.wrote if line.startswith("merge pods")] == []
    world.follow(live=1, asked=nothing, stands_in=True)
    world.look(times=1)
    assert [line for line in world.kube.wrote if line.startswith("merge pods")] == [f"merge pods {pod.name}"]
