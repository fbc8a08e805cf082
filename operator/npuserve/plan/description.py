"""What is known of a service's model: from the description the service brings along, else from the catalogue.

Never guessed from a name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.models.catalogue import lookup, origin
from npuserve.models.config import UnreadableConfig, read_config
from npuserve.models.declared import read_quant_description
from npuserve.models.facts import ModelFacts, QuantizationFacts
from npuserve.models.quantization import SCHEMES
from npuserve.plan.plan import Refusal

CONFIG_KEY = "config.json"
QUANTIZATION_KEY = "quant_model_description.json"


@dataclass(frozen=True, slots=True)
class Description:
    """The facts of a model and a digest of the files they were read from; empty for the catalogue's."""

    facts: ModelFacts | None
    digest: str = ""


def known(path: str) -> Description:
    """What the catalogue says: the model itself, or a listed quantized upload as its base model in that scheme."""
    facts, made_from = lookup(path), origin(path)
    if facts is None and made_from is not None and (base := lookup(made_from.base)) is not None:
        row = SCHEMES[made_from.upload.scheme]
        stated = QuantizationFacts(
            "msmodelslim",
            row.name,
            row.weight_bits,
            row.activation_bits,
            bits_cache=row.kv_bits,
            tensor=made_from.upload.tensor,
        )
        facts = replace(base, name=path, quantization=stated)
    return Description(facts)


def describe(files: Mapping[str, str], *, name: str, field: str = "spec.model.configMapRef") -> Description | Refusal:
    """The description in `files`, text by file name; `name` is what messages call the model, `field` what they blame."""
    config = _object(files, CONFIG_KEY)
    if isinstance(config, str):
        return Refusal(Reason.MODEL_UNKNOWN, field, config)
    facts = read_config(config, name=name)
    if isinstance(facts, UnreadableConfig):
        return Refusal(Reason.MODEL_UNKNOWN, field, f"{CONFIG_KEY}: {facts.reason}")
    if QUANTIZATION_KEY in files:
        stated = _object(files, QUANTIZATION_KEY)
        if isinstance(stated, str):
            return Refusal(Reason.MODEL_UNKNOWN, field, stated)
        facts = replace(facts, quantization=read_quant_description(stated) or facts.quantization)
    return Description(facts, _digest(files))


def _object(files: Mapping[str, str], key: str) -> Mapping[str, Any] | str:
    """The JSON object under `key`, or what is wrong with it."""
    if key not in files:
        return f"there is no key {key}; put the model's own file under it"
    try:
        value = json.loads(files[key])
    except ValueError as error:
        return f"{key} is no JSON: {error}"
    return value if isinstance(value, dict) else f"{key} is no JSON object; put the model's own file under it"


def _digest(files: Mapping[str, str]) -> str:
    told = {key: files[key] for key in (CONFIG_KEY, QUANTIZATION_KEY) if key in files}
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()
