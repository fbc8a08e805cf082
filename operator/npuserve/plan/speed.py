"""How fast a replica of a plan is likely to be, for the autoscaler to start from."""

from __future__ import annotations

from npuserve import chips
from npuserve.autoscale.estimate import Served, estimated
from npuserve.autoscale.profile import EngineProfile
from npuserve.models.facts import ModelFacts
from npuserve.models.memory import active_parameters
from npuserve.plan.plan import Plan


def estimated_profile(plan: Plan, model: ModelFacts) -> EngineProfile | None:
    """The estimate out of product, model and budget; None where the plan is for a product that this operator no longer
    knows."""
    product = chips.by_id(plan.product)
    if product is None:
        return None
    ranks, tokens = plan.parallelism.data, plan.memory.kv_cache_tokens
    served = Served(
        weight_bytes=plan.memory.weights * plan.devices,
        active_parameters=active_parameters(model),
        cache_bytes_per_token=plan.memory.kv_cache * plan.devices / ranks / max(1, tokens),
        cache_tokens=tokens * ranks,
        devices=plan.devices,
        max_sequences=plan.context.max_sequences * ranks,
    )
    return estimated(product, served)
