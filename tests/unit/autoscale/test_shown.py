"""The histograms that a replayed replica shows."""

from __future__ import annotations

from collections import Counter

import pytest

from npuserve.autoscale.replay.shown import GAPS, Shown


def test_a_gap_falls_into_its_own_bucket_whatever_came_before_it() -> None:
    gaps = [0.004, 0.01, 0.0101, 0.025, 0.055, 100.0, 80.0, 81.0, 0.009, 0.0, 0.3, 0.3, 0.31]
    shown = Shown()
    for gap in gaps:
        shown.went_on(3, gap)
    found = shown.counters().gaps
    assert found is not None
    fitting = Counter(sum(bound < gap for bound in GAPS) for gap in gaps)
    assert found.counts == tuple(3 * fitting[bucket] for bucket in range(len(GAPS) + 1))
    assert found.total == pytest.approx(3 * sum(gaps))
