"""One pass over one service: look, decide, write what differs, say so.

    read ──► parse ──► describe ──► resolve ──► render ──► write ──► say
                └──────────┴───────────┴─ refused: nothing is written but the status ─┘

Rule: a pass asks the store and never an event, so it can be repeated, interrupted and begun again at any point. A spec
that cannot be planned leaves what runs untouched. Nothing is written that is there already. Objects come before words:
while new services wait for theirs, what was done for this one is said by another pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol

from npuserve.api.conditions import Reason
from npuserve.api.parse import InvalidSpec, parse
from npuserve.api.resource import InferenceService
from npuserve.api.spec import InferenceServiceSpec
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Activator, Configuration, Profile
from npuserve.controller.activation import Activation
from npuserve.controller.answers import Object
from npuserve.controller.case import Case, Reader
from npuserve.controller.children import Written, write_children
from npuserve.controller.hardware import declared
from npuserve.controller.kube import Kube
from npuserve.controller.number import Number, Numbers
from npuserve.controller.place import Place
from npuserve.controller.resources import CONFIG_MAPS, DEPLOYMENTS
from npuserve.controller.say import Conditions, Voice
from npuserve.controller.store import Store
from npuserve.plan.description import Description, describe, known
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.record import dump
from npuserve.plan.rollout import decide_rollout
from npuserve.plan.service import Service
from npuserve.plan.source import catalogue_path
from npuserve.reconcile.autoscaling import Scaling
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.ownership import key_of
from npuserve.reconcile.replicas import replicas_in
from npuserve.reconcile.rollout import rollout_for
from npuserve.render import labels
from npuserve.render.objects import render
from npuserve.render.pod import pod_template

LOOK_AGAIN_SECONDS = 30.0
"""For what no watch tells: the ConfigMap that describes a model."""


class Resolve(Protocol):
    """The planner."""

    def __call__(
        self, service: Service, cluster: ClusterFacts, configuration: Configuration, *, previous: Record | None
    ) -> Record | Refusal: ...


class Cluster(Protocol):
    """What is known of nodes and pods."""

    def facts(self) -> ClusterFacts: ...

    def trouble(self, uid: str) -> Trouble | None: ...


class After(Enum):
    """What a service waits for after a pass."""

    NOTHING = "the next news"
    WORDS = "its turn to be talked about"
    NODES = "the nodes to change"
    TIME = "something that no watch tells"
    LUCK = "what the API server or someone else has to change"


@dataclass(frozen=True, slots=True)
class Passed:
    """How a pass ended: a word for the metrics, what the service waits for, and what is true of it where that was said."""

    result: str
    after: After = After.NOTHING
    conditions: Conditions = ()


@dataclass(slots=True)
class Reconciler:
    """Does passes. `pressed` tells whether new or edited services wait; `identity` signs events; `numbers` asks the
    autoscaler where there is one."""

    kube: Kube
    store: Store
    cluster: Cluster
    configuration: Configuration
    resolve: Resolve
    identity: str
    pressed: Callable[[], bool] = lambda: False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    numbers: Numbers | None = None
    activation: Activation = field(default_factory=lambda: Activation(Activator()))
    _reader: Reader = field(init=False)
    _voice: Voice = field(init=False)
    _numbers: Numbers = field(init=False)
    _place: Place = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = self.numbers or Numbers(self.configuration)
        self._reader = Reader(self.kube, self.store, around=self.activation.around)
        self._voice = Voice(self.kube, self.store, self.identity)
        self._place = Place(self.activation, self.configuration.activator)

    async def reconcile(self, key: str) -> Passed:
        """One pass; raises ApiError, Unreachable and Moved where a later one may succeed."""
        case = await self._reader.read(key)
        if case is None:
            self._numbers.gone(key)
            self._place.gone(key)
            return Passed("gone")
        service = parse(case.body)
        if isinstance(service, InvalidSpec):
            return await self._refused(
                case, Refusal(Reason.INVALID_SPEC, service.field, service.message), After.NOTHING, service=None
            )
        description = await self._describe(service)
        if isinstance(description, Refusal):
            return await self._refused(case, description, After.TIME, service=service)
        profile = self.configuration.profile(case.owner.namespace)
        asked = Service(
            name=case.owner.name,
            namespace=case.owner.namespace,
            replan=service.metadata.annotations.get(labels.REPLAN, ""),
            spec=service.spec,
            model=description.facts,
            profile=profile,
            model_digest=description.digest,
        )
        decided = self.resolve(asked, self._facts(profile), self.configuration, previous=case.running)
        if isinstance(decided, Refusal):
            return await self._refused(case, decided, After.NODES, service=service)
        return await self._carry_out(case, asked, decided)

    async def _describe(self, service: InferenceService) -> Description | Refusal:
        source, namespace = service.spec.model, service.metadata.namespace
        name = source.config_map_ref.name
        if not name:
            return known(catalogue_path(source))
        found = await self.kube.get(CONFIG_MAPS, namespace, name=name)
        if found is None:
            message = f"there is no ConfigMap {name} in namespace {namespace}; {Reason.CONFIG_MAP_MISSING.fix}"
            return Refusal(Reason.CONFIG_MAP_MISSING, "spec.model.configMapRef.name", message)
        return describe(found.get("data") or {}, name=catalogue_path(source))

    def _facts(self, profile: Profile) -> ClusterFacts:
        """The nodes that were read, else those that the configuration declares."""
        facts = self.cluster.facts()
        return facts if facts.known or facts.nodes else declared(profile.hardware, self.configuration.flavour)

    async def _refused(self, case: Case, refusal: Refusal, after: After, *, service: InferenceService | None) -> Passed:
        """What runs stays as it is, and is scaled on; the status says why the spec does not."""
        number = self._numbers.refused(case)
        await self._keep_place(case, number)
        if number is not None:
            await self._rescale(case, number)
        words = self._numbers.words(case, service)
        return Passed("refused", after, await self._say(case, refusal, Written(case.live), words=words))

    async def _keep_place(self, case: Case, number: int | None) -> None:
        """Have the activator's place lead where what runs wants it."""
        if case.deployment is None or not self.activation.knows(case.owner.uid):
            return
        wanted = replicas_in(case.deployment) if number is None else number
        whole = await self._reader.whole(case) if case.left_right else case
        desired = self._place.kept_objects(whole, wanted=wanted)
        live = [item for item in whole.live if key_of(item) in {key_of(one) for one in desired}]
        await write_children(self.kube, self.store, case.owner, desired=desired, live=live)

    async def _rescale(self, case: Case, replicas: int) -> None:
        """Give the Deployment another number and nothing else: the template of a refused spec cannot be rendered."""
        assert case.deployment is not None
        metadata = case.deployment["metadata"]
        changes = {"metadata": {"uid": metadata["uid"]}, "spec": {"replicas": replicas}}
        answer = await self.kube.merge(DEPLOYMENTS, case.owner.namespace, name=metadata["name"], changes=changes)
        self.store.record(DEPLOYMENTS, answer, key=case.key)

    async def _carry_out(self, case: Case, asked: Service, decided: Record) -> Passed:
        number = self._numbers.of(case, asked.spec)
        written = await self._write(case, asked.spec, decided, number=number)
        if written.unhindered:
            stands_in = self._place.stands_in(case, asked.spec)
            self._numbers.settled(case, asked.spec, decided.plan, model=asked.model, number=number, stands_in=stands_in)
        if written.changed and written.unhindered and self.pressed():
            return Passed("changed", After.WORDS)
        unheld = self._place.missing(case, asked.spec, replicas=number.replicas)
        conditions = await self._say(case, decided.plan, written, words=number.words, unheld=unheld)
        if written.conflicts:
            self._reader.note_in_the_way(case, written.live)
            passing = all(conflict.passing for conflict in written.conflicts)
            return Passed("conflict", After.TIME if passing else After.LUCK, conditions)
        if written.trouble is not None:
            return Passed("refused by the API server", After.LUCK, conditions)
        return Passed("changed" if written.changed else "unchanged", After.NOTHING, conditions)

    async def _say(
        self,
        case: Case,
        outcome: Plan | Refusal,
        written: Written,
        *,
        words: Scaling,
        unheld: Trouble | None = None,
    ) -> Conditions:
        trouble = self.cluster.trouble(case.owner.uid) or unheld
        return await self._voice.say(case, outcome, written=written, trouble=trouble, scaling=words, now=self.now())

    async def _write(self, case: Case, spec: InferenceServiceSpec, decided: Record, *, number: Number) -> Written:
        if case.left_right and decided is case.running:
            asked_for = case.deployment is not None and replicas_in(case.deployment) == number.replicas
            if asked_for and self._place.is_right(case, spec, wanted=number.wanted):
                return Written(case.live)
            case = await self._reader.whole(case)
        desired = self._desired(case, spec, decided, replicas=number.replicas, wanted=number.wanted)
        written = await write_children(self.kube, self.store, case.owner, desired=desired, live=case.live)
        if written.unhindered:
            self._reader.note_right(case, written.live)
            self._place.note_right(case, spec, wanted=number.wanted)
        return written

    def _desired(
        self, case: Case, spec: InferenceServiceSpec, decided: Record, *, replicas: int, wanted: int
    ) -> tuple[Object, ...]:
        owner, plan, profile = case.owner, decided.plan, self.configuration.profile(case.owner.namespace)
        pull_policy = self.configuration.images.pull_policy
        template = pod_template(owner, spec, plan, profile=profile, pull_policy=pull_policy)
        facts = self._facts(profile)
        rollout = rollout_for(
            case.deployment,
            template,
            decide=lambda: decide_rollout(spec, profile, plan, cluster=facts, replicas=replicas),
        )
        objects = render(
            owner,
            spec,
            plan,
            profile=profile,
            rollout=rollout,
            record=dump(decided),
            pull_policy=pull_policy,
            replicas=replicas,
        )
        return (*objects, *self._place.wanted_objects(case, spec, plan, wanted=wanted))
