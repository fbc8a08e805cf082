"""The benchmark, small: it runs, prints, and npuserve holds its own on twenty minutes of real traffic."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuserve.autoscale.load import LoadSample, ReplicaLoad
from npuserve.autoscale.replay.score import Score
from tests.bench.autoscale.__main__ import main
from tests.bench.autoscale.engines import QWEN3_32B
from tests.bench.autoscale.grids import OBJECTIVES
from tests.bench.autoscale.oracle import needs
from tests.bench.autoscale.peers import Knative, Kthena, KubeAi
from tests.bench.autoscale.tuning import Run, tuned

TRACES = Path(__file__).parents[2] / "bench" / "autoscale" / "traces"


def test_the_benchmark_prints_npuserve_beside_its_peers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traces", str(TRACES), "--peers", "oracle,KubeAI,static", "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    for row in ("npuserve", "oracle", "KubeAI", "engine thought 25 % slower", "no metrics for 15 min"):
        assert row in printed


def seen(time: float, running: int, replicas: int = 2, *, draining: int = 0) -> LoadSample:
    from npuserve.autoscale.load import Traffic

    traffic = Traffic(5.0, 1, 100, 100, 1, 100, 100, 10_000, 0.0, 0.0)
    return LoadSample(time, (ReplicaLoad(running, 0, 0.0),) * replicas, 0, draining, traffic)


def test_kubeai_waits_for_three_lower_answers() -> None:
    rule = KubeAi(10, 1, 32)
    answers = [rule.wanted(seen(at, 0)) for at in range(0, 50, 10)]
    assert answers == [None, None, None, 1, 1]


def test_kthena_does_nothing_while_a_replica_drains() -> None:
    rule = Kthena(10, 1, 32)
    assert rule.wanted(seen(0.0, 40, draining=1)) is None
    assert rule.wanted(seen(15.0, 40)) == 6


def test_knative_panics_at_twice_what_is_ready_and_then_never_goes_down() -> None:
    rule = Knative(10, 1, 32)
    assert rule.wanted(seen(0.0, 40)) == 8
    assert rule.wanted(seen(5.0, 0)) == 8


def test_the_oracle_needs_what_the_closed_form_says() -> None:
    trace = [(index / 8, 1000, 200) for index in range(8 * 600)]
    busy = 8 * (200 * (0.278 + 9.75e-5 * 1100) + 1000 * 0.18 + 25) / 1000
    assert needs(trace, QWEN3_32B, OBJECTIVES)[10] == pytest.approx(busy / (1 - 54.5 / 100), rel=0.05)


def test_hours_at_the_target_lie_between_the_neighbours_on_the_front() -> None:
    runs = [
        Run("t", "f", value, Score(attainment, hours, 0, 0, 1.0, 1.0, 100, 0))
        for value, attainment, hours in ((1, 0.98, 100.0), (2, 0.985, 150.0), (3, 1.0, 120.0))
    ]
    found = tuned(runs, 0.99)
    assert found is not None
    assert (found.npu_hours, found.run.value) == (pytest.approx(110.0), 3)
    assert tuned(runs[:1], 0.99) is None
