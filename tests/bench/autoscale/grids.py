"""What each peer may be set to: it is scored with the best of these for each trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.replay.behaviour import Behaviour
from npuserve.autoscale.replay.beside import Hpa, Static
from npuserve.autoscale.replay.capacity import batch_at
from npuserve.autoscale.replay.fleet import Row, Rule
from tests.bench.autoscale.engines import QWEN3_32B
from tests.bench.autoscale.oracle import Oracle, needs
from tests.bench.autoscale.peers import Dynamo, Knative, Kthena, KubeAi, Wva

LEAST, MOST = 1, 32
OBJECTIVES = Objectives()

ORACLE = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
DYNAMO = (0.65, 0.7, 0.725, 0.75, 0.775, 0.8, 0.825, 0.85, 0.9)
KEDA = (8, 12, 16, 20, 24, 28, 32)
ACTIVE = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
AVERAGED = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
STATIC = tuple(range(2, 25))
WVA_WINDOWS = (0.0, 240.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """One peer with one setting."""

    family: str
    value: float
    make: Callable[[], Rule]
    initial: int | None = None
    """Replicas at the start; None: what the first ten minutes need."""


def settings(trace: Sequence[Row], cold_start: float) -> Iterator[Setting]:
    """Every peer with every setting of its grid, for one trace."""
    count = len(trace)
    mean = sum(row[1] for row in trace) / count, sum(row[2] for row in trace) / count
    batch = batch_at(QWEN3_32B, *mean, limit=OBJECTIVES.step)
    known = needs(trace, QWEN3_32B, OBJECTIVES)
    for margin in ORACLE:
        yield Setting("oracle", margin, lambda x=margin: Oracle(known, cold_start, x, LEAST, MOST))
    for share in DYNAMO:
        yield Setting("Dynamo throughput", share, lambda x=share: Dynamo(QWEN3_32B, OBJECTIVES.step * x, LEAST, MOST))
    for target in KEDA:
        yield Setting("KEDA (llm-d)", target, lambda x=target: Hpa(x, LEAST, MOST, _slow_both_ways(), "running"))
    for share in ACTIVE:
        yield Setting("HPA (expert)", share, lambda x=share: Hpa(batch * x, LEAST, MOST, _slow_down()))
        yield Setting("HPA (default)", share, lambda x=share: Hpa(batch * x, LEAST, MOST))
        yield Setting("Kthena", share, lambda x=share: Kthena(batch * x, LEAST, MOST))
    for share in AVERAGED:
        yield Setting("KubeAI", share, lambda x=share: KubeAi(batch * x, LEAST, MOST))
        yield Setting("Knative", share, lambda x=share: Knative(batch * x, LEAST, MOST))
    for window in WVA_WINDOWS:
        yield Setting("WVA v2", window, lambda x=window: Wva(QWEN3_32B, LEAST, MOST, x))
    for size in STATIC:
        yield Setting("static", size, lambda x=size: Static(x), size)


def _slow_both_ways() -> Behaviour:
    return Behaviour(up_percent=0, up_pods=1, up_period=180, down_pods=1, down_period=300)


def _slow_down() -> Behaviour:
    return Behaviour(down_pods=1, down_period=300)
