"""npuserve where something is wrong: the engine model, the metrics, the room, a replica, the time a start takes."""

from __future__ import annotations

from collections.abc import Sequence

from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.compare import initial_replicas
from npuserve.autoscale.replay.fleet import Conditions, Row, replay
from npuserve.autoscale.replay.score import Tally
from npuserve.autoscale.replay.shipped import Shipped
from npuserve.autoscale.settings import Settings
from tests.bench.autoscale.engines import COLD_START, LEAST, MOST, OBJECTIVES, QWEN3_32B

PEAK = 12 * 3600.0
AS_IT_IS = "as it is"
WRONG = ("engine thought 25 % slower", "engine thought 25 % faster")

HARDSHIPS: dict[str, tuple[EngineProfile, Conditions]] = {
    AS_IT_IS: (QWEN3_32B, Conditions(cold_start=COLD_START)),
    WRONG[0]: (QWEN3_32B.scaled(1.25), Conditions(cold_start=COLD_START)),
    WRONG[1]: (QWEN3_32B.scaled(0.75), Conditions(cold_start=COLD_START)),
    "no metrics for 15 min": (
        QWEN3_32B,
        Conditions(cold_start=COLD_START, unseen=lambda now: PEAK <= now < PEAK + 900),
    ),
    "room for 6 replicas": (QWEN3_32B, Conditions(cold_start=COLD_START, quota=lambda _: 6)),
    "third replica 3 x slower": (
        QWEN3_32B,
        Conditions(cold_start=COLD_START, slow=lambda number: 3.0 if number == 2 else 1.0),
    ),
}


def ours(believed: EngineProfile = QWEN3_32B, cold_start: float = COLD_START) -> Shipped:
    """The shipped decision with its one default setting, believing in `believed`."""
    return Shipped(Settings(believed, LEAST, MOST, objectives=OBJECTIVES), cold_start=cold_start)


def begin(trace: Sequence[Row]) -> int:
    """Replicas with which every rule starts into a trace."""
    return initial_replicas(trace, Settings(QWEN3_32B, LEAST, MOST, objectives=OBJECTIVES))


def npuserve(trace: Sequence[Row], believed: EngineProfile, conditions: Conditions) -> Tally:
    """The shipped decision on a trace."""
    return replay(
        trace,
        ours(believed, conditions.cold_start),
        profile=QWEN3_32B,
        objectives=OBJECTIVES,
        initial=begin(trace),
        conditions=conditions,
    )
