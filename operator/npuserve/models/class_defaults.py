"""What the library class of a model type takes for dimensions that a config.json leaves out.

Only nested descriptions (text_config) leave them out, because they are saved as differences. Source: transformers
`configuration_<model_type>.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

_LLAMA = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
}
_QWEN2 = _LLAMA | {
    "vocab_size": 151936,
    "intermediate_size": 22016,
    "num_key_value_heads": 32,
    "max_position_embeddings": 32768,
}
_MISTRAL = _LLAMA | {"intermediate_size": 14336, "num_key_value_heads": 8, "max_position_embeddings": 131072}
_GEMMA2 = {
    "vocab_size": 256000,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 8192,
    "sliding_window": 4096,
}
_GEMMA3 = _GEMMA2 | {"vocab_size": 262208, "max_position_embeddings": 131072, "sliding_window_pattern": 6}
_GEMMA = _GEMMA2 | {
    "hidden_size": 3072,
    "intermediate_size": 24576,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "sliding_window": 0,
}

CLASS_DEFAULTS: Mapping[str, Mapping[str, int]] = {
    "llama": _LLAMA,
    "qwen2": _QWEN2,
    "mistral": _MISTRAL,
    "gemma": _GEMMA,
    "gemma2": _GEMMA2,
    "gemma3": _GEMMA3,
    "gemma3_text": _GEMMA3,
}

# MiniCPM: its own configuration_minicpm.py and configuration_minicpm3.py.
TIED = frozenset(
    [
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "gemma4",
        "gemma4_text",
        "minicpm",
        "minicpm3",
        "cohere",
        "cohere2",
        "gpt2",
        "bloom",
        "opt",
    ]
)
"""Model types whose output head is the embeddings unless the file says otherwise."""
