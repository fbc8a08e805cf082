"""What today's operator knows of a kept plan: newer defaults that are there for the asking, and what to know before
relying on its engine."""

from __future__ import annotations

from collections.abc import Iterator

from npuserve import chips
from npuserve.engines import find
from npuserve.engines.contract import Caution
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


def caution(plan: Plan) -> Caution | None:
    """What its engine says of the plan's version on the plan's product; None when nothing, or when either is no longer
    known."""
    engine, product = find(plan.backend), chips.by_id(plan.product)
    return None if engine is None or product is None else engine.caution(product, plan.backend_version)
