"""A service under a load that stays the same, with the noise that natural requests have, costs next to no write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from npuserve.autoscale.load import LoadSample
from npuserve.autoscale.memory import Memory, digest
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.settings import Room, Settings
from npuserve.autoscale.worth import worth_writing
from npuserve.controller.memories import WRITE_SECONDS
from npuserve.reconcile.sample import fleet
from npuserve.reconcile.step import Asked, Read, Seen, State, step
from tests.support.fleets import BEGAN, a_pod_of, starting

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)
COLD_START = 60.0
SETTLED, HOUR = 1200.0, 3600.0
RATES = (0.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 7.5)
"""Requests a second; some of them lie at the edge of two numbers."""
ALONE = Asked("active", Settings(PROFILE, most=12), (), charge="load", grace=120.0, starts=None)
OBSERVED = replace(ALONE, mode="observe", charge="spec")


@dataclass(slots=True)
class Service:
    """A rule of a replay that goes by the operator's own steps, and notes what each would write after `SETTLED`."""

    asked: Asked
    room: Room
    state: State
    numbers: int = 0
    words: int = 0
    digests: int = 0
    every: float = 5.0
    kept: str = ""
    looked: float = field(default=-WRITE_SECONDS)

    def wanted(self, sample: LoadSample) -> int:
        before, after = self.state, step(self.state, _seen(sample), self.asked, room=self.room, now=BEGAN + sample.time)
        if sample.time > SETTLED and before.told is not None and after.told is not None:
            number = before.told.status["replicas"] != after.told.status["replicas"]
            self.numbers += number and self.asked.in_charge
            self.words += before.told.status is not after.told.status and not (number and self.asked.in_charge)
        self.state = after
        self._keep(sample.time)
        return after.ordered

    def _keep(self, now: float) -> None:
        if now - self.looked >= WRITE_SECONDS:
            text, self.looked = digest(self.state.memory), now
            if worth_writing(self.kept, text):
                self.kept = text
                self.digests += now > SETTLED


def _seen(sample: LoadSample) -> Seen:
    pods = [a_pod_of(f"serves-{number}") for number in range(len(sample.replicas))]
    loads = {pod.uid: load for pod, load in zip(pods, sample.replicas, strict=True)}
    pods += [starting(f"starts-{number}") for number in range(sample.starting)]
    return Seen(fleet(pods), Read(loads, sample.traffic))


def requests(rate: float) -> Iterator[Row]:
    """Poisson arrivals of prompts and answers of all lengths."""
    draw, at = Random(f"{rate}"), 0.0
    while at < SETTLED + HOUR:
        at += draw.expovariate(rate)
        yield at, max(16, int(draw.lognormvariate(6.2, 0.6))), max(1, min(2000, int(draw.lognormvariate(5, 0.7))))


def an_hour(rate: float, asked: Asked, room: int) -> Service:
    began = int(rate / 2) + 1
    state = State(Memory(cold_start=COLD_START), ordered=min(began, room), began=BEGAN + 1e6)
    service = Service(asked, Room(room, "8 devices"), state)
    replay(
        requests(rate),
        service,
        profile=PROFILE,
        objectives=Objectives(),
        initial=state.ordered,
        conditions=Conditions(cold_start=COLD_START),
    )
    return service


@pytest.mark.parametrize(
    ("asked", "room"), [(ALONE, 50), (ALONE, 2), (OBSERVED, 50)], ids=["followed", "limited", "observed"]
)
def test_noise_costs_next_to_no_write(asked: Asked, room: int) -> None:
    hours = [an_hour(rate, asked, room) for rate in RATES]
    assert sum(hour.words for hour in hours) <= len(RATES)
    assert max(hour.words for hour in hours) <= 4
    assert sum(hour.digests for hour in hours) <= 3 * len(RATES)
