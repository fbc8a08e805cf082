"""A converged cluster costs nothing: no write over two minutes but the renewal of the lease, and none after a restart of the operator."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster import audit
from tests.cluster.processes import Running
from tests.support.site import Rest

QUIET_SECONDS = 120.0
AFTERWARDS_SECONDS = 3.0
"""Which a late write gets after every service was looked at."""


@pytest.mark.last
def test_two_minutes_at_rest_see_no_write_but_the_renewal_of_the_lease(rest: Rest) -> None:
    time.sleep(max(0.0, rest.since + QUIET_SECONDS - time.monotonic()))
    seconds = time.monotonic() - rest.since
    assert rest.site.writes(rest.position) == []
    renewals = [event for event in rest.site.events(rest.position) if audit.is_write(event)]
    assert len(renewals) >= seconds / 10
    assert {event["objectRef"]["resource"] for event in renewals} == {"leases"}
    assert rest.site.operator.process.exit_code is None


@pytest.mark.last
@pytest.mark.parametrize("end", [Running.stop, Running.kill], ids=["stopped", "killed"])
def test_an_operator_that_starts_again_writes_nothing_but_its_lease(rest: Rest, end: Callable[[Running], None]) -> None:
    """It has looked at every service by the time its writes are counted."""
    position = rest.site.position()
    end(rest.site.operator.process)
    rest.site.start_and_look()
    time.sleep(AFTERWARDS_SECONDS)
    assert rest.site.writes(position) == []
