"""Why an engine and a product were taken, and why the others were not."""

from __future__ import annotations

from collections.abc import Iterator

from npuserve.plan.backend import AUTO, Refused, Sketch


def reasons(chosen: Sketch, attempts: list[Sketch | Refused], *, asked: str, named: str) -> Iterator[str]:
    """Why this engine and product, and why not the others; `asked` is the service's backend, `named` its product."""
    why = "as the service asks" if asked != AUTO else "the first of the preference that can run it"
    yield f"backend: {chosen.candidate.title}, {why}"
    if chosen.caution:
        yield f"backend: note, {chosen.caution}"
    yield from _other_engines(chosen, attempts)
    yield chosen.pool.reason()
    if not chosen.pool.certain and not named:
        yield f"hardware: labels do not settle the memory of these nodes; {chosen.pool.product.id} is assumed, name spec.hardware.product to say otherwise"
    yield from _other_products(chosen, attempts)


def _other_products(chosen: Sketch, attempts: list[Sketch | Refused]) -> Iterator[str]:
    """A line for each other product that the engine was tried on."""
    for item in attempts:
        product = item.pool.product.id
        if item.candidate.engine is chosen.candidate.engine and product != chosen.pool.product.id:
            yield f"hardware: not {product}: {item.why if isinstance(item, Refused) else behind(item, chosen)}"


def _other_engines(chosen: Sketch, attempts: list[Sketch | Refused]) -> Iterator[str]:
    """A line for each engine that was not taken: that another is preferred, or why it cannot, on the chosen nodes first."""
    others = {item.candidate.engine.name: item.candidate.engine for item in attempts}
    for other in others.values():
        if other is chosen.candidate.engine:
            continue
        tried = [item for item in attempts if item.candidate.engine is other]
        refused = [item for item in tried if isinstance(item, Refused)]
        if len(refused) < len(tried):
            yield f"backend: not {other.name}: it comes later in the preference"
            continue
        telling = min(refused, key=lambda item: (item.pool is not chosen.pool, -item.step))
        yield f"backend: not {telling.candidate.title}: {telling.why}"


def behind(item: Sketch, chosen: Sketch) -> str:
    """Why a sketch on another pool was not taken."""
    if item.caution and not chosen.caution:
        return item.caution.message
    if item.pool.product.cost > chosen.pool.product.cost:
        return "it ranks behind in cost"
    return "it has less room now"
