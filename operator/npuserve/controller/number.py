"""What a pass and the autoscaler tell each other: how many replicas to render and what to say of them, and what there is
to scale.

Rule: a pass that left everything as it should be has the service followed. One whose spec is refused changes nothing about
that: what runs is scaled as it was asked for before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from npuserve.api.autoscaling import Autoscaling
from npuserve.api.resource import InferenceService
from npuserve.api.spec import InferenceServiceSpec
from npuserve.autoscale.wish import settings_of
from npuserve.configuration import Configuration
from npuserve.controller.case import Case
from npuserve.controller.followed import Followed
from npuserve.controller.rivals import Rivals
from npuserve.controller.scaling import Scaling as Scaler
from npuserve.models.facts import ModelFacts
from npuserve.plan.autoscaling import least_of
from npuserve.plan.plan import Plan
from npuserve.plan.speed import estimated_profile
from npuserve.reconcile.autoscaling import Scaling
from npuserve.reconcile.replicas import replicas_for, replicas_in
from npuserve.reconcile.rivals import Rival
from npuserve.reconcile.step import Asked, Charge


@dataclass(frozen=True, slots=True)
class Number:
    """Replicas to render, how they are decided, for the status, and how many there are to be in the end."""

    replicas: int
    words: Scaling
    wanted: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """Between passes and the autoscaler; without one, the spec's number counts."""

    configuration: Configuration
    scaler: Scaler | None = None
    rivals: Rivals | None = None

    def of(self, case: Case, spec: InferenceServiceSpec) -> Number:
        """The number for a service that could be planned."""
        rival = self._rival(case)
        # Without an autoscaler nobody drains: the number of the spec counts at once.
        decided = spec.replicas if self.scaler is None else self.scaler.number(case.key, case.owner.uid)
        replicas = replicas_for(spec, case.deployment, decided=decided, rival=rival)
        wanted = None if self.scaler is None else self.scaler.wanted(case.key, case.owner.uid)
        return Number(replicas, self._words(case, spec, rival), replicas if wanted is None else wanted)

    def settled(
        self,
        case: Case,
        spec: InferenceServiceSpec,
        plan: Plan,
        *,
        model: ModelFacts | None,
        number: Number,
        stands_in: bool,
    ) -> None:
        """The objects are as they should be: have the service followed if it is to be scaled.

        `stands_in`: requests find someone once the last replica is gone.
        """
        if self.scaler is None:
            return
        leaving = self.scaler.leaves(case.owner.uid)
        asked = self._asked(spec, plan, model=model, rival=number.words.rival, leaving=leaving)
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
                wished=spec.replicas,
                told=_told(case),
                stands_in=stands_in,
                tidying=spec.autoscaling is None,
            )
        )

    def refused(self, case: Case) -> int | None:
        """The new number of a service whose spec is refused and whose replicas go on; None where it stays."""
        if self.scaler is None or case.deployment is None:
            return None
        live = replicas_in(case.deployment)
        decided = self.scaler.go_on(case.key, case.owner.uid, live=live)
        return None if decided == live else decided

    def words(self, case: Case, service: InferenceService | None) -> Scaling:
        """What is said of the number of a service whose spec is refused, as it was where it cannot be read."""
        if service is None:
            return Scaling(told=_told(case))
        return self._words(case, service.spec, self._rival(case))

    def gone(self, key: str) -> None:
        """The service is gone."""
        if self.scaler is not None:
            self.scaler.forget(key)

    def _asked(
        self, spec: InferenceServiceSpec, plan: Plan, *, model: ModelFacts | None, rival: Rival | None, leaving: bool
    ) -> Asked | None:
        wish = spec.autoscaling or (_TIDYING if leaving else None)
        profile = None if wish is None or model is None else estimated_profile(plan, model)
        if wish is None or profile is None:
            return None
        scaling = self.configuration.scaling
        return Asked(
            mode=wish.mode,
            settings=settings_of(wish, profile),
            schedule=wish.schedule,
            charge=_charge(wish, rival),
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


_TIDYING = Autoscaling(max_replicas=1000, mode="external")
"""Of a service that lost its autoscaling while replicas were leaving: they come back."""


def _charge(wish: Autoscaling, rival: Rival | None) -> Charge:
    if rival is not None and rival.scales == "deployment":
        return "another scaler"
    return "load" if wish.mode == "active" else "spec"


def _told(case: Case) -> dict[str, Any] | None:
    return (case.body.get("status") or {}).get("autoscaling")
