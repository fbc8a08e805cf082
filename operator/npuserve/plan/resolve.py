"""What shall run: a service and a cluster in, the plan with its reasons or the refusal with its fix out.

Rule: `resolve` is total and deterministic, asks nothing and changes nothing. With an unchanged spec the earlier plan is
the answer, word for word, so that neither a new default nor a neighbour's pod nor an upgrade ever rolls what runs.
"""

from __future__ import annotations

from npuserve.cluster.facts import ClusterFacts
from npuserve.configuration import Configuration
from npuserve.plan import backend
from npuserve.plan.autoscaling import autoscaling_refusal
from npuserve.plan.backend import Refused, Sketch
from npuserve.plan.considered import consider
from npuserve.plan.finish import finish
from npuserve.plan.intent import Intent
from npuserve.plan.passed_over import reasons
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.plan.service import Service
from npuserve.plan.sticky import Pins, parts_of, pins_to_try
from npuserve.plan.template import template_refusal

_HOST_STEP = 6
"""What a host cannot give is told last: everything else was right."""


def resolve(
    service: Service, cluster: ClusterFacts, configuration: Configuration, *, previous: Record | None
) -> Record | Refusal:
    """The plan to run, as a record for the next pass; the earlier one itself while the spec is unchanged."""
    refused = template_refusal(service.spec.template, configuration.allow) or autoscaling_refusal(
        service.spec, configuration.activator
    )
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
    found = consider(service, cluster, configuration, pins=pins)
    return found if isinstance(found, Refusal) else _settled(found.intent, found.tried, cluster)


def _settled(intent: Intent, tried: list[Sketch | Refused], cluster: ClusterFacts) -> Plan | Refusal:
    """The best sketch whose host can give what the service asks of it; the others are told as refused by their host."""
    chosen = backend.choose(tried, cluster)
    if isinstance(chosen, Refusal):
        return chosen
    spec = intent.service.spec
    why = reasons(chosen, tried, asked=spec.backend, named=spec.hardware.product)
    outcome = finish(intent, chosen, why=(*why, *_unknown_capacity(cluster)))
    if isinstance(outcome, Plan):
        return outcome
    passed = Refused(chosen.candidate, chosen.pool, _HOST_STEP, outcome)
    return _settled(intent, [passed if item is chosen else item for item in tried], cluster)


def _unknown_capacity(cluster: ClusterFacts) -> tuple[str, ...]:
    return (
        ()
        if cluster.known
        else ("hardware: which devices are free is unknown, for the operator may not read nodes and pods",)
    )
