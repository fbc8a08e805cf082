"""The activator's place in the Service of one that may be without replicas: what a pass writes, keeps and says of it.

Rule: the place leads to the activator by what was seen when the pass began, so that what is written and what is
remembered are about the same moment. It is kept right while a spec is refused as well, because what runs goes on; where
the activator is not enabled any more, it leads nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from npuserve.api.spec import InferenceServiceSpec
from npuserve.configuration import Activator
from npuserve.controller.activation import Activation
from npuserve.controller.answers import Object
from npuserve.controller.case import Case
from npuserve.controller.resources import ENDPOINT_SLICES
from npuserve.plan.activation import holding_of, may_have_none
from npuserve.plan.plan import Plan
from npuserve.reconcile.activation import cannot_stand_in, stands_in
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.ownership import Ownership, ownership
from npuserve.render.activation import activation_slice, led_to


@dataclass(slots=True)
class Place:
    """The places of all services; `wanted` replicas are those that a service is to have in the end."""

    activation: Activation
    settings: Activator
    _leads: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """By the key of a service: its UID, and whether the place led to the activator when it was last found or made right."""

    def gone(self, key: str) -> None:
        """The service is gone."""
        self._leads.pop(key, None)

    def wanted_objects(self, case: Case, spec: InferenceServiceSpec, plan: Plan, *, wanted: int) -> tuple[Object, ...]:
        """The slice of a service that may be without replicas."""
        owner, around = case.owner, case.around
        if not may_have_none(spec):
            self.activation.give_up(owner.uid)
            self._leads.pop(case.key, None)
            return ()
        port, family = self.activation.port(owner.uid), around.family or _family_of(case)
        if port is None or not family:
            return ()
        holding = holding_of(spec, plan, self.settings)
        addresses = around.addresses if self._shall_lead(case, wanted) else ()
        return (activation_slice(owner, plan.backend, port=port, holding=holding, family=family, addresses=addresses),)

    def kept_objects(self, case: Case, *, wanted: int) -> tuple[Object, ...]:
        """The slice that is there, of a service whose spec is refused, as it should be now."""
        there = _own(case)
        if there is None:
            return ()
        addresses = case.around.addresses if self._shall_lead(case, wanted) else ()
        made = led_to(there, addresses)
        return () if made is None else (made,)

    def is_right(self, case: Case, spec: InferenceServiceSpec, *, wanted: int) -> bool:
        """Whether it leads where it should since it was last found or made right."""
        return not may_have_none(spec) or self._led(case) == self._shall_lead(case, wanted)

    def note_right(self, case: Case, spec: InferenceServiceSpec, *, wanted: int) -> None:
        """A pass has just found or made it right."""
        if may_have_none(spec):
            self._leads[case.key] = (case.owner.uid, self._shall_lead(case, wanted))

    def stands_in(self, case: Case, spec: InferenceServiceSpec) -> bool:
        """Whether requests find the activator once the last replica is gone; true where that is nobody's wish."""
        return not may_have_none(spec) or (bool(case.around.addresses) and bool(self._led(case)))

    def missing(self, case: Case, spec: InferenceServiceSpec, *, replicas: int) -> Trouble | None:
        """Why nobody holds requests to a service that has no replica and should have the activator."""
        if not may_have_none(spec) or replicas:
            return None
        return cannot_stand_in(found=bool(case.around.addresses), port=self.activation.port(case.owner.uid))

    def _led(self, case: Case) -> bool | None:
        uid, led = self._leads.get(case.key, ("", False))
        return led if uid == case.owner.uid else None

    def _shall_lead(self, case: Case, wanted: int) -> bool:
        return stands_in(answered=case.around.answered, wanted=wanted)


def _own(case: Case) -> Object | None:
    slices = (item for item in case.live if item["kind"] == ENDPOINT_SLICES.kind)
    return next((item for item in slices if ownership(case.owner, item) is Ownership.OURS), None)


def _family_of(case: Case) -> str:
    """The address family of the slice that is there, which never changes; empty where none is."""
    there = _own(case)
    return "" if there is None else str(there["addressType"])
