"""How a test waits: one question, asked again until it has its answer or the time is up.

Rule: what is missing is said in words, so that a test that waited in vain ends with the last thing it saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

WITHIN_SECONDS = 60.0
_BETWEEN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class NotYet:
    """What is still missing."""

    words: str


class WaitedInVain(AssertionError):
    """The answer did not come; says what was missing at last."""


def until(ask: Callable[[], T | NotYet], *, within: float = WITHIN_SECONDS, every: float = _BETWEEN_SECONDS) -> T:
    """The first answer that is not NotYet. Raises WaitedInVain after `within` seconds."""
    end = time.monotonic() + within
    while True:
        answer = ask()
        if not isinstance(answer, NotYet):
            return answer
        if time.monotonic() > end:
            raise WaitedInVain(f"after {within:.0f} s still: {answer.words}")
        time.sleep(every)
