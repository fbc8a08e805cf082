"""What a request is about, as far as holding it depends on that: a stream, a model, or a question that needs none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

MODELS_PATH = "/v1/models"


class Question(Enum):
    """What a request can be besides work for a replica."""

    HEALTH = "whether requests are welcome"
    METRICS = "numbers of a replica"
    MODELS = "the models there are"
    UPGRADE = "another protocol on this connection"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body asks for; `model` is empty where it names none."""

    streams: bool = False
    model: str = ""


def question_of(method: str, path: str, *, upgrade: bool) -> Question | None:
    """The question that a request is; None for work."""
    if upgrade or method == "CONNECT":
        return Question.UPGRADE
    if method not in ("GET", "HEAD"):
        return None
    match path.rstrip("/"):
        case "/health" | "/ping":
            return Question.HEALTH
        case "/metrics":
            return Question.METRICS
        case models if models == MODELS_PATH or models.startswith(f"{MODELS_PATH}/"):
            return Question.MODELS
    return None


def read_asked(body: bytes) -> Asked:
    """What a JSON body asks for; nothing where it is no JSON object, which the replica will refuse."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Asked()
    if not isinstance(content, dict):
        return Asked()
    model = content.get("model")
    return Asked(streams=content.get("stream") is True, model=model if isinstance(model, str) else "")


def models_answer(served: str, path: str) -> bytes | None:
    """The answer to a question about models, as OpenAI's API gives it; None for a model that is not served."""
    card = {"id": served, "object": "model", "created": 0, "owned_by": "npuserve"}
    name = path.rstrip("/").removeprefix(MODELS_PATH).lstrip("/")
    if not name:
        return json.dumps({"object": "list", "data": [card]}).encode()
    return json.dumps(card).encode() if name == served else None
