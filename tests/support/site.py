"""A cluster with the operator installed, and what the audit log tells of the operator's doings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from npuserve.controller.access import CLUSTER, ELECTION, WORK, Rule
from npuserve.controller.leader import NAME
from npuserve.controller.resources import LEASES, SERVICE
from tests.cluster import audit
from tests.cluster.control_plane import ALL, FAST_STAGES, ControlPlane
from tests.cluster.kubectl import Object
from tests.support.api import Api
from tests.support.installed import NAMESPACE, RUN, USER, Operator, install, start_operator
from tests.support.waiting import NotYet, until

GARBAGE_COLLECTOR = "kube-controller-manager"
CREDENTIAL = "authentication.kubernetes.io/credential-id"
"""Of a user in an audit event: which token was shown."""
_DECISION = "authorization.k8s.io/decision"
_CREATED = 201


class Site:
    """A running cluster, its API, and the operator that works on it now."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster = cluster
        self.api = Api(cluster)
        self.operator: Operator

    def start(
        self, *, name: str = "operator", command: Sequence[str] = RUN, environment: Mapping[str, str] | None = None
    ) -> Operator:
        """A new operator process, working as soon as the lease is its own."""
        self.operator = start_operator(self.cluster, name=name, command=command, environment=environment)
        return self.operator

    def leader(self) -> str:
        """The name of the operator that holds the lease; empty while none does."""
        lease = self.api.find(LEASES, NAMESPACE, NAME) or {}
        return str(lease.get("spec", {}).get("holderIdentity") or "")

    def start_and_look(self, *, command: Sequence[str] = RUN, environment: Mapping[str, str] | None = None) -> None:
        """Start it and return when it has done a pass over every service there is."""
        self.start(command=command, environment=environment)
        until(self._looked_at_all)

    def _looked_at_all(self) -> bool | NotYet:
        expected = {(item["metadata"]["name"], item["metadata"]["namespace"]) for item in self.api.list(SERVICE)}
        code, role = self.operator.answer("/readyz")
        seen = {labels[:2] for labels in samples(self.operator, "npuserve_service_condition")}
        waiting = sum(samples(self.operator, "npuserve_queue_depth").values())
        if code == 200 and role.strip() == "leader" and not waiting and expected <= seen:
            return True
        return NotYet(f"{role.strip()}, {len(expected & seen)} of {len(expected)} services seen, {waiting:.0f} waiting")

    def writes(
        self, since: int = 0, *, resource: str = "", namespace: str = "", by: Operator | None = None
    ) -> list[str]:
        """Every write of the operator, or of one process of it, after a position of the audit log, one line each, renewals
        of its lease left out."""
        return [
            audit.described(event)
            for event in self.events(since)
            if audit.is_write(event)
            and _part(event, "resource") != "leases"
            and resource in ("", _part(event, "resource"))
            and namespace in ("", _part(event, "namespace"))
            and (by is None or by.credential in event["user"]["extra"][CREDENTIAL])
        ]

    def refusals(self) -> list[audit.Event]:
        """Every request of the operator that RBAC refused."""
        return [event for event in self.events() if event.get("annotations", {}).get(_DECISION) == "forbid"]

    def beyond_its_rights(self) -> list[str]:
        """Kinds of request that were refused and that its rights do not name: an API server that has just started knows
        no roles and refuses everything."""
        return sorted({_kind(event) for event in self.refusals()} - named((*WORK, *CLUSTER, *ELECTION)))

    def events(self, since: int = 0) -> Iterator[audit.Event]:
        return self.cluster.audit(USER, since)

    def position(self) -> int:
        return self.cluster.audit_position()


@dataclass(frozen=True, slots=True)
class Rest:
    """A cluster that is left alone, since when (monotonic seconds), and where its audit log stood then."""

    site: Site
    since: float
    position: int


@contextmanager
def site(
    nodes: Sequence[Object],
    *,
    components: Sequence[str] = ALL,
    stages: Sequence[str] = FAST_STAGES,
    extra_stages: Sequence[Path] = (),
    values: Mapping[str, Any] | None = None,
) -> Iterator[Site]:
    """A cluster with these nodes, the CRD and the operator's account; no operator runs yet.

    `stages` and `extra_stages` are the control plane's, `values` the chart's. At its end the operator has never asked
    for anything that its rights do not give.
    """
    with ControlPlane(components, stages, extra_stages=extra_stages) as cluster:
        install(cluster, values)
        if GARBAGE_COLLECTOR in components:
            # It looks for new kinds of owners every 30 s, and when it starts.
            cluster.restart(GARBAGE_COLLECTOR)
        cluster.add_nodes(nodes)
        built = Site(cluster)
        try:
            yield built
            if refused := built.beyond_its_rights():
                raise AssertionError(f"the operator asks for what its rights do not give: {refused}")
        finally:
            built.api.hang_up()


def samples(operator: Operator, family: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by the values of its labels, in the order of their names."""
    families = text_string_to_metric_families(operator.get("/metrics"))
    found = [sample for item in families for sample in item.samples if sample.name == family]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in found}


def passes(operator: Operator) -> float:
    """Passes over services since the operator started."""
    return sum(samples(operator, "npuserve_reconcile_total").values())


def _part(event: audit.Event, key: str) -> str:
    """A part of what the request was about."""
    return str(event.get("objectRef", {}).get(key, ""))


def _kind(event: audit.Event) -> str:
    """Verb and resource, for example `patch inferenceservices/status`."""
    resource = "/".join(part for part in (_part(event, "resource"), _part(event, "subresource")) if part)
    return f"{event['verb']} {resource or event['requestURI']}"


def kinds(site: Site) -> set[str]:
    """The rights that the operator used: verb and resource of every request that was granted. An apply that makes an object
    needs `create` beside `patch`."""
    granted = [event for event in site.events() if event.get("annotations", {}).get(_DECISION) == "allow"]
    made = [
        {**event, "verb": "create"} for event in granted if event["verb"] == "patch" and audit.code(event) == _CREATED
    ]
    return {_kind(event) for event in (*granted, *made)}


def named(rules: Iterable[Rule]) -> set[str]:
    """The kinds of request that rules grant."""
    return {
        f"{verb} {'/'.join(part for part in (rule.resource.plural, rule.subresource) if part)}"
        for rule in rules
        for verb in rule.verbs
    }
