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
from npuserve.plan.plan import Refusal

DEFAULT_LENGTH = 32_768
SHORTEST_DEFAULT = 4_096


def lengths(wish: Wish, model: ModelFacts) -> tuple[int, ...] | Refusal:
    """Lengths to try, longest first; a named one is the only one."""
    longest = model.max_context
    if wish.max_model_len is not None:
        if longest and wish.max_model_len > longest:
            return Refusal(
                Reason.CONTEXT_TOO_LONG,
                "spec.context.maxModelLen",
                f"{model.name or 'the model'} was made for {longest:,} tokens, not {wish.max_model_len:,}; set {longest} or less",
            )
        return (wish.max_model_len,)
    return tuple(_halvings(min(longest or DEFAULT_LENGTH, DEFAULT_LENGTH)))


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
        return f"context: {found.max_model_len:,} tokens, as the service asks; {found.max_sequences} requests at once"
    made_for = (
        f"the model is made for {model.max_context:,}" if model.max_context else "the model's own limit is not stated"
    )
    return f"context: {found.max_model_len:,} tokens by default ({made_for}); {found.max_sequences} requests at once"
