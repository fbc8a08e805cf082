"""How long a replica may take to start and to end."""

from __future__ import annotations

import pytest

from npuserve.configuration import Configuration
from npuserve.plan.timing import decide_timing
from tests.support.clusters import A2_64G, cluster
from tests.support.services import a_service, planned

GB = 10**9
DEFAULTS = Configuration()


@pytest.mark.parametrize(
    ("weights", "downloads", "seconds"),
    [
        (0, False, 900),
        (16 * GB, False, 900),
        # 600 GB at 0.3 GB/s are 2,000 s; one and a half times that and 300 s for graphs.
        (600 * GB, False, 3300),
        # The download at 0.1 GB/s comes on top: 16 GB in 160 s, one and a half times that, in whole minutes.
        (16 * GB, True, 1140),
    ],
)
def test_a_start_may_take_as_long_as_its_weights_need(weights: int, *, downloads: bool, seconds: int) -> None:
    assert decide_timing(weights, DEFAULTS, downloads=downloads).startup == seconds


def test_slower_disks_and_lines_give_more_time() -> None:
    slow = Configuration(read_bytes_per_second=30_000_000, download_bytes_per_second=10_000_000)
    assert decide_timing(60 * GB, slow, downloads=False).startup == 3300
    assert decide_timing(60 * GB, slow, downloads=True).startup == 3300 + 9000


def test_a_replica_is_killed_30_seconds_after_draining_and_shutting_down_should_be_over() -> None:
    found = decide_timing(0, Configuration(drain_seconds=60, shutdown_seconds=20), downloads=False)
    assert (found.drain, found.shutdown, found.grace) == (60, 20, 110)


def test_weights_on_a_volume_are_read_and_those_of_a_hub_downloaded_first() -> None:
    volume = planned(a_service("pvc://w/Qwen/Qwen3-32B"), cluster(A2_64G)).timing
    hub = planned(a_service("hf://Qwen/Qwen3-32B"), cluster(A2_64G)).timing
    assert volume.startup == 900
    assert hub.startup > volume.startup
