"""What the weights are: the quantization a service claims against what is known of its model.

Rule: a model that says nothing of its quantization is believed to be what the service claims; a model that says
something else is refused with both facts and the published upload that has what was asked for. Nothing is swapped
silently. One silence looks like an answer: weights made with msmodelslim keep the config.json of the model they were
made from, and their own quant_model_description.json, which engines read first, may not be among the files given.
"""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.api.conditions import Reason
from npuserve.models.catalogue import canonical, origin, quantized_siblings
from npuserve.models.facts import ModelFacts
from npuserve.models.quantization import SCHEMES, normalise
from npuserve.plan.plan import Refusal

PLAIN = "none"
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Scheme:
    """The quantization of the weights and how it was decided."""

    name: str
    reason: str
    inherited: bool = False
    """What the model's configuration says of its quantization is that of the model these weights were made from."""


def decide_scheme(claim: str, model: ModelFacts, path: str) -> Scheme | Refusal:
    """The scheme the plan works with, or the mismatch."""
    stated = model.quantization.scheme if model.quantization is not None else None
    if claim.casefold() in ("", AUTO):
        if stated is None:
            return Scheme(
                PLAIN,
                f"quantization: none, the configuration of {model.name or path} names none and its weights are {model.dtype}",
            )
        source = "the catalogue lists this upload" if origin(path) else "the model's own files say"
        return Scheme(stated, f"quantization: {stated}, as {source}")
    asked = normalise(claim)
    if asked is None:
        return Refusal(
            Reason.UNSUPPORTED_QUANTIZATION,
            "spec.quantization",
            f"{claim!r} is no known quantization; known: auto, {', '.join(name for name in SCHEMES if name != PLAIN)}",
        )
    if stated is None:
        return Scheme(
            asked, f"quantization: {asked}, as the service claims; the model's configuration says nothing else"
        )
    if asked == stated:
        return Scheme(asked, f"quantization: {asked}, claimed by the service and stated by the model")
    if _keeps_its_origins(model, path) and SCHEMES[asked].made_offline:
        return Scheme(
            asked,
            f"quantization: {asked}, as the service claims; config.json says {stated}, which weights made with msmodelslim keep from the "
            "model they were made from; give their quant_model_description.json to have it checked",
            inherited=True,
        )
    return Refusal(
        Reason.QUANTIZATION_MISMATCH,
        "spec.quantization",
        f"the service claims {asked}, but the weights of {path} are {stated}; {_way_out(path, asked, stated)}",
    )


def _keeps_its_origins(model: ModelFacts, path: str) -> bool:
    """Whether the weights may be others than those their config.json was written for: nobody else knows them, and
    nothing that the tool itself wrote is there."""
    declared = model.quantization
    return declared is not None and declared.method != "msmodelslim" and canonical(path) is None


def _way_out(path: str, asked: str, stated: str) -> str:
    siblings = [sibling.path for sibling in quantized_siblings(path) if sibling.scheme == asked]
    offer = f"use the published {asked} weights {siblings[0]}" if siblings else f"name weights that are {asked}"
    return f"set quantization to {stated} or auto, or {offer}"
