"""How many graphs a replica would capture, and how many its devices hold.

Piecewise, each captured size takes one graph for every layer and one more, and each graph a stream of the device:

    graphs = sizes * (layers + 1)

A device holds about 32,000 with HDK 25.5.1 and CANN 8.5.0 (va@0.30.0rc2:docs/source/user_guide/release_notes.md#L652);
beyond, the capture ends with 207008 or EL0009. Versions up to 0.18 leave out sizes by themselves
(va@0.18.0:vllm_ascend/utils.py#L456), as later ones do on Ascend 950 (va@0.23.0:vllm_ascend/platform.py#L109). Full
graphs take one for each size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from npuserve.engines.contract import Choice, Fault

_HELD = 32_000
_LEAVES_OUT_SIZES = ("0.18.0",)
_PIECEWISE = ("", "PIECEWISE", "FULL_AND_PIECEWISE")
"""Modes that cut the model at its attention layers; "" is the engine's default."""


def too_many_graphs(choice: Choice, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    """The sizes to capture, where no device holds the graphs for them."""
    compilation = arguments.get("compilation-config")
    if not isinstance(compilation, Mapping) or not _captures_piecewise(choice, compilation, arguments):
        return
    named = compilation.get("cudagraph_capture_sizes")
    sizes = len(set(named)) if isinstance(named, list) else 0
    each = choice.model.layers + 1
    if sizes * each > _HELD:
        yield Fault(
            "invalid",
            "spec.engineArgs.compilation-config.cudagraph_capture_sizes",
            f"{sizes} sizes take {sizes * each:,} graphs, one for each of {choice.model.layers} layers and one more, and a device "
            f"holds about {_HELD:,}; name {_HELD // each} sizes or fewer, or set cudagraph_mode to FULL_DECODE_ONLY",
        )


def _captures_piecewise(choice: Choice, compilation: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    generation = choice.product.generation
    if choice.version in _LEAVES_OUT_SIZES or generation == "950" or arguments.get("enforce-eager"):
        return False
    # On the cards the plan names the mode itself (`vllm_ascend_launch`).
    usual = "FULL_DECODE_ONLY" if generation == "310P" else ""
    return str(compilation.get("cudagraph_mode") or usual).upper() in _PIECEWISE
