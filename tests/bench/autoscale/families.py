"""What each peer may be set to: one knob per family, from its leanest setting to its most generous.

Shares are of the batch that one replica carries within the limit for the mean lengths of the trace (`batch_at`): the
unit in which an expert who has measured the engine sets a target. Every other number is the peer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from npuserve.autoscale.replay.behaviour import Behaviour
from npuserve.autoscale.replay.beside import Hpa, Static
from npuserve.autoscale.replay.capacity import batch_at
from npuserve.autoscale.replay.fleet import Row, Rule
from tests.bench.autoscale.engines import LEAST, MOST, OBJECTIVES, QWEN3_32B
from tests.bench.autoscale.oracle import Oracle, needs
from tests.bench.autoscale.peers import Dynamo, Knative, Kthena, KubeAi, Wva

ORACLE = "oracle"
ORACLES = {ORACLE: None, "oracle (keeps 30 min)": 1800.0, "oracle (keeps all day)": 86_400.0}
"""Seconds for which each keeps replicas that will be wanted again; None: one cold start. The oracle is the best of them."""
STATIC = "static"
FAMILIES = (
    *ORACLES, "Dynamo throughput", "KEDA (llm-d)", "HPA (expert)", "HPA (default)", "Kthena", "KubeAI", "Knative", "WVA v2",
    "WVA v2 (240 s)", STATIC,
)  # fmt: skip
PEERS = FAMILIES[len(ORACLES) :]
"""All but the oracles, which nobody can run."""


@dataclass(frozen=True, slots=True)
class Knob:
    """The one setting that a family is tuned by."""

    family: str
    make: Callable[[float], Rule]
    lean: float
    generous: float
    whole: bool = False
    """Whether only whole numbers can be set."""
    fixed: bool = False
    """Whether the value is the number of replicas from the first second on."""


def knobs(trace: Sequence[Row], cold_start: float) -> dict[str, Knob]:
    """Every family's knob for one trace, by name; cold start in seconds."""
    count = len(trace)
    mean = sum(row[1] for row in trace) / count, sum(row[2] for row in trace) / count
    batch = batch_at(QWEN3_32B, *mean, limit=OBJECTIVES.step)

    @cache
    def known() -> list[float]:
        return needs(trace, QWEN3_32B, OBJECTIVES)

    def hpa(behaviour: Callable[[], Behaviour]) -> Callable[[float], Rule]:
        return lambda share: Hpa(batch * share, LEAST, MOST, behaviour())

    def oracle(kept: float) -> Callable[[float], Rule]:
        return lambda margin: Oracle(known(), cold_start, margin, LEAST, MOST, kept)

    found = (
        *(Knob(name, oracle(kept or cold_start), -1.5, 4.0) for name, kept in ORACLES.items()),
        Knob("Dynamo throughput", lambda x: Dynamo(QWEN3_32B, OBJECTIVES.step * x, LEAST, MOST), 0.95, 0.57),
        Knob("KEDA (llm-d)", lambda x: Hpa(x, LEAST, MOST, _both_ways(cold_start), "running"), 48, 4),
        Knob("HPA (expert)", hpa(_slow_down), 0.9, 0.1),
        Knob("HPA (default)", hpa(Behaviour), 0.9, 0.1),
        Knob("Kthena", lambda share: Kthena(batch * share, LEAST, MOST), 0.9, 0.1),
        Knob("KubeAI", lambda share: KubeAi(batch * share, LEAST, MOST), 0.7, 0.05),
        Knob("Knative", lambda share: Knative(batch * share, LEAST, MOST), 0.7, 0.05),
        Knob("WVA v2", lambda full: Wva(QWEN3_32B, LEAST, MOST, 0.0, full), 0.95, 0.1),
        Knob("WVA v2 (240 s)", lambda full: Wva(QWEN3_32B, LEAST, MOST, 240.0, full), 0.95, 0.1),
        Knob(STATIC, lambda size: Static(int(size)), LEAST, MOST, whole=True, fixed=True),
    )
    return {knob.family: knob for knob in found}


def _both_ways(cold_start: float) -> Behaviour:
    # The guide sets the period of growth to the time that a start takes.
    return Behaviour(up_percent=0, up_pods=1, up_period=cold_start, down_pods=1, down_period=300)


def _slow_down() -> Behaviour:
    return Behaviour(down_pods=1, down_period=300)
