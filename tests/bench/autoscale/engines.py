"""The service that all rules are measured on: its engine, its objectives, and how small and large it may be.

Qwen3-32B in BF16 on four devices of an Atlas 800T A2 under vLLM-Ascend. Step, request and token: least squares on the 18
base rows of vllm-ascend@182b75e docs/source/tutorials/features/suffix_speculative_decoding.md. Prefill is an estimate
(5,600 tokens a second); the cache is computed from 64 GB devices at 0.9.
"""

from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.profile import EngineProfile

QWEN3_32B = EngineProfile(
    base=54.5, sequence=0.278, token=9.75e-5, prefill=0.18, prefill_pass=25.0, cache_tokens=587_000
)
DEVICES = 4
"""Per replica."""
LEAST, MOST = 1, 32
"""Replicas."""
OBJECTIVES = Objectives()
COLD_START = 180.0
"""Seconds from the order to start until a replica serves, unless a table says otherwise."""
