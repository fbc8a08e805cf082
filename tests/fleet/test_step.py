"""How soon a load step that the replicas' pages show is answered with replicas, and where the time goes."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import datetime

import pytest

from npuserve.autoscale.decision import LOOP
from npuserve.render.names import child_name
from tests.support.fleet import Fleet, followed, settle
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World

SERVING = 3
USED = 0.6
"""Of what the replicas carry, before the step."""
TRIED = 4.0
"""Requests a second by which is found how many they carry."""
SCALING = {"minReplicas": SERVING, "maxReplicas": 8, "scaleDown": {"holdSeconds": 5, "pauseSeconds": 5}}


@dataclass(frozen=True, slots=True)
class Account:
    """Seconds after the step."""

    first_look: float
    """Pages that show the step were asked for."""
    last_look: float
    """The same of the look that led to the write."""
    written: float
    """The Deployment's new number reached the API server."""

    def __str__(self) -> str:
        means = self.last_look - self.first_look
        return (
            f"{self.written:.1f} s: {self.first_look:.1f} until the next look, {means:.1f} of looks until the means tell "
            f"({means / LOOP:.0f} more), {self.written - self.last_look:.2f} from the pages to the write"
        )


@pytest.mark.parametrize("times", [2, 4])
def test_a_load_step_is_met_with_replicas(
    ground: World, tenant: Tenant, capsys: pytest.CaptureFixture[str], times: int
) -> None:
    with followed(ground, tenant, "chat", rate=TRIED, replicas=SERVING, autoscaling=SCALING) as fleet:
        fleet.load.rate = USED * SERVING * TRIED / need(fleet)
        before = settle(fleet)
        position, began = ground.site.position(), time.monotonic()
        fleet.load.rate *= times
        fleet.wait_for_replicas(before + 1, 8)
        found = account(fleet, position, began)
        fleet.wait_for_endpoints(before + 1)
        with capsys.disabled():
            print(f"\n  {USED:.0%} to {USED * times:.0%} of what {before} carry: {found} ", end="")
        assert found.first_look <= found.last_look <= found.written
        assert not fleet.load.refused


def need(fleet: Fleet) -> float:
    """Replicas that the load keeps busy, as the operator sees it: the middle of what it says for a while."""
    seen: list[float] = []

    def enough() -> float | NotYet:
        if (now := fleet.measured("need_replicas")) > 0 and now not in seen:
            seen.append(now)
        return statistics.median(seen[-4:]) if len(seen) >= 6 else NotYet(f"needs {seen}")

    return until(enough, within=120, every=1.0)


def account(fleet: Fleet, position: int, began: float) -> Account:
    """Where the time went from the step at `began` (monotonic) to the first write of the Deployment after it."""
    world, offset = fleet.world, time.time() - time.monotonic()
    written = next(
        datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp() - offset
        for event in world.site.events(position)
        if event["verb"] == "patch"
        and event.get("objectRef", {}).get("resource") == "deployments"
        and event["objectRef"].get("name") == child_name(fleet.name)
    )
    addresses = set(fleet.addresses())
    asked = world.background.call(
        lambda: [one.at for one in world.engines.asked if one.path == "/metrics" and one.address in addresses]
    )
    looks = sorted(at for at in asked if began <= at <= written)
    return Account(looks[0] - began, looks[-1] - began, written - began)
