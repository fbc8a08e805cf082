"""How many replicas to order after a decision.

Rule: the order moves with the decision and never against it. During a rollout more replicas serve than are ordered, and
a decision to keep what there is is none to order the surplus, unless the load or a lower limit asks for it: an order that
was lowered is raised again before the replicas that it gave up have left. Of those that are ordered at most `starts` start
at once.
"""

from __future__ import annotations

from npuserve.autoscale.decision import Decision

FLOORS = frozenset({"MinReplicas", "Schedule"})
BLIND = frozenset({"MetricsMissing", "Learning"})
"""Constraints under which nothing is known of what the load asks for."""


def order(before: int, decision: Decision, *, current: int, starting: int, starts: int | None) -> int:
    """Replicas to order, where `before` were, `current` serve or start and `starting` of those start."""
    if decision.replicas <= current:
        kept = before if decision.replicas == current else min(before, decision.replicas)
        return max(kept, _asked(decision))
    if starts is None:
        return max(before, decision.replicas)
    return max(before, min(decision.replicas, current + max(0, starts - starting)))


def _asked(decision: Decision) -> int:
    """What of the decided replicas is asked for, rather than left alone."""
    if decision.constraint in BLIND:
        return 0
    return decision.replicas if decision.constraint in FLOORS else min(decision.wanted, decision.replicas)
