"""What a config.json says about a model: `read_config`, total over every JSON value.

The language part may be nested (text_config, llm_config, language_config, thinker_config); dimensions the file leaves
to the library class are that class's defaults. What cannot be read is answered with a sentence that names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from npuserve.models.attention import read_mixers
from npuserve.models.class_defaults import CLASS_DEFAULTS, TIED
from npuserve.models.context import max_context
from npuserve.models.declared import read_declared, read_quant_description
from npuserve.models.facts import ModelFacts
from npuserve.models.fields import Fields, UnreadableError
from npuserve.models.layers import DeltaAttention, Layer, StateSpace
from npuserve.models.mixture import read_feed_forwards
from npuserve.models.patterned import read_patterned, read_patterned_prediction
from npuserve.models.stretch import read_stretch
from npuserve.models.task import task_of
from npuserve.models.towers import is_multimodal, read_towers

__all__ = ["UnreadableConfig", "read_config", "read_quant_description"]

_MOST_LAYERS = 4096
_MOST_PREDICTION_LAYERS = 64
_NESTED = ("text_config", "llm_config", "language_config", "thinker_config", "language_model_config")
_LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers")
_PREDICTION = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules")
# Copies of one config.json that name the class by its family (ai-dynamo/aiconfigurator); the engine knows it by this name.
_CLASSES = {"MiniMaxM3ForCausalLM": "MiniMaxM3SparseForCausalLM"}
_DTYPES = {
    "half": "float16",
    "fp16": "float16",
    "float16": "float16",
    "float": "float32",
    "float32": "float32",
    "fp32": "float32",
}


@dataclass(frozen=True, slots=True)
class UnreadableConfig:
    """Why a config.json describes no model that can be planned, and what to provide."""

    reason: str


def read_config(config: object, *, name: str = "") -> ModelFacts | UnreadableConfig:
    """The facts of the model that this parsed config.json describes.

    `name` is "organisation/model"; it names the result and hints at the task only.
    """
    if not isinstance(config, Mapping):
        return UnreadableConfig(f"{_called(name)} is no JSON object; provide the model's own config.json.")
    try:
        return _read(Fields(config, {}), name)
    except UnreadableError as problem:
        return UnreadableConfig(f"{_called(name)} cannot be planned: {problem}.")


def _called(name: str) -> str:
    return f"config.json of {name}" if name else "config.json"


def _read(config: Fields, name: str) -> ModelFacts:
    text, nested = _language_part(config)
    architecture = _architecture(config, text)
    hidden = text.size("hidden_size", "n_embd", "d_model")
    context = max_context(text)
    layers = _layers(text, hidden, context=context)
    kinds = tuple(dict.fromkeys(layers))
    task = task_of(name, architecture, text)
    return ModelFacts(
        name=name,
        architecture=architecture,
        model_type=config.text("model_type") or text.text("model_type"),
        hidden_size=hidden,
        vocab_size=text.count("padded_vocab_size") or text.count("vocab_size") or config.size("vocab_size"),
        tied_embeddings=_tied(config, text),
        dtype=_dtype(config, text),
        max_context=context,
        kinds=kinds,
        pattern=tuple(map(kinds.index, layers)),
        task=task,
        multimodal=is_multimodal(config),
        towers=read_towers(_encoder_part(config), hidden),
        mtp_layers=_prediction(text, hidden, layers),
        embedded_per_layer=text.count("hidden_size_per_layer_input") * len(layers),
        quantization=read_declared(config, text, len(layers)),
        stretch=read_stretch(text, context=context, nested=nested),
    )


def _language_part(config: Fields) -> tuple[Fields, str]:
    """The innermost nested description of a language model, else the whole file; and the name of the part that it is.

    Only nested ones leave out what equals their class's defaults.
    """
    part, name = config, ""
    for _ in range(3):
        found = next((key for key in _NESTED if part.table(key) is not None), None)
        nested = part.table(found) if found else None
        if found is None or nested is None:
            break
        part, name = Fields(nested.values, CLASS_DEFAULTS.get(nested.text("model_type"), {})), found
    return part, name


def _encoder_part(config: Fields) -> Fields:
    """Where vision_config and audio_config are: the top, or the thinker of an omni model."""
    return config.table("thinker_config") or config


def _architecture(config: Fields, text: Fields) -> str:
    named = (*(config.texts("architectures") or ()), *(text.texts("architectures") or ()))
    if not named:
        raise UnreadableError('"architectures" is missing; it names the class that serves the model')
    return _CLASSES.get(named[0], named[0])


def _layers(text: Fields, hidden: int, *, context: int) -> tuple[Layer, ...]:
    layers = read_patterned(text, hidden)
    if layers is None:
        number = text.size(*_LAYERS)
        if number > _MOST_LAYERS:
            raise UnreadableError(f"{number} layers are more than any model has")
        mixers = read_mixers(text, hidden, number, context=context)
        layers = tuple(map(Layer, mixers, read_feed_forwards(text, hidden, number)))
    if not layers or len(layers) > _MOST_LAYERS:
        raise UnreadableError(f"it describes {len(layers)} layers")
    return layers


def _prediction(text: Fields, hidden: int, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The prediction head repeats the last layer that has attention; Nemotron-H writes its layers out."""
    patterned = read_patterned_prediction(text, hidden)
    if patterned:
        return patterned
    number = min(text.count(*_PREDICTION), _MOST_PREDICTION_LAYERS)
    attentive = [layer for layer in layers if not isinstance(layer.mixer, DeltaAttention | StateSpace)]
    return (attentive[-1],) * number if attentive else ()


def _tied(config: Fields, text: Fields) -> bool:
    for fields in (config, text):
        stated = fields.values.get("tie_word_embeddings")
        if isinstance(stated, bool):
            return stated
    return text.text("model_type") in TIED


def _dtype(config: Fields, text: Fields) -> str:
    stated = text.text("dtype", "torch_dtype") or config.text("dtype", "torch_dtype")
    if not stated and text.flag("fp16"):
        stated = "float16"
    return _DTYPES.get(stated.removeprefix("torch."), "bfloat16")
