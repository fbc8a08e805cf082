"""How long a replica may take to start and to end.

Start-up: 1.5 times what reading the weights takes, and 300 s for graphs, at least 900 s; a download comes on top.
Upstream's CI waits 3,000 s for its largest models, and weights of hundreds of GB are seen to load for 10 to 20 minutes
(VA:docs/source/tutorials/models/Hy4-preview.md).
"""

from __future__ import annotations

from npuserve.configuration import Configuration
from npuserve.plan.plan import Timing

_SHORTEST = 900
_GRAPHS = 300


def decide_timing(weight_bytes: int, configuration: Configuration, *, downloads: bool) -> Timing:
    """Limits in seconds for weights of that many bytes in all."""
    reading = weight_bytes / configuration.read_bytes_per_second * 1.5
    loading = weight_bytes / configuration.download_bytes_per_second * 1.5 if downloads else 0.0
    startup = max(_SHORTEST, round(reading + _GRAPHS)) + round(loading)
    return Timing(
        startup=_up_to_minutes(startup), drain=configuration.drain_seconds, shutdown=configuration.shutdown_seconds
    )


def reason(found: Timing) -> str:
    """One line on the limits."""
    return f"timing: {found.startup} s to start, {found.drain} s to drain and {found.shutdown} s to shut down"


def _up_to_minutes(seconds: int) -> int:
    return -(-seconds // 60) * 60
