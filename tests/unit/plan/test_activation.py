"""Services that may have no replica: who may ask for that, and how their requests are held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from npuserve.api.conditions import Reason
from npuserve.configuration import Activator, Configuration
from npuserve.plan import autoscaling
from npuserve.plan.activation import Holding, allot, holding_of, may_have_none
from tests.support.clusters import A2_64G, cluster
from tests.support.services import a_service, planned, refused

ENABLED = Configuration(activator=Activator(enabled=True, hold_seconds=600, held_requests=50))
ZERO = {"minReplicas": 0, "maxReplicas": 4}


def test_a_service_may_have_no_replica_only_where_its_floor_says_so() -> None:
    assert may_have_none(a_service(autoscaling=ZERO).spec)
    assert not may_have_none(a_service(autoscaling={"maxReplicas": 4}).spec)
    assert not may_have_none(a_service(replicas=0).spec)


def test_without_the_activator_no_replica_is_refused_by_field_with_the_fix() -> None:
    found = refused(a_service(autoscaling=ZERO), cluster(A2_64G))
    assert (found.reason, found.field) == (Reason.INVALID_SPEC, "spec.autoscaling.minReplicas")
    assert "activator.enabled" in found.message
    assert "minReplicas 1" in found.message


@pytest.mark.parametrize(("asked", "configuration"), [(ZERO, ENABLED), ({**ZERO, "minReplicas": 1}, Configuration())])
def test_with_the_activator_or_a_floor_it_is_not(
    asked: dict[str, int], configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoscaling, "ACTIVE", True, raising=False)
    assert planned(a_service(autoscaling=asked), cluster(A2_64G), configuration).devices


def test_a_request_waits_as_long_as_a_start_may_take_but_not_longer_than_the_configuration_says() -> None:
    service, plan = a_service(), planned(a_service(), cluster(A2_64G))
    for hold, startup, expected in ((600, 900, 600), (1200, 900, 900)):
        timed = replace(plan, timing=replace(plan.timing, startup=startup))
        found = holding_of(service.spec, timed, Activator(hold_seconds=hold, held_requests=7))
        assert found == Holding(requests=7, seconds=expected, model=plan.served_name)


def test_where_a_key_is_needed_the_name_of_the_model_is_not_told() -> None:
    service = a_service(auth={"apiKeySecretRef": {"name": "key"}})
    assert holding_of(service.spec, planned(a_service(), cluster(A2_64G)), Activator()).model == ""


def test_a_range_of_ports_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="firstPort 30000 is above lastPort 20000"):
        Configuration.model_validate({"activator": {"firstPort": 30_000, "lastPort": 20_000}})


def test_a_port_that_left_the_configured_range_is_given_up() -> None:
    assert allot("a", {"a": 100}, range(20_000, 20_001)) == 20_000
