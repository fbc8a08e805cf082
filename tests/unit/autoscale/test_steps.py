"""How soon a sudden rise is answered, with requests that come at random."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from npuserve.autoscale.objectives import USUAL
from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.replay.shipped import Shipped
from npuserve.autoscale.settings import Settings

PROFILE = EngineProfile(54.5, 0.278, 9.75e-5, 0.18, 25.0, 587_000)
SETTINGS = Settings(PROFILE, least=1, most=60)
START = 60.0
RISE, END = 2400.0, 2700.0
FIRST_PAGE = RISE + 5
"""The first one that shows the rise."""


def requests(*, before: float, after: float, output: int, seed: int) -> Iterator[Row]:
    """Requests a second until and from the rise, each by itself, with lengths that vary by factors."""
    random, at = Random(seed), 0.0
    while at < END:
        at += random.expovariate(before if at < RISE else after)
        prompt, answer = random.lognormvariate(6.2, 0.6), output * random.lognormvariate(0, 0.6)
        yield at, max(16, int(prompt)), max(1, int(answer))


@pytest.mark.parametrize("replicas", [3, 8])
@pytest.mark.parametrize(("output", "per_replica"), [(55, 5.0), (150, 2.6), (365, 1.05)])
def test_twice_the_load_is_ordered_within_15_s_of_the_first_page_that_shows_it(
    output: int, per_replica: float, replicas: int
) -> None:
    carried = per_replica * replicas
    trace = list(requests(before=0.65 * carried, after=1.3 * carried, output=output, seed=replicas))
    rule = Shipped(SETTINGS, cold_start=START)
    tally = replay(
        trace, rule, profile=PROFILE, objectives=USUAL, initial=replicas, conditions=Conditions(cold_start=START)
    )
    orders = [at for at, from_, to in tally.changes if at > RISE and to > from_]
    assert orders[0] <= FIRST_PAGE + 15
