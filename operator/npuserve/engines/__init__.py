"""Which engines there are: one line each, in the order that `backend: auto` tries them.

vLLM-Ascend comes first: MindIE LLM is maintenance-only since 3.1.0 and its vendor recommends vLLM-Ascend
(Ascend/MindIE-LLM:docs/en/release_notes.md). A platform team reverses the order with `enginePreference` in the
configuration.
"""

from __future__ import annotations

from npuserve.engines import mindie, vllm_ascend
from npuserve.engines.contract import Engine

ENGINES: tuple[Engine, ...] = (vllm_ascend.ENGINE, mindie.ENGINE)


def find(name: str) -> Engine | None:
    """The engine of that name."""
    return next((engine for engine in ENGINES if engine.name == name), None)
