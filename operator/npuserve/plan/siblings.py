"""Which published quantized uploads of a model would run where it does not, for messages: nothing is swapped."""

from __future__ import annotations

from dataclasses import replace

from npuserve.engines.contract import Choice, Engine
from npuserve.models.catalogue import Sibling, quantized_siblings
from npuserve.models.memory import weight_bytes
from npuserve.models.quantization import SCHEMES


def runnable(engine: Engine, choice: Choice) -> tuple[Sibling, ...]:
    """The uploads that this engine version runs on the product, in the catalogue's order."""
    silent = replace(choice.model, quantization=None)
    return tuple(
        sibling
        for sibling in quantized_siblings(choice.model.name)
        if engine.obstacle(replace(choice, model=silent, scheme=sibling.scheme)) is None
    )


def smaller(engine: Engine, choice: Choice) -> tuple[Sibling, ...]:
    """Those among them whose weights are smaller than the choice's own."""
    silent = replace(choice.model, quantization=None)
    own = weight_bytes(silent, SCHEMES[choice.scheme]).total
    return tuple(
        sibling for sibling in runnable(engine, choice) if weight_bytes(silent, SCHEMES[sibling.scheme]).total < own
    )


def offered(siblings: tuple[Sibling, ...]) -> str:
    """The first of them as the object of a sentence; "" for none."""
    return f"the published {siblings[0].scheme} weights {siblings[0].path}" if siblings else ""
