"""A model that no catalogue knows, described as its publisher would."""

from __future__ import annotations

import json

from tests.cluster.kubectl import Object

OWN_MODEL = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "torch_dtype": "bfloat16",
    "tie_word_embeddings": True,
}
"""config.json of a model of four billion parameters."""


def described(name: str, namespace: str, **changes: object) -> Object:
    """The ConfigMap that describes it; keywords replace fields of its config.json."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"config.json": json.dumps({**OWN_MODEL, **changes})},
    }
