"""What a service claims of the devices: what runs, what was ordered, what is wanted."""

from __future__ import annotations

from dataclasses import replace

from npuserve.autoscale.memory import Memory
from npuserve.autoscale.placing import Placing
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.settings import Settings
from npuserve.plan.sharing import Claim
from npuserve.reconcile.claim import COMING_SECONDS, Claimant, claim_of
from npuserve.reconcile.sample import Fleet, fleet
from npuserve.reconcile.step import Asked, State
from tests.support.fleets import BEGAN, a_pod_of
from tests.support.plans import a_plan

SETTINGS = Settings(EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000), least=1, most=8)
ASKED = Asked("active", SETTINGS, (), charge="load", grace=120.0, starts=None)
CHAT = Claimant("ml/chat", "ml", a_plan(), "")
TWO = fleet((a_pod_of("one"), a_pod_of("two")))
ORDERED = State(Memory(), ordered=5, began=BEGAN)


def claim(state: State | None, seen: Fleet | None = TWO, *, asked: Asked = ASKED, now: float = BEGAN) -> Claim:
    return claim_of(CHAT, priority=0, asked=asked, seen=seen, state=state, now=now)


def test_what_was_ordered_counts_before_its_pods_exist() -> None:
    found = claim(ORDERED)
    assert (found.present, found.coming, found.wanted) == (5, 3, 5)


def test_an_order_whose_pods_do_not_come_leaves_what_is_free_to_others() -> None:
    late = replace(ORDERED, placing=Placing(placed=2, since=BEGAN))
    assert claim(late, now=BEGAN + COMING_SECONDS).coming == 3
    found = claim(late, now=BEGAN + COMING_SECONDS + 1)
    assert (found.present, found.coming, found.wanted) == (2, 0, 2)


def test_who_is_not_in_charge_claims_what_runs() -> None:
    found = claim(ORDERED, asked=replace(ASKED, charge="spec"))
    assert (found.present, found.coming, found.wanted) == (2, 0, 2)


def test_nothing_is_claimed_before_the_first_look() -> None:
    found = claim(None, None)
    assert (found.present, found.waiting, found.wanted) == (0, 0, 0)
