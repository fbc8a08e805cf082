"""Bytes that one forward pass needs beside weights and KV cache, by the shapes of the model."""

from __future__ import annotations

from npuserve.models.facts import ModelFacts

_FLOAT_BYTES = 2
_LOGIT_BYTES = 4


def activation_bytes(model: ModelFacts, *, tokens: int, sequences: int, tensor: int) -> int:
    """For `tokens` in a step and `sequences` sampled at once: eight hidden states and two slices of the widest layer
    per token, two copies of the logits.

    Fitted to the published Hunyuan-A13B split (TP4 at 0.9: 37.46 GiB of weights and 529,152 KV tokens leave 1.3 GiB,
    va@0.30.0rc2:docs/source/tutorials/models/Hunyuan-A13B-Instruct.md).
    """
    widest = max(model.intermediate_size, model.expert_intermediate_size * max(1, model.experts_per_token))
    hidden = tokens * (8 * model.hidden_size + 2 * widest // tensor) * _FLOAT_BYTES
    logits = 2 * min(sequences, tokens) * model.vocab_size * _LOGIT_BYTES
    return hidden + logits
