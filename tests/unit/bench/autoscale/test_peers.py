"""The peers' rules answer as their sources do."""

from __future__ import annotations

import pytest

from npuserve.autoscale.load import LoadSample, ReplicaLoad, Traffic
from npuserve.autoscale.replay.beside import Hpa
from tests.bench.autoscale.engines import OBJECTIVES, QWEN3_32B
from tests.bench.autoscale.oracle import Oracle, needs
from tests.bench.autoscale.peers import Knative, Kthena, KubeAi, Wva


def seen(time: float, running: int, replicas: int = 2, *, draining: int = 0, cached: float = 0.0) -> LoadSample:
    traffic = Traffic(5.0, 1, 100, 100, 1, 100, 100, 10_000, 0.0, 0.0)
    return LoadSample(time, (ReplicaLoad(running, 0, cached),) * replicas, 0, draining, traffic)


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


def test_knative_keeps_what_it_finds_until_its_window_is_full() -> None:
    rule = Knative(10, 1, 32)
    answers = [rule.wanted(seen(at, 0, 6)) for at in range(0, 70, 5)]
    assert set(answers[:13]) == {6}
    assert answers[13] == 3


def test_an_hpa_begins_with_the_replicas_it_finds() -> None:
    rule = Hpa(10, 1, 32)
    answers = [rule.wanted(seen(at, 0, 6)) for at in range(0, 330, 15)]
    assert [one for one in answers if one is not None][:-1] == [6] * (len(answers) - 2)
    assert answers[-1] == 1


@pytest.mark.parametrize(("full", "wanted"), [(0.85, 2), (0.2, 7)])
def test_wva_compares_tokens_with_the_share_that_it_takes_for_full(full: float, wanted: int) -> None:
    rule = Wva(QWEN3_32B, 1, 32, 0.0, full)
    half = 0.5 * QWEN3_32B.cache_tokens
    assert [rule.wanted(seen(at, 10, cached=half)) for at in range(0, 420, 60)][-1] == wanted


def test_the_oracle_needs_what_the_closed_form_says() -> None:
    trace = [(index / 8, 1000, 200) for index in range(8 * 600)]
    busy = 8 * (200 * (0.278 + 9.75e-5 * 1100) + 1000 * 0.18 + 25) / 1000
    assert needs(trace, QWEN3_32B, OBJECTIVES)[10] == pytest.approx(busy / (1 - 54.5 / 100), rel=0.05)


@pytest.mark.parametrize(("kept", "wanted"), [(180.0, 1), (1800.0, 5)])
def test_the_oracle_keeps_replicas_that_it_will_want_again(kept: float, wanted: int) -> None:
    rule = Oracle([5.0] * 10 + [1.0] * 40 + [5.0] * 50, 180.0, 0.0, 1, 32, kept)
    assert [rule.wanted(seen(at, 0, 5)) for at in (0.0, 400.0)] == [5, wanted]
