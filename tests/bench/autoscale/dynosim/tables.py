"""The engine as DynoSim's timing tables, and the requests as a trace of its kind.

The tables hold the same costs as `EngineProfile`: a prefill pass by its prompt tokens, a step by the tokens in the cache
and the mean context of a request, from which the number of requests follows. DynoSim goes linear in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import to_json

from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.fleet import Row

CACHE_BLOCK = 128
"""Tokens."""
TRACE_BLOCK = 131_072
"""Tokens that one hash of a trace stands for: more than any prompt, as nothing is shared."""
LONGEST = 140_000


def write_tables(profile: EngineProfile, path: Path) -> None:
    """Write the timing tables, in ms."""
    prompt = np.concatenate([np.linspace(1, 8192, 128), np.linspace(8448, LONGEST, 64)])
    cached = np.linspace(0, 1.02 * profile.cache_tokens, 128)
    context = np.concatenate([np.linspace(16, 2048, 96), np.linspace(2176, 8192, 48), np.linspace(8704, LONGEST, 48)])
    tokens, length = np.meshgrid(cached, context, indexing="ij")
    running = np.maximum(1.0, tokens / length)
    np.savez(
        path,
        prefill_isl=prompt,
        prefill_ttft_ms=profile.prefill_pass + profile.prefill * prompt,
        decode_active_kv_tokens=cached,
        decode_context_length=context,
        decode_itl=profile.base + profile.sequence * running + profile.token * tokens,
    )


def engine(profile: EngineProfile, tables: Path, *, cold_start: float) -> dict[str, Any]:
    """DynoSim's arguments for one replica; cold start in seconds."""
    return {
        "startup_time": cold_start,
        "engine": {
            "num_gpu_blocks": profile.cache_tokens // CACHE_BLOCK,
            "block_size": CACHE_BLOCK,
            "max_num_seqs": profile.max_sequences,
            "max_num_batched_tokens": profile.batch_tokens,
            "enable_prefix_caching": False,
            "timing_model": {"type": "external", "provider": "dynamo_profile", "config": {"path": str(tables)}},
        },
    }


def write_trace(rows: Iterable[Row], path: Path) -> None:
    """Write the requests, each with a hash of its own."""
    with path.open("wb") as file:
        for number, (at, prompt, output) in enumerate(rows):
            row = {"timestamp": round(at * 1000), "input_length": prompt, "output_length": output, "hash_ids": [number]}
            file.write(to_json(row) + b"\n")
