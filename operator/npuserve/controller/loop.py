"""One pass over one service: look, decide, write what differs, say so.

    store ──► parse ──► describe ──► resolve ──► render ──► write ──► report ──► status, events
                 └──────────┴───────────┴─ refused: nothing is written but the status ─┘

Rule: a pass asks the store and never an event, so it can be repeated, interrupted and begun again at any point. A spec that cannot be planned leaves what
runs untouched. Nothing is written that is there already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol

from npuserve.api.conditions import Reason
from npuserve.api.parse import InvalidSpec, parse
from npuserve.api.resource import InferenceService
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration, Profile
from npuserve.controller.announce import announce
from npuserve.controller.children import Written, write_children
from npuserve.controller.hardware import declared
from npuserve.controller.kube import ApiError, Kube, Object
from npuserve.controller.resources import CHILDREN, CONFIG_MAPS, DEPLOYMENTS, SERVICE, of_kind, of_plural
from npuserve.controller.store import Reference, Seen, Store
from npuserve.plan.description import Description, describe, known
from npuserve.plan.hardware import pools
from npuserve.plan.plan import Plan, Record, Refusal, Rollout
from npuserve.plan.record import dump, load
from npuserve.plan.rollout import choose_rollout
from npuserve.plan.service import Service
from npuserve.plan.source import catalogue_path
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.ownership import Ownership, ownership
from npuserve.reconcile.report import Report, report, same_status
from npuserve.reconcile.rollout import kept_rollout
from npuserve.reconcile.state import roll_state
from npuserve.render import labels
from npuserve.render.names import child_name
from npuserve.render.objects import render
from npuserve.render.owner import Owner
from npuserve.render.pod import pod_template

LOOK_AGAIN_SECONDS = 30.0
"""For what no watch tells: the ConfigMap that describes a model."""

logger = logging.getLogger(__name__)


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
    """What a pass waits for."""

    NOTHING = "the next news"
    TABLE = "nodes or free devices to change"
    TIME = "something that no watch tells"
    LUCK = "what the API server or someone else has to change"


@dataclass(frozen=True, slots=True)
class Passed:
    """How a pass ended: a word for the metrics, what the service waits for, and what is true of it."""

    result: str
    after: After = After.NOTHING
    conditions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """What a pass is about, as it was read at its beginning."""

    key: str
    body: Object
    owner: Owner
    live: tuple[Object, ...]

    @property
    def deployment(self) -> Object | None:
        return _deployment(self.owner, self.live)

    @property
    def running(self) -> Record | None:
        """The plan beside the live Deployment."""
        text = ((self.deployment or {}).get("metadata", {}).get("annotations") or {}).get(labels.PLAN)
        return load(text) if text else None


@dataclass(slots=True)
class Reconciler:
    """Does passes. `identity` signs events."""

    kube: Kube
    store: Store
    cluster: Cluster
    configuration: Configuration
    resolve: Resolve
    identity: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _in_the_way: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    """Objects of others under names of ours, by service: no watch shows them, so they are read."""

    async def reconcile(self, key: str) -> Passed:
        """One pass; raises ApiError, Unreachable and Moved where a later one may succeed."""
        body = await self._service(key)
        if body is None or body["metadata"].get("deletionTimestamp"):
            self._in_the_way.pop(key, None)
            return Passed("gone")
        metadata = body["metadata"]
        owner = Owner(metadata["name"], metadata["namespace"], metadata["uid"])
        case = _Case(key, body, owner, await self._live(key, owner))
        service = parse(body)
        if isinstance(service, InvalidSpec):
            return await self._refused(case, Refusal(Reason.INVALID_SPEC, service.field, service.message), After.NOTHING)
        return await self._plan(case, service)

    async def _service(self, key: str) -> Object | None:
        """The service as it is; None when it is gone."""
        seen = self.store.service(key)
        if seen is None:
            return None
        return seen.read() or await self.kube.get(SERVICE, seen.reference.namespace, name=seen.reference.name)

    async def _child(self, seen: Seen) -> Object | None:
        """A child as it is, with its kind, which items of a list come without."""
        resource = of_plural(seen.reference.plural)
        body = seen.read() or await self.kube.get(resource, seen.reference.namespace, name=seen.reference.name)
        return None if body is None else {"kind": resource.kind, **body}

    async def _live(self, key: str, owner: Owner) -> tuple[Object, ...]:
        """The children as they are, with what has their names without being among them."""
        seen = {item.reference: item for item in self.store.children(key)}
        for resource in CHILDREN:
            reference = Reference(resource.plural, owner.namespace, child_name(owner.name))
            unclaimed = self.store.find(reference)
            if unclaimed is not None:
                seen[reference] = unclaimed
        found = [await self._child(item) for item in seen.values()]
        for reference in self._in_the_way.pop(key, ()):
            if reference not in seen:
                resource = of_plural(reference.plural)
                body = await self.kube.get(resource, reference.namespace, name=reference.name)
                found.append(None if body is None else {"kind": resource.kind, **body})
        return tuple(item for item in found if item is not None)

    async def _plan(self, case: _Case, service: InferenceService) -> Passed:
        profile = self.configuration.profile(case.owner.namespace)
        description = await self._describe(service)
        if isinstance(description, Refusal):
            return await self._refused(case, description, After.TIME)
        asked = Service(
            name=case.owner.name,
            namespace=case.owner.namespace,
            replan=service.metadata.annotations.get(labels.REPLAN, ""),
            spec=service.spec,
            model=description.facts,
            profile=profile,
            model_digest=description.digest,
        )
        cluster = self._cluster(profile)
        decided = self.resolve(asked, cluster, self.configuration, previous=case.running)
        if isinstance(decided, Refusal):
            return await self._refused(case, decided, After.TABLE)
        return await self._carry_out(case, service, decided, cluster=cluster)

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

    def _cluster(self, profile: Profile) -> ClusterFacts:
        facts = self.cluster.facts()
        return facts if facts.known or facts.nodes else declared(profile.hardware, self.configuration.flavour)

    async def _refused(self, case: _Case, refusal: Refusal, after: After) -> Passed:
        """What runs stays as it is; the status says why the spec does not."""
        conditions = await self._say(case, refusal, written=Written(case.live))
        return Passed("refused", after, conditions)

    async def _carry_out(self, case: _Case, service: InferenceService, decided: Record, *, cluster: ClusterFacts) -> Passed:
        desired = self._desired(case, service, decided, cluster=cluster)
        written = await write_children(self.kube, self.store, case.owner, desired=desired, live=case.live)
        conditions = await self._say(case, decided.plan, written=written)
        if written.conflicts:
            self._in_the_way[case.key] = tuple(_foreign(case.owner, written.live))
            passing = all(conflict.passing for conflict in written.conflicts)
            return Passed("conflict", After.TIME if passing else After.LUCK, conditions)
        if written.trouble is not None:
            return Passed("refused by the API server", After.LUCK, conditions)
        return Passed("changed" if written.changed else "unchanged", After.NOTHING, conditions)

    def _desired(self, case: _Case, service: InferenceService, decided: Record, *, cluster: ClusterFacts) -> tuple[Object, ...]:
        profile, pull_policy = self.configuration.profile(case.owner.namespace), self.configuration.images.pull_policy
        template = pod_template(case.owner, service.spec, decided.plan, profile=profile, pull_policy=pull_policy)
        rollout = kept_rollout(case.deployment, template) or _new_rollout(service, decided.plan, cluster)
        return render(
            case.owner, service.spec, decided.plan, profile=profile, rollout=rollout, record=dump(decided), pull_policy=pull_policy
        )

    async def _say(self, case: _Case, outcome: Plan | Refusal, *, written: Written) -> tuple[tuple[str, str], ...]:
        """Write the status if it says something new, and post what happened."""
        deployment = _deployment(case.owner, written.live)
        said = report(
            case.body,
            outcome,
            running=case.running,
            deployment=None if deployment is None else roll_state(deployment),
            conflicts=written.conflicts,
            trouble=written.trouble or self.cluster.trouble(case.owner.uid),
            now=self.now(),
        )
        new = not same_status(case.body.get("status") or {}, said.status)
        if new or written.changed or said.events:
            _log(case, said, written, wrote_status=new)
        posts = [announce(self.kube, case.body, event, identity=self.identity, now=self.now()) for event in said.events]
        await asyncio.gather(*posts, *([self._write_status(case, said)] if new else []))
        return tuple((condition["type"], condition["status"]) for condition in said.status["conditions"])

    async def _write_status(self, case: _Case, said: Report) -> None:
        """Apply the status to exactly this service; nothing happens when it is gone."""
        metadata = {"name": case.owner.name, "namespace": case.owner.namespace, "uid": case.owner.uid}
        body = {"apiVersion": SERVICE.api_version, "kind": SERVICE.kind, "metadata": metadata, "status": said.status}
        try:
            answer = await self.kube.apply(SERVICE, body, force=True, subresource="status")
        except ApiError as error:
            if error.code != 404:
                raise
            self.store.record_gone(Reference(SERVICE.plural, case.owner.namespace, case.owner.name), key=case.key)
            return
        self.store.record(SERVICE, answer, key=case.key)


def _new_rollout(service: InferenceService, plan: Plan, cluster: ClusterFacts) -> Rollout:
    """The way of replacing replicas by the devices that are free now."""
    found = pools(service.spec.hardware, service.spec.template, cluster)
    nodes = () if isinstance(found, Refusal) else next(
        (pool.nodes for pool in found if (pool.product.id, pool.resource) == (plan.product, plan.resource_name)), ()
    )  # fmt: skip
    return choose_rollout(service.spec.replicas, cluster.room(nodes, devices=plan.devices) if cluster.known else None)


def _deployment(owner: Owner, live: Sequence[Object]) -> Object | None:
    """The service's own Deployment."""
    return next((item for item in live if item["kind"] == DEPLOYMENTS.kind and ownership(owner, item) is Ownership.OURS), None)


def _foreign(owner: Owner, live: Sequence[Object]) -> Iterator[Reference]:
    for item in live:
        if ownership(owner, item) is Ownership.FOREIGN:
            yield Reference(of_kind(item["kind"]).plural, owner.namespace, item["metadata"]["name"])


def _log(case: _Case, said: Report, written: Written, *, wrote_status: bool) -> None:
    ready = next(item for item in said.status["conditions"] if item["type"] == "Ready")
    wrote = [*written.changed, *(["status"] if wrote_status else []), *(f"event {event.reason}" for event in said.events)]
    logger.info(
        "wrote",
        extra={
            "service": case.key,
            "generation": case.body["metadata"].get("generation"),
            "reason": ready["reason"],
            "wrote": wrote,
        },
    )
