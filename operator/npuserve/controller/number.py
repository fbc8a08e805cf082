"""What a pass and the autoscaler tell each other: how many replicas to render and what to say of them, and what there is
to scale.

Rule: a pass that left everything as it should be has the service followed; one whose spec is refused has it rest, for
what runs stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npuserve.api.resource import InferenceService
from npuserve.api.spec import InferenceServiceSpec
from npuserve.autoscale.wish import settings_of
from npuserve.configuration import Configuration
from npuserve.controller.case import Case
from npuserve.controller.rivals import Rivals
from npuserve.controller.scaling import Followed
from npuserve.controller.scaling import Scaling as Scaler
from npuserve.models.facts import ModelFacts
from npuserve.plan.autoscaling import least_of
from npuserve.plan.plan import Plan
from npuserve.plan.speed import estimated_profile
from npuserve.reconcile.autoscaling import Scaling
from npuserve.reconcile.replicas import replicas_for
from npuserve.reconcile.rivals import Rival
from npuserve.reconcile.step import Asked


@dataclass(frozen=True, slots=True)
class Number:
    """Replicas to render, and how they are decided, for the status."""

    replicas: int
    words: Scaling


@dataclass(frozen=True, slots=True)
class Numbers:
    """Between passes and the autoscaler; without one, the spec's number counts."""

    configuration: Configuration
    scaler: Scaler | None = None
    rivals: Rivals | None = None

    def of(self, case: Case, spec: InferenceServiceSpec) -> Number:
        """The number for a service that could be planned."""
        rival = self._rival(case)
        decided = None if self.scaler is None else self.scaler.number(case.key, case.owner.uid)
        return Number(replicas_for(spec, case.deployment, decided=decided, rival=rival), self._words(case, spec, rival))

    def settled(
        self, case: Case, spec: InferenceServiceSpec, plan: Plan, *, model: ModelFacts | None, number: Number
    ) -> None:
        """The objects are as they should be: have the service followed if it is to be scaled."""
        if self.scaler is None:
            return
        asked = self._asked(spec, plan, model=model, rival=number.words.rival)
        if asked is None:
            self.scaler.forget(case.key)
            return
        self.scaler.follow(
            Followed(
                key=case.key,
                owner=case.owner,
                asked=asked,
                plan=plan,
                priority_class=spec.template.priority_class_name,
                live=number.replicas,
                told=_told(case),
            )
        )

    def refused(self, case: Case, service: InferenceService | None) -> Scaling:
        """The spec is refused: have the service rest; what is said of its number as it was."""
        if self.scaler is not None:
            self.scaler.rest(case.key)
        if service is None:
            return Scaling(told=_told(case))
        return self._words(case, service.spec, self._rival(case))

    def gone(self, key: str) -> None:
        """The service is gone."""
        if self.scaler is not None:
            self.scaler.forget(key)

    def _asked(
        self, spec: InferenceServiceSpec, plan: Plan, *, model: ModelFacts | None, rival: Rival | None
    ) -> Asked | None:
        wish = spec.autoscaling
        profile = None if wish is None or model is None else estimated_profile(plan, model)
        if wish is None or profile is None:
            return None
        scaling = self.configuration.scaling
        return Asked(
            mode=wish.mode,
            settings=settings_of(wish, profile),
            schedule=wish.schedule,
            in_charge=wish.mode == "active" and (rival is None or rival.scales != "deployment"),
            grace=float(scaling.place_seconds),
            starts=scaling.starts_at_once,
        )

    def _words(self, case: Case, spec: InferenceServiceSpec, rival: Rival | None) -> Scaling:
        wish = spec.autoscaling
        if wish is None:
            return Scaling(rival=rival)
        told = None if self.scaler is None else self.scaler.told(case.key, case.owner.uid)
        return Scaling(wish.mode, least_of(wish), told or _told(case), rival)

    def _rival(self, case: Case) -> Rival | None:
        return None if self.rivals is None else self.rivals.of(case.owner.namespace, case.owner.name)


def _told(case: Case) -> dict[str, Any] | None:
    return (case.body.get("status") or {}).get("autoscaling")
