"""How long requests may be, and how many run at once, where the service leaves it open.

Rule: the default length is what the model was made for, at most 32,768 tokens: a longer one reserves KV cache that few
requests use, so it is asked for. When no layout of a node holds that, it is halved down to 4,096 before the service is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.api.conditions import Reason
from npuserve.api.serving import Context as Wish
from npuserve.engines.contract import ContextWindow
from npuserve.models.facts import ModelFacts
from npuserve.models.stretch import factor
from npuserve.plan.plan import Refusal

DEFAULT_LENGTH = 32_768
SHORTEST_DEFAULT = 4_096


def lengths(wish: Wish, model: ModelFacts, *, longest: int) -> tuple[int, ...] | Refusal:
    """Lengths to try, longest first; a named one is the only one. `longest`: tokens that the engine can serve the model
    with."""
    if wish.max_model_len is None:
        return tuple(_halvings(min(model.max_context or DEFAULT_LENGTH, longest or DEFAULT_LENGTH, DEFAULT_LENGTH)))
    if longest and wish.max_model_len > longest:
        stretched = f" and can be stretched to {longest:,}" if longest > model.max_context else ""
        return Refusal(
            Reason.CONTEXT_TOO_LONG,
            "spec.context.maxModelLen",
            f"{model.name or 'the model'} was made for {model.max_context:,} tokens{stretched}, not {wish.max_model_len:,}; "
            f"set {longest} or less",
        )
    return (wish.max_model_len,)


def _halvings(length: int) -> Iterator[int]:
    yield length
    while length > SHORTEST_DEFAULT:
        length = max(length // 2, SHORTEST_DEFAULT)
        yield length


def window(wish: Wish, length: int, sequences: int) -> ContextWindow:
    """The window of that length with the named or the engine's default number of sequences."""
    return ContextWindow(max_model_len=length, max_sequences=wish.max_sequences or sequences)


def reason(wish: Wish, model: ModelFacts, found: ContextWindow) -> str:
    """One line on length and number of requests."""
    if wish.max_model_len is not None:
        return (
            f"context: {found.max_model_len:,} tokens, as the service asks{_stretching(model, found)}; "
            f"{found.max_sequences} requests at once"
        )
    made_for = (
        f"the model is made for {model.max_context:,}" if model.max_context else "the model's own limit is not stated"
    )
    return f"context: {found.max_model_len:,} tokens by default ({made_for}); {found.max_sequences} requests at once"


def _stretching(model: ModelFacts, found: ContextWindow) -> str:
    """How a length beyond the model's own is reached, and what it costs."""
    wanted = factor(model, found.max_model_len)
    if wanted is None or model.stretch is None:
        return ""
    return (
        f", {float(wanted):g} times the {model.stretch.original:,} the model is made for by YaRN, "
        "which can cost accuracy on short requests"
    )
