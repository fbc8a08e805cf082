"""What a kept plan does not take by itself: newer defaults that are there for the asking."""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.engines import find
from npuserve.plan.plan import Plan


def notices(plan: Plan) -> Iterator[str]:
    """One line for each newer default than the plan's own value, with the way to take it."""
    engine = find(plan.backend)
    if engine is None:
        yield f"backend: this operator no longer knows {plan.backend}; what runs is kept as it is"
        return
    newest = engine.stable[0]
    if plan.backend_version != newest and plan.backend_version in engine.stable:
        yield f"backend: {newest} available; set spec.backendVersion, or the annotation npuserve.io/replan to a new value"
