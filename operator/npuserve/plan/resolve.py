"""What shall run: a service and a cluster in, the plan with its reasons or the refusal with its fix out.

Rule: `resolve` is total and deterministic, asks nothing and changes nothing. With an unchanged spec the earlier plan is
the answer, word for word, so that neither a new default nor a neighbour's pod nor an upgrade ever rolls what runs.
"""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.plan import backend
from npuserve.plan.attempts import attempts
from npuserve.plan.autoscaling import autoscaling_refusal
from npuserve.plan.finish import finish
from npuserve.plan.hardware import narrowed, pools
from npuserve.plan.intent import intend
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.service import Service
from npuserve.plan.sticky import Pins, parts_of, pins_to_try
from npuserve.plan.template import template_refusal


def resolve(
    service: Service, cluster: ClusterFacts, configuration: Configuration, *, previous: Record | None
) -> Record | Refusal:
    """The plan to run, as a record for the next pass; the earlier one itself while the spec is unchanged."""
    refused = template_refusal(service.spec.template, configuration.allow) or autoscaling_refusal(service.spec)
    if refused is not None:
        return refused
    parts = parts_of(service)
    if previous is not None and previous.parts == parts:
        return previous
    *tighter, loosest = pins_to_try(previous, parts)
    for pins in tighter:
        kept = _decide(service, cluster, configuration, pins=pins)
        if isinstance(kept, Plan):
            return Record(parts, kept)
    outcome = _decide(service, cluster, configuration, pins=loosest)
    return Record(parts, outcome) if isinstance(outcome, Plan) else outcome


def _decide(service: Service, cluster: ClusterFacts, configuration: Configuration, *, pins: Pins) -> Plan | Refusal:
    intent = intend(service, configuration, pins)
    if isinstance(intent, Refusal):
        return intent
    spec = service.spec
    offered = pools(narrowed(spec.hardware, service.profile), spec.template, cluster)
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
    tried = attempts(intent, kept, wanted)
    chosen = backend.choose(tried, cluster)
    if isinstance(chosen, Refusal):
        return chosen
    why = backend.reasons(chosen, tried, asked=spec.backend, named=spec.hardware.product)
    return finish(intent, chosen, why=(*why, *_unknown_capacity(cluster)))


def _unknown_capacity(cluster: ClusterFacts) -> tuple[str, ...]:
    return (
        ()
        if cluster.known
        else ("hardware: which devices are free is unknown, for the operator may not read nodes and pods",)
    )
