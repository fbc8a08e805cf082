"""What an engine's profile is likely to be where nobody measured it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npuserve.autoscale.estimate import Served, estimated
from npuserve.chips import PRODUCTS
from tests.bench.autoscale.engines import QWEN3_32B

SERVED = Served(65.5e9, 32.8e9, 262_144, 587_000, 4, 256)
A2 = next(row for row in PRODUCTS if row.id == "Atlas 800T A2 64G")


def test_the_estimate_of_a_measured_engine_comes_near() -> None:
    found = estimated(A2, SERVED)
    assert found.source == "estimate"
    for name in ("base", "sequence", "prefill"):
        assert getattr(found, name) == pytest.approx(getattr(QWEN3_32B, name), rel=0.1)
    assert found.token == pytest.approx(QWEN3_32B.token, rel=0.5)


def test_more_devices_and_fewer_bytes_are_faster() -> None:
    whole = estimated(A2, SERVED)
    assert estimated(A2, replace(SERVED, devices=8)).base < whole.base
    assert estimated(A2, replace(SERVED, weight_bytes=33e9)).base < whole.base


def test_a_mixture_reads_prompts_by_its_active_parameters() -> None:
    assert estimated(A2, replace(SERVED, active_parameters=3e9)).prefill < estimated(A2, SERVED).prefill / 5
