"""One pass: a service, its objects and a cluster in; writes and words out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.nodes import read_node
from npuserve.configuration import Activator, Configuration, HardwareRow, Profile
from npuserve.controller.activation import Activation, Around
from npuserve.controller.answers import ApiError
from npuserve.controller.children import Moved
from npuserve.controller.followed import Followed
from npuserve.controller.loop import After, Passed, Reconciler
from npuserve.controller.number import Numbers
from npuserve.controller.resources import (
    CHILDREN,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    SERVICE,
)
from npuserve.controller.store import Store
from npuserve.plan import autoscaling
from npuserve.plan.resolve import resolve
from npuserve.reconcile.conditions import Trouble
from npuserve.render.labels import REPLAN
from npuserve.render.owner import Owner
from tests.cluster import nodes
from tests.unit.controller.standin import StandIn

KEY = "team-a/qwen"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OBJECTS = ["apply deployments qwen", "apply services qwen"]
WORDS = ["apply forced inferenceservices/status qwen", "create events Planned"]


class Surroundings(Activation):
    """Where requests can go, as it is set."""

    found = Around()

    def around(self, owner: Owner) -> Around:
        return self.found


class World:
    """A stand-in API server, the store that has seen it, and a reconciler between them."""

    def __init__(self, *, node_count: int = 2, configuration: Configuration | None = None) -> None:
        self.kube = StandIn()
        self.store = Store()
        self.known = True
        self.nodes = tuple(fact for node in nodes.a2_64g("a2", node_count) for fact in read_node(node))
        self.troubles: dict[str, Trouble] = {}
        self.pressed = False
        self.activation = Surroundings((configuration or Configuration()).activator)
        self.reconciler = Reconciler(
            self.kube,  # type: ignore[arg-type]
            self.store,
            self,
            configuration or Configuration(),
            resolve,
            identity="npuserve-0",
            pressed=lambda: self.pressed,
            now=lambda: NOW,
            activation=self.activation,
        )

    def around(self, *, answered: bool, addresses: tuple[str, ...] = (), family: str = "") -> None:
        """Where requests can go from now on."""
        self.activation.found = Around(answered, addresses, family)

    def facts(self) -> ClusterFacts:
        return ClusterFacts(self.nodes if self.known else (), known=self.known)

    def trouble(self, uid: str) -> Trouble | None:
        return self.troubles.get(uid)

    def apply(self, **spec: Any) -> None:
        """Create the service, or replace its spec."""
        there = self.kube.objects.get((SERVICE.plural, "team-a", "qwen"))
        generation = there["metadata"]["generation"] + 1 if there else 1
        metadata = {
            **(there["metadata"] if there else {}),
            "name": "qwen",
            "namespace": "team-a",
            "generation": generation,
        }
        wanted = {"model": {"uri": "modelscope://Qwen/Qwen3-8B"}, **spec}
        head = {"apiVersion": "npuserve.io/v1alpha1", "kind": "InferenceService"}
        self.kube.put(SERVICE, {**(there or {}), **head, "metadata": metadata, "spec": wanted})

    def change(self, resource: Any, edit: Callable[[dict[str, Any]], None], name: str = "qwen") -> None:
        """Someone edits an object by hand."""
        body = self.kube.objects[resource.plural, "team-a", name]
        edit(body)
        self.kube.put(resource, body)

    def remove(self, resource: Any, name: str = "qwen") -> None:
        """Someone deletes an object by hand."""
        self.store.observe_gone(resource, self.kube.objects.pop((resource.plural, "team-a", name)))

    def rolled_out(self) -> None:
        """The Deployment controller has done its work."""

        def edit(body: dict[str, Any]) -> None:
            count = body["spec"]["replicas"]
            body["metadata"]["generation"] = 1
            body["status"] = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
            body["status"]["observedGeneration"] = 1

        self.change(DEPLOYMENTS, edit)

    def see(self) -> None:
        """The watches show everything that carries our label."""
        for resource in (SERVICE, *CHILDREN):
            for body in self.kube.of(resource):
                labels = body["metadata"].get("labels") or {}
                if resource is SERVICE or labels.get("app.kubernetes.io/managed-by") == "npuserve":
                    self.store.observe(resource, body)

    def reconcile(self, *, seen: bool = True) -> Passed:
        """One pass, after the watches have shown everything unless told otherwise; `wrote` holds its writes only."""
        if seen:
            self.see()
        self.kube.wrote.clear()
        return asyncio.run(self.reconciler.reconcile(KEY))

    @property
    def wrote(self) -> list[str]:
        return sorted(self.kube.wrote)

    @property
    def status(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.kube.objects[SERVICE.plural, "team-a", "qwen"]["status"]
        return found

    def condition(self, kind: str) -> tuple[str, str]:
        found = next(item for item in self.status["conditions"] if item["type"] == kind)
        return found["status"], found["reason"]

    def deployment(self) -> dict[str, Any]:
        (found,) = self.kube.of(DEPLOYMENTS)
        return found


def described_by(model: str) -> dict[str, Any]:
    """The ConfigMap `mine` with the config.json of a model of the catalogue."""
    config = files("npuserve.models.catalogue") / "configs" / f"{model.replace('/', '--')}.json"
    return {"metadata": {"name": "mine", "namespace": "team-a"}, "data": {"config.json": config.read_text()}}


def running(**spec: Any) -> World:
    """A world in which the service was created, rolled out and reported."""
    world = World()
    world.apply(**spec)
    world.reconcile()
    world.rolled_out()
    world.reconcile()
    return world


def test_a_new_service_takes_four_writes() -> None:
    world = World()
    world.apply()
    passed = world.reconcile()
    assert (passed.result, passed.after) == ("changed", After.NOTHING)
    assert world.wrote == sorted(OBJECTS + WORDS)
    assert world.condition("Accepted") == ("True", "Planned")
    assert ("Ready", "False") in passed.conditions


def test_what_is_as_it_should_be_takes_none() -> None:
    world = running()
    assert world.condition("Ready") == ("True", "Ready")
    for _ in range(3):
        assert world.reconcile().result == "unchanged"
        assert world.wrote == []


def test_an_operator_that_restarts_writes_nothing() -> None:
    world = running()
    world.store = Store()
    world.reconciler = replace(world.reconciler, store=world.store)
    assert world.reconcile().result == "unchanged"
    assert world.wrote == []


def test_a_service_that_is_gone_is_forgotten() -> None:
    world = World()
    assert world.reconcile().result == "gone"
    world.apply()
    world.change(SERVICE, lambda body: body["metadata"].update(deletionTimestamp="2026-11-20T12:00:00Z"))
    assert world.reconcile().result == "gone"
    assert world.wrote == []


def test_under_pressure_objects_come_first_and_words_with_the_next_pass() -> None:
    world = World()
    world.apply()
    world.pressed = True
    assert world.reconcile().after is After.WORDS
    assert world.wrote == OBJECTS
    assert world.reconcile().after is After.NOTHING
    assert world.wrote == WORDS


def test_a_child_that_was_edited_by_hand_is_restored() -> None:
    world = running()
    world.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=7))
    world.reconcile()
    assert "apply forced deployments qwen" in world.wrote
    assert world.deployment()["spec"]["replicas"] == 1


def test_a_child_that_was_deleted_by_hand_is_restored() -> None:
    world = running()
    world.remove(ENDPOINTS)
    world.reconcile()
    assert world.wrote == ["apply services qwen"]


def test_an_edit_that_arrives_during_a_pass_is_not_taken_for_our_own_work() -> None:
    world = running()
    world.apply(replicas=2)
    real = world.kube.apply

    async def interrupted(resource: Any, manifest: Any, **options: Any) -> Any:
        answer = await real(resource, manifest, **options)
        if resource is DEPLOYMENTS:
            world.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=9))
            world.store.observe(DEPLOYMENTS, world.deployment())
        return answer

    world.kube.apply = interrupted  # type: ignore[method-assign]
    world.reconcile()
    world.kube.apply = real  # type: ignore[method-assign]
    world.reconcile()
    assert world.deployment()["spec"]["replicas"] == 2


def test_a_refused_spec_leaves_what_runs_untouched_and_says_why() -> None:
    world = running()
    before = world.deployment()
    world.apply(engineArgs={"no-such-argument": 1})
    assert world.reconcile().after is After.NODES
    assert world.wrote == ["apply forced inferenceservices/status qwen", "create events UnknownArgument"]
    assert world.condition("Accepted") == ("False", "UnknownArgument")
    assert world.condition("Available")[0] == "True"
    assert world.deployment() == before
    assert world.reconcile().result == "refused"
    assert world.wrote == []


def test_a_spec_that_cannot_be_read_is_refused_by_its_field() -> None:
    world = World()
    world.apply(replicas=-1)
    world.reconcile()
    assert world.condition("Accepted") == ("False", "InvalidSpec")
    assert "spec.replicas" in str(world.status)
    assert world.kube.of(DEPLOYMENTS) == []


def test_a_service_without_a_node_waits_for_nodes() -> None:
    world = World(node_count=0)
    world.apply()
    assert world.reconcile().after is After.NODES
    assert world.condition("Accepted") == ("False", "NoMatchingNodes")
    world.nodes = World().nodes
    assert world.reconcile().result == "changed"
    assert world.condition("Accepted") == ("True", "Planned")


def test_new_nodes_and_taken_devices_write_nothing_for_a_running_service() -> None:
    world = running()
    world.nodes = tuple(fact for node in nodes.a2_64g("other", 9) for fact in read_node(node))
    assert world.reconcile().result == "unchanged"
    assert world.wrote == []


def test_a_new_value_of_the_replan_annotation_asks_for_a_fresh_plan() -> None:
    world = running()
    world.nodes = tuple(fact for node in nodes.duo_96g("duo", 2) for fact in read_node(node))
    world.change(SERVICE, lambda body: body["metadata"].update(annotations={REPLAN: "now"}))
    world.reconcile()
    assert "apply forced deployments qwen" in world.wrote
    assert world.status["plan"]["resourceName"] == "huawei.com/Ascend310P"


def test_a_foreign_object_is_never_touched_and_no_devices_are_taken_beside_it() -> None:
    world = World()
    foreign = world.kube.put(
        ENDPOINTS, {"kind": "Service", "metadata": {"name": "qwen", "namespace": "team-a"}, "spec": {"a": 1}}
    )
    world.apply()
    passed = world.reconcile()
    assert (passed.result, passed.after) == ("conflict", After.LUCK)
    assert world.condition("Ready") == ("False", "NameConflict")
    assert world.kube.of(ENDPOINTS) == [foreign]
    assert world.kube.of(DEPLOYMENTS) == []
    assert world.reconcile().result == "conflict"
    assert world.wrote == []
    assert "services qwen" in world.kube.read


def test_a_conflict_that_is_removed_lets_the_service_go_on() -> None:
    world = World()
    world.kube.put(ENDPOINTS, {"kind": "Service", "metadata": {"name": "qwen", "namespace": "team-a"}})
    world.apply()
    world.reconcile()
    del world.kube.objects["services", "team-a", "qwen"]
    assert world.reconcile().result == "changed"
    assert world.condition("Ready") == ("False", "WaitingForPods")


def test_an_operator_that_starts_beside_a_foreign_object_reads_before_it_writes() -> None:
    world = World()
    world.kube.put(ENDPOINTS, {"kind": "Service", "metadata": {"name": "qwen", "namespace": "team-a"}})
    world.apply()
    world.reconcile()
    world.store = Store()
    world.reconciler = replace(world.reconciler, store=world.store)
    assert world.reconcile().result == "conflict"
    assert world.wrote == []


def test_children_of_an_earlier_service_of_the_same_name_are_waited_for() -> None:
    world = running()
    del world.kube.objects[SERVICE.plural, "team-a", "qwen"]
    world.apply()
    passed = world.reconcile()
    assert (passed.result, passed.after) == ("conflict", After.TIME)
    assert not any(
        write.startswith(("apply deployments", "apply forced deployments", "delete")) for write in world.wrote
    )
    assert world.condition("Ready") == ("False", "Progressing")
    for resource in (DEPLOYMENTS, ENDPOINTS):
        world.remove(resource)
    assert world.reconcile().result == "changed"


def test_an_object_of_ours_that_no_watch_has_shown_yet_is_taken_as_it_is() -> None:
    world = running()
    world.store = Store()
    world.reconciler = replace(world.reconciler, store=world.store)
    world.store.observe(SERVICE, world.kube.of(SERVICE)[0])
    assert world.reconcile(seen=False).result == "unchanged"
    assert world.wrote == []
    assert len(world.kube.of(DEPLOYMENTS)) == 1


def test_a_write_that_is_refused_is_told_and_tried_again() -> None:
    world = World()
    world.apply()
    quota = ApiError(403, reason="Forbidden", message='deployments.apps "qwen" is forbidden: exceeded quota: team')
    world.kube.refuse = lambda verb, resource, _: quota if resource is DEPLOYMENTS else None
    passed = world.reconcile()
    assert (passed.result, passed.after) == ("refused by the API server", After.LUCK)
    assert world.condition("Ready") == ("False", "WriteRefused")
    assert "exceeded quota: team" in str(world.status)
    world.kube.refuse = lambda *_: None
    assert world.reconcile().result == "changed"


@pytest.mark.parametrize("code", [429, 500, 503])
def test_trouble_of_the_api_server_fails_the_pass_and_says_nothing(code: int) -> None:
    world = World()
    world.apply()
    world.kube.refuse = lambda verb, resource, _: (
        ApiError(code, reason="x", message="y") if resource is DEPLOYMENTS else None
    )
    with pytest.raises(ApiError):
        world.reconcile()
    assert world.kube.of(EVENTS) == []
    world.kube.refuse = lambda *_: None
    assert world.reconcile().result == "changed"
    assert len(world.kube.of(DEPLOYMENTS)) == len(world.kube.of(ENDPOINTS)) == 1


def test_an_object_that_is_replaced_under_the_hand_is_not_written() -> None:
    world = running()
    world.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=5))
    world.see()
    world.kube.objects["deployments", "team-a", "qwen"]["metadata"]["uid"] = "another"
    with pytest.raises(Moved):
        world.reconcile(seen=False)
    assert world.deployment()["spec"]["replicas"] == 5


def test_the_status_is_written_to_this_very_service_and_not_to_its_successor() -> None:
    world = World()
    world.apply()
    world.see()
    world.kube.objects[SERVICE.plural, "team-a", "qwen"]["metadata"]["uid"] = "successor"
    with pytest.raises(ApiError):
        world.reconcile(seen=False)
    assert "status" not in world.kube.objects[SERVICE.plural, "team-a", "qwen"]


def test_an_event_is_posted_once_for_a_transition_even_when_the_pass_is_repeated() -> None:
    world = World()
    world.apply()
    down = ApiError(503, reason="x", message="y")
    world.kube.refuse = lambda verb, resource, _: down if resource is SERVICE else None
    with pytest.raises(ApiError):
        world.reconcile()
    world.kube.refuse = lambda *_: None
    world.reconcile()
    assert [event["reason"] for event in world.kube.of(EVENTS)] == ["Planned"]


def test_two_replicas_get_a_budget_and_one_loses_it() -> None:
    world = running(replicas=2)
    assert len(world.kube.of(DISRUPTION_BUDGETS)) == 1
    world.apply(replicas=1)
    world.reconcile()
    assert "delete poddisruptionbudgets qwen" in world.wrote
    assert world.kube.of(DISRUPTION_BUDGETS) == []


def test_a_model_described_by_a_config_map_is_planned_once_that_exists() -> None:
    world = World()
    world.apply(model={"uri": "pvc://weights/mine", "configMapRef": {"name": "mine"}}, backend="vllm-ascend")
    assert world.reconcile().after is After.TIME
    assert world.condition("Accepted") == ("False", "ConfigMapMissing")
    world.kube.put(CONFIG_MAPS, described_by("Qwen/Qwen3-8B"))
    assert world.reconcile().result == "changed"


def test_a_config_map_that_changes_changes_a_service_whose_objects_were_right() -> None:
    world = World()
    world.kube.put(CONFIG_MAPS, described_by("Qwen/Qwen3-8B"))
    world.apply(model={"uri": "pvc://weights/mine", "configMapRef": {"name": "mine"}}, backend="vllm-ascend")
    world.reconcile()
    world.rolled_out()
    world.reconcile()
    world.change(CONFIG_MAPS, lambda body: body.update(data=described_by("Qwen/Qwen3-32B")["data"]), name="mine")
    world.reconcile()
    assert "apply forced deployments qwen" in world.wrote


def test_where_nodes_cannot_be_read_the_declared_hardware_is_planned_for() -> None:
    rows = (HardwareRow(product="Atlas 800I A2 64G", nodes=2, devices=8),)
    world = World(configuration=Configuration(profiles=(Profile(name="all", hardware=rows),)))
    world.known = False
    world.apply()
    assert world.reconcile().result == "changed"
    assert world.status["plan"]["product"] == "Atlas 800I A2 64G"
    assert "free devices are unknown" in world.deployment()["metadata"]["annotations"]["npuserve.io/rollout"]


def test_the_trouble_of_pods_reaches_the_status() -> None:
    world = World()
    world.apply()
    world.reconcile()
    uid = world.kube.of(SERVICE)[0]["metadata"]["uid"]
    world.troubles[uid] = Trouble(Reason.UNSCHEDULABLE, "0/2 nodes are available. Free them.")
    world.reconcile()
    assert world.condition("Ready") == ("False", "Unschedulable")
    assert world.wrote == ["apply forced inferenceservices/status qwen", "create events Unschedulable"]


ZERO = {"minReplicas": 0, "maxReplicas": 4, "mode": "external"}


@pytest.fixture
def at_zero(monkeypatch: pytest.MonkeyPatch) -> World:
    """A service without replicas, and an activator at 10.1.0.1."""
    monkeypatch.setattr(autoscaling, "ACTIVE", True, raising=False)
    world = World(configuration=Configuration(activator=Activator(enabled=True)))
    world.around(answered=False, addresses=("10.1.0.1",), family="IPv4")
    world.apply(replicas=0, autoscaling=ZERO)
    return world


def test_a_service_at_zero_leads_to_the_activator_and_says_that_it_is_ready(at_zero: World) -> None:
    at_zero.reconcile()
    at_zero.rolled_out()
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.1"]
    assert at_zero.condition("Ready") == ("True", "ScaledToZero")
    at_zero.reconcile()
    assert at_zero.wrote == []


def test_once_a_replica_answers_the_activator_leaves_the_service_and_keeps_its_port(at_zero: World) -> None:
    at_zero.reconcile()
    (before,) = at_zero.kube.of(ENDPOINT_SLICES)
    at_zero.apply(replicas=1, autoscaling=ZERO)
    at_zero.reconcile()
    at_zero.rolled_out()
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.1"]
    at_zero.around(answered=True, addresses=("10.1.0.1",), family="IPv4")
    at_zero.reconcile()
    assert at_zero.wrote == ["apply forced endpointslices qwen"]
    assert addresses(at_zero) == []
    (after,) = at_zero.kube.of(ENDPOINT_SLICES)
    assert after["ports"] == before["ports"]
    at_zero.reconcile()
    assert at_zero.wrote == []


def test_before_the_last_replica_goes_the_activator_is_there(at_zero: World) -> None:
    at_zero.around(answered=True, addresses=("10.1.0.1",), family="IPv4")
    at_zero.apply(replicas=1, autoscaling=ZERO)
    at_zero.reconcile()
    assert addresses(at_zero) == []
    at_zero.apply(replicas=0, autoscaling=ZERO)
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.1"]


def test_an_activator_that_moved_is_followed_and_one_that_is_gone_is_told_and_its_place_kept(at_zero: World) -> None:
    at_zero.reconcile()
    at_zero.rolled_out()
    at_zero.around(answered=False, addresses=("10.1.0.2", "10.1.0.3"), family="IPv4")
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.2", "10.1.0.3"]
    at_zero.around(answered=False)
    at_zero.reconcile()
    assert addresses(at_zero) == []
    assert at_zero.condition("Ready") == ("False", "ActivatorMissing")
    at_zero.around(answered=False, addresses=("10.1.0.4",), family="IPv4")
    at_zero.reconcile()
    assert at_zero.condition("Ready") == ("True", "ScaledToZero")


def test_a_service_that_is_to_have_replicas_always_loses_the_activators_place(at_zero: World) -> None:
    at_zero.reconcile()
    at_zero.apply(replicas=1, autoscaling={"minReplicas": 1, "maxReplicas": 4})
    at_zero.reconcile()
    assert at_zero.kube.of(ENDPOINT_SLICES) == []


class Leaving:
    """An autoscaler in whose eyes the one replica that runs is to go."""

    def number(self, key: str, uid: str) -> int:
        return 1

    def wanted(self, key: str, uid: str) -> int:
        return 0

    def go_on(self, key: str, uid: str, *, live: int) -> int:
        return live

    def told(self, key: str, uid: str) -> None:
        return None

    def leaves(self, uid: str) -> bool:
        return False

    def follow(self, asked: Followed) -> None:
        self.followed = asked


def test_while_the_last_replica_is_to_go_the_place_leads_to_the_activator_already_and_the_autoscaler_is_told(
    at_zero: World,
) -> None:
    at_zero.around(answered=True, addresses=("10.1.0.1",), family="IPv4")
    at_zero.apply(replicas=1, autoscaling=ZERO)
    at_zero.reconcile()
    at_zero.rolled_out()
    at_zero.reconcile()
    assert addresses(at_zero) == []
    scaler = Leaving()
    at_zero.reconciler._numbers = Numbers(at_zero.reconciler.configuration, scaler)  # type: ignore[arg-type]
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.1"]
    assert scaler.followed.stands_in
    at_zero.reconcile()
    assert at_zero.wrote == []
    assert scaler.followed.stands_in


def test_without_an_address_of_the_activator_the_autoscaler_is_told_that_nobody_stands_in(at_zero: World) -> None:
    at_zero.around(answered=True, family="IPv4")
    scaler = Leaving()
    at_zero.reconciler._numbers = Numbers(at_zero.reconciler.configuration, scaler)  # type: ignore[arg-type]
    at_zero.apply(replicas=1, autoscaling=ZERO)
    at_zero.reconcile()
    assert not scaler.followed.stands_in


def test_a_refused_edit_leaves_the_place_with_what_runs(at_zero: World) -> None:
    at_zero.reconcile()
    at_zero.rolled_out()
    at_zero.reconcile()
    at_zero.apply(replicas=0, autoscaling=ZERO, quantization="w8a8", backend="unknown")
    at_zero.around(answered=True, addresses=("10.1.0.1",), family="IPv4")
    at_zero.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=1))
    assert at_zero.reconcile().result == "refused"
    assert addresses(at_zero) == []
    at_zero.around(answered=False, addresses=("10.1.0.2",), family="IPv4")
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.2"]
    at_zero.reconcile()
    assert [line for line in at_zero.wrote if "endpointslices" in line] == []
    (kept,) = at_zero.kube.of(ENDPOINT_SLICES)
    assert kept["ports"][0]["port"] == at_zero.activation.port(kept["metadata"]["ownerReferences"][0]["uid"])


def test_an_activator_that_is_not_enabled_any_more_is_led_to_no_more(at_zero: World) -> None:
    at_zero.reconcile()
    assert addresses(at_zero) == ["10.1.0.1"]
    later = World(configuration=Configuration())
    later.kube = at_zero.kube
    later.reconciler.kube = at_zero.kube  # type: ignore[assignment]
    later.reconciler._reader._kube = at_zero.kube  # type: ignore[assignment]
    later.reconciler._voice = replace(later.reconciler._voice, kube=at_zero.kube)  # type: ignore[arg-type]
    later.activation.learn(at_zero.kube.of(ENDPOINT_SLICES))
    assert later.reconcile().result == "refused"
    assert addresses(later) == []


def test_without_the_activator_no_slice_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscaling, "ACTIVE", True, raising=False)
    world = World()
    world.apply(replicas=1, autoscaling={"maxReplicas": 4})
    world.reconcile()
    assert world.kube.of(ENDPOINT_SLICES) == []


def addresses(world: World) -> list[str]:
    """Where the activator's slice leads to."""
    (found,) = world.kube.of(ENDPOINT_SLICES)
    return [address for endpoint in found["endpoints"] for address in endpoint["addresses"]]
