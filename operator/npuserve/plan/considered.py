"""What of the cluster and the engines comes into question for a service, and what each makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.plan import backend
from npuserve.plan.attempts import attempts
from npuserve.plan.backend import Refused, Sketch
from npuserve.plan.hardware import narrowed, pools
from npuserve.plan.intent import Intent, intend
from npuserve.plan.plan import Refusal
from npuserve.plan.service import Service
from npuserve.plan.slicing import sliced
from npuserve.plan.sticky import Pins


@dataclass(frozen=True, slots=True)
class Considered:
    """A service's intent, and an attempt for every engine on every pool of nodes it may use."""

    intent: Intent
    tried: list[Sketch | Refused]


def consider(
    service: Service, cluster: ClusterFacts, configuration: Configuration, *, pins: Pins
) -> Considered | Refusal:
    """Every attempt within the pins, or the first part of the service that leaves nothing to try."""
    intent = intend(service, configuration, pins)
    if isinstance(intent, Refusal):
        return intent
    spec = service.spec
    there = pools(narrowed(spec.hardware, service.profile), spec.template, cluster)
    offered = there if isinstance(there, Refusal) else sliced(there, spec.hardware, spec.parallelism)
    if isinstance(offered, Refusal):
        return offered
    kept = tuple(
        pool for pool in offered if pins.product in ("", pool.product.id) and pins.resource in ("", pool.resource)
    )
    if not kept:
        return Refusal(
            Reason.NO_MATCHING_NODES,
            "spec.hardware.product",
            f"no node that can be used offers {pins.product} any more",
        )
    preferred = backend.preference(configuration.engine_preference)
    wanted = backend.candidates(pins.engine or spec.backend, pins.version or spec.backend_version, preferred)
    if isinstance(wanted, Refusal):
        return wanted
    return Considered(intent, attempts(intent, kept, wanted))
