"""What a model is for, where its class or its name says so for certain.

Embedding and ranking models of decoder classes differ from chat models in name only (Qwen3-Embedding, Qwen3-Reranker,
gte-Qwen2).
"""

from __future__ import annotations

import re

from npuserve.models.facts import Task
from npuserve.models.fields import Fields

_EMBEDDERS = re.compile(r"(^|[-_/])(bge|gte|e5)[-_]|embed", re.IGNORECASE)
_GENERATORS = ("ChatGLMModel", "ChatModel", "LMHeadModel")


def task_of(name: str, architecture: str, text: Fields) -> Task:
    """The task of the model called `name` ("organisation/model", may be empty)."""
    if "rerank" in name.lower():
        return "rerank"
    if "Classification" in architecture or "Reward" in architecture:
        return "other"
    bare = architecture.endswith("Model") and not architecture.endswith(_GENERATORS)
    if bare or _EMBEDDERS.search(name) or text.values.get("is_causal") is False:
        return "embed"
    return "generate"
