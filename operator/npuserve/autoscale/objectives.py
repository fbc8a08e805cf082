"""What a request may expect: the time to its first token, and the pace of the tokens after it.

A request meets the objectives when its first token comes within `ttft` seconds plus `prefill_slack` times its own ideal
prefill, and its stream never falls behind `per_token` seconds a token after that. A goal is the share of requests that do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Goal = Literal["economy", "balanced", "strict"]

SHARES: dict[Goal, float] = {"economy": 0.98, "balanced": 0.99, "strict": 0.995}
"""Requests that meet the objectives, as a share of all."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """Limits in seconds."""

    ttft: float = 2.0
    per_token: float = 0.1
    prefill_slack: float = 2.0

    @property
    def step(self) -> float:
        """The per-token limit in ms, the unit of an engine's steps."""
        return self.per_token * 1000

    def first_token(self, ideal_prefill: float) -> float:
        """Seconds until the first token at most, for a prompt of that ideal prefill time."""
        return self.ttft + self.prefill_slack * ideal_prefill


USUAL = Objectives()
"""Where a service says nothing."""
