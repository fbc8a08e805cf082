"""How a pass says what it found: the status, when it says something new, and an event per transition."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from npuserve.controller.announce import announce
from npuserve.controller.answers import ApiError
from npuserve.controller.case import Case, own_deployment
from npuserve.controller.children import Written
from npuserve.controller.definition import Definition
from npuserve.controller.kube import Kube
from npuserve.controller.resources import SERVICE
from npuserve.controller.store import Store
from npuserve.plan.plan import Plan, Refusal
from npuserve.reconcile.autoscaling import Scaling
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.report import Report, report, same_status
from npuserve.reconcile.state import roll_state

Conditions = tuple[tuple[str, str], ...]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    """Says things about services; `identity` signs events."""

    kube: Kube
    store: Store
    identity: str
    definition: Definition = field(default_factory=Definition)

    async def say(
        self,
        case: Case,
        outcome: Plan | Refusal,
        *,
        written: Written,
        trouble: Trouble | None,
        scaling: Scaling,
        now: datetime,
    ) -> Conditions:
        """Write what is new; what is true of the service as (type, status) pairs."""
        deployment = own_deployment(case.owner, written.live)
        said = report(
            case.body,
            outcome,
            running=case.running,
            deployment=None if deployment is None else roll_state(deployment),
            conflicts=written.conflicts,
            trouble=written.trouble or trouble,
            scaling=scaling,
            now=now,
        )
        new = not same_status(case.body.get("status") or {}, self.definition.fit(said.status))
        _log(case, said, written, new=new)
        events = [announce(self.kube, case.body, event, identity=self.identity, now=now) for event in said.events]
        await asyncio.gather(*events, *([self._write(case, said.status)] if new else []))
        return tuple((condition["type"], condition["status"]) for condition in said.status["conditions"])

    async def _write(self, case: Case, status: Mapping[str, Any]) -> None:
        """Apply the status to exactly this service; when that is gone, so is what there was to say."""
        metadata = {"name": case.owner.name, "namespace": case.owner.namespace, "uid": case.owner.uid}
        told = self.definition.fit(status)
        body = {"apiVersion": SERVICE.api_version, "kind": SERVICE.kind, "metadata": metadata, "status": told}
        try:
            answer = await self.kube.apply(SERVICE, body, force=True, subresource="status")
        except ApiError as error:
            if self.definition.learn(error):
                return await self._write(case, status)
            if error.code != 404:
                raise
            self.store.record_service_gone(case.key)
        else:
            self.store.record_status(case.body, answer, key=case.key)


def _log(case: Case, said: Report, written: Written, *, new: bool) -> None:
    """One line for a pass that wrote something."""
    wrote = [*written.changed, *(["status"] if new else []), *(f"event {event.reason}" for event in said.events)]
    if not wrote:
        return
    ready = next(condition["reason"] for condition in said.status["conditions"] if condition["type"] == "Ready")
    generation = case.body["metadata"].get("generation")
    logger.info("wrote", extra={"service": case.key, "generation": generation, "reason": ready, "wrote": wrote})
