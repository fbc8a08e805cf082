"""npuserve where something is wrong: the engine model, the metrics, the room, a replica, the time a start takes."""

from __future__ import annotations

from collections.abc import Sequence

from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.compare import initial_replicas
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.replay.score import WINDOW, Tally
from npuserve.autoscale.replay.shipped import Shipped
from npuserve.autoscale.settings import Settings
from tests.bench.autoscale.engines import QWEN3_32B
from tests.bench.autoscale.grids import LEAST, MOST, OBJECTIVES

THIRD_HOUR = int(2 * 3600 // WINDOW)
PEAK = 12 * 3600.0

HARDSHIPS: dict[str, tuple[EngineProfile, Conditions]] = {
    "as it is": (QWEN3_32B, Conditions()),
    "engine thought 25 % slower": (QWEN3_32B.scaled(1.25), Conditions()),
    "engine thought 25 % faster": (QWEN3_32B.scaled(0.75), Conditions()),
    "no metrics for 15 min": (QWEN3_32B, Conditions(unseen=lambda now: PEAK <= now < PEAK + 900)),
    "room for 6 replicas": (QWEN3_32B, Conditions(quota=lambda _: 6)),
    "third replica 3 x slower": (QWEN3_32B, Conditions(slow=lambda number: 3.0 if number == 2 else 1.0)),
    "starts of 60 s": (QWEN3_32B, Conditions(cold_start=60.0)),
    "starts of 420 s": (QWEN3_32B, Conditions(cold_start=420.0)),
}


def npuserve(trace: Sequence[Row], believed: EngineProfile, conditions: Conditions) -> Tally:
    """The shipped decision with its one default setting, believing in `believed`."""
    right = Settings(QWEN3_32B, LEAST, MOST, objectives=OBJECTIVES)
    rule = Shipped(Settings(believed, LEAST, MOST, objectives=OBJECTIVES), cold_start=conditions.cold_start)
    return replay(
        trace,
        rule,
        profile=QWEN3_32B,
        objectives=OBJECTIVES,
        initial=initial_replicas(trace, right),
        conditions=conditions,
    )


def later(tally: Tally) -> float:
    """Attainment from the third hour on."""
    asked, met = sum(tally.asked[THIRD_HOUR:]), sum(tally.met[THIRD_HOUR:])
    return met / asked if asked else 1.0
