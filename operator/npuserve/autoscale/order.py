"""How many replicas to order after a decision.

Rule: the order moves with the decision and never against it. During a rollout more replicas serve than are ordered, and
a decision to keep what there is is none to order the surplus. Of those that are ordered at most `starts` start at once.
"""

from __future__ import annotations

from npuserve.autoscale.decision import Decision


def order(before: int, decision: Decision, *, current: int, starting: int, starts: int | None) -> int:
    """Replicas to order, where `before` were, `current` serve or start and `starting` of those start."""
    if decision.replicas < current:
        return min(before, decision.replicas)
    if decision.replicas == current:
        return before
    if starts is None:
        return max(before, decision.replicas)
    return max(before, min(decision.replicas, current + max(0, starts - starting)))
