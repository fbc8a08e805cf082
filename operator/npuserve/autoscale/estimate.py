"""What an engine's profile is likely to be, where nobody has measured it: from the chip, the weights and the cache.

Rule: a decode step reads the weights once and every running request's cache; a prompt costs two operations per active
parameter and token. Both run at a share of what the chip can do at best. The estimate is marked as such, starts cautious
and is corrected by what the samples show (`learning`).

The shares reproduce Qwen3-32B on four devices of an Atlas 800T A2, measured by vllm-ascend
(docs/source/tutorials/features/suffix_speculative_decoding.md): 54.5 ms a step, 0.278 ms a request.
"""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.autoscale.profile import EngineProfile
from npuserve.chips import Product

COMPUTE_SHARE = 0.3
"""Share of the peak at which prompts are worked on."""
BANDWIDTH_SHARE = 0.3
"""Share of the peak at which weights and caches are read, communication between devices included."""
LAUNCH_MILLISECONDS = 20.0
"""What a step costs besides its reads."""
REQUEST_MILLISECONDS = 0.3
"""Sampling and scheduling of one request in a step."""
PASS_MILLISECONDS = 25.0
"""What a pass over prompts costs besides its tokens."""


@dataclass(frozen=True, slots=True)
class Served:
    """What is served, per replica: bytes of weights, parameters that one token uses, bytes of cache per token."""

    weight_bytes: float
    active_parameters: float
    cache_bytes_per_token: float
    cache_tokens: int
    devices: int
    max_sequences: int


def estimated(product: Product, served: Served) -> EngineProfile:
    """The profile of a replica on devices of a product."""
    per_millisecond = product.terabytes * 1e9 * BANDWIDTH_SHARE * served.devices
    operations = product.tera_operations * 1e9 * COMPUTE_SHARE * served.devices
    return EngineProfile(
        base=served.weight_bytes / per_millisecond + LAUNCH_MILLISECONDS,
        sequence=REQUEST_MILLISECONDS,
        token=served.cache_bytes_per_token / per_millisecond,
        prefill=2 * served.active_parameters / operations,
        prefill_pass=PASS_MILLISECONDS,
        cache_tokens=max(1, served.cache_tokens),
        max_sequences=max(1, served.max_sequences),
        source="estimate",
    )
