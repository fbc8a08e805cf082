"""What each engine makes of an intent on each pool of nodes: a sketch of a plan, or how far it came and why not
further.

The steps, later ones being the more telling refusals: memory of the product known, engine and version can, image
published, arguments right, context possible, layout fits.
"""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.api.serving import Context, Parallelism
from npuserve.engines.contract import Choice
from npuserve.plan import backend as engines
from npuserve.plan import context as contexts
from npuserve.plan.hardware import Pool
from npuserve.plan.image import decide_image
from npuserve.plan.intent import Intent
from npuserve.plan.layout import Layout, choose_layout
from npuserve.plan.plan import Refusal
from npuserve.plan.siblings import offered, runnable
from npuserve.plan.splits import Question
from npuserve.plan.sticky import Pins


def attempts(
    intent: Intent, offered: tuple[Pool, ...], wanted: tuple[engines.Candidate, ...]
) -> list[engines.Sketch | engines.Refused]:
    """Every engine on every pool, in the newest of its wanted versions that can."""
    names = dict.fromkeys(candidate.engine.name for candidate in wanted)
    return [
        _first_that_can(intent, pool, tuple(candidate for candidate in wanted if candidate.engine.name == name))
        for name in names
        for pool in offered
    ]


def _first_that_can(
    intent: Intent, pool: Pool, versions: tuple[engines.Candidate, ...]
) -> engines.Sketch | engines.Refused:
    """The first version that can, else the refusal of the one that came furthest."""
    refused: list[engines.Refused] = []
    for candidate in versions:
        attempt = _attempt(intent, pool, candidate)
        if isinstance(attempt, engines.Sketch):
            return attempt
        refused.append(attempt)
    return max(refused, key=lambda item: item.step)


def _attempt(intent: Intent, pool: Pool, candidate: engines.Candidate) -> engines.Sketch | engines.Refused:
    engine, product = candidate.engine, pool.product
    choice = Choice(intent.model, intent.scheme.name, product, candidate.version, intent.weights, intent.served_name)
    if product.usable_bytes is None:
        message = f"no source states the memory of {product.id}, so nothing can be planned for it; name another product"
        return engines.Refused(candidate, pool, 0, Refusal(Reason.UNKNOWN_HARDWARE, "spec.hardware.product", message))
    if (obstacle := engine.obstacle(choice)) is not None:
        published = runnable(engine, choice) if obstacle.about == "quantization" else ()
        refusal = engines.obstacle_refusal(candidate, obstacle, instead=offered(published))
        return engines.Refused(candidate, pool, 1, refusal)
    image = intent.pins.image or decide_image(engine, candidate.version, product, intent.configuration.images)
    if isinstance(image, Refusal):
        return engines.Refused(candidate, pool, 2, image)
    faults = engine.faults(
        choice,
        arguments=intent.arguments,
        variables=intent.variables,
        api_key=intent.api_key is not None,
        remote_code=intent.configuration.allow.trust_remote_code,
    )
    if faults:
        return engines.Refused(candidate, pool, 3, engines.fault_refusal(candidate, faults[0]))
    return _laid_out(intent, pool, candidate, choice=choice, image=image)


def _laid_out(
    intent: Intent, pool: Pool, candidate: engines.Candidate, *, choice: Choice, image: str
) -> engines.Sketch | engines.Refused:
    wish = intent.service.spec.context if intent.pins.context is None else _as_context(intent.pins)
    longest = candidate.engine.longest_context(choice, intent.arguments)
    lengths = contexts.lengths(wish, intent.model, longest=longest)
    if isinstance(lengths, Refusal):
        return engines.Refused(candidate, pool, 4, lengths)
    question = question_of(intent, pool, candidate, choice=choice)
    first: Refusal | None = None
    for length in lengths:
        window = contexts.window(wish, length, candidate.engine.default_sequences(choice))
        layout = choose_layout(question, window)
        if isinstance(layout, Layout):
            said = contexts.reason(intent.service.spec.context, intent.model, window)
            return engines.Sketch(candidate, pool, choice, image, _dtype(choice), layout, said)
        first = first or layout
    assert first is not None
    return engines.Refused(candidate, pool, 5, first)


def _as_context(pins: Pins) -> Context:
    kept = pins.context
    return Context() if kept is None else Context(max_model_len=kept.max_model_len, max_sequences=kept.max_sequences)


def question_of(intent: Intent, pool: Pool, candidate: engines.Candidate, *, choice: Choice) -> Question:
    """What is asked of a layout: the choice, with the sizes that the service or an earlier plan fixes."""
    kept, spec = intent.pins.parallelism, intent.service.spec
    wish = spec.parallelism if kept is None else Parallelism(
        tensor=kept.tensor, pipeline=kept.pipeline, data=kept.data, expert=kept.expert > 1
    )  # fmt: skip
    return Question(
        engine=candidate.engine,
        choice=choice,
        pool=pool,
        wish=wish,
        devices=spec.hardware.devices,
        utilization=candidate.engine.utilization(candidate.version, intent.arguments),
        arguments=intent.arguments,
        variables=intent.variables,
    )


def _dtype(choice: Choice) -> str:
    """The model's own floating-point type where the chip computes in it, else float16, which every chip does."""
    own = "bfloat16" if choice.model.dtype == "float32" else choice.model.dtype
    return own if own in choice.product.dtypes else "float16"
