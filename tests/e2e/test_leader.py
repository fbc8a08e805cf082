"""Of several replicas of the operator one works; the next takes over in the lease's time after a crash and at once after a graceful end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from npuserve.controller.leader import DEADLINE_SECONDS, LEASE_SECONDS, RENEW_SECONDS
from tests.cluster import audit, nodes
from tests.support.installed import Operator
from tests.support.site import CREDENTIAL, Site, samples, site
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until


@pytest.fixture(scope="module")
def ground() -> Iterator[Site]:
    """No operator runs yet."""
    with site(nodes.a2_64g("a2", 1)) as built:
        yield built


def until_led_by(ground: Site, name: str, *, within: float) -> float:
    """Seconds until the replica of that name holds the lease."""
    began = time.monotonic()
    until(lambda: True if ground.leader() == name else NotYet(f"{ground.leader()!r} holds the lease"), within=within)
    return time.monotonic() - began


def leads(operator: Operator) -> float:
    return samples(operator, "npuserve_leader").get((), 0.0)


def writers(ground: Site, since: int) -> list[str]:
    """Which process wrote, once per turn, in the order of the audit log; renewals of the lease are no work."""
    turns: list[str] = []
    for event in ground.events(since):
        if audit.is_write(event) and event.get("objectRef", {}).get("resource") != "leases":
            (credential,) = event["user"]["extra"][CREDENTIAL]
            if turns[-1:] != [credential]:
                turns.append(credential)
    return turns


def test_one_of_two_works_and_the_other_waits_and_is_healthy_until_its_turn_comes(ground: Site, tenant: Tenant) -> None:
    start = ground.position()
    first, second = ground.start(name="first"), ground.start(name="second")
    until_led_by(ground, "first", within=10)
    tenant.ask("one")
    tenant.wait_until_ready("one")
    assert (leads(first), leads(second)) == (1, 0)
    assert second.answer("/readyz") == (200, "standby\n")
    assert second.answer("/healthz")[0] == 200
    assert [first.credential] == writers(ground, start)

    # A crash: nobody gives the lease up, so it has to end.
    first.process.kill()
    tenant.ask("two")
    taken = until_led_by(ground, "second", within=LEASE_SECONDS + RENEW_SECONDS + 5)
    assert taken > LEASE_SECONDS - RENEW_SECONDS - 1
    tenant.wait_until_ready("two")
    assert leads(second) == 1
    assert [first.credential, second.credential] == writers(ground, start)

    # A graceful end: the lease is given up, and a standby asks for it every few seconds.
    third = ground.start(name="third")
    assert third.answer("/readyz") == (200, "standby\n")
    second.process.stop()
    assert second.process.exit_code == 0
    until_led_by(ground, "third", within=RENEW_SECONDS + 2)
    tenant.ask("three")
    tenant.wait_until_ready("three")
    assert [first.credential, second.credential, third.credential] == writers(ground, start)
    third.process.stop()


def test_a_leader_that_cannot_renew_ends_before_another_may_have_taken_over(ground: Site, tenant: Tenant) -> None:
    """Only a new process begins without old knowledge, so it ends with a code that has it started again."""
    leader = ground.start(name="cut-off")
    until_led_by(ground, "cut-off", within=10)
    server = ground.cluster.pids["kube-apiserver"]
    os.kill(server, signal.SIGSTOP)
    try:
        began = time.monotonic()
        until(
            lambda: True if leader.process.exit_code is not None else NotYet("it still runs"), within=LEASE_SECONDS + 10
        )
        assert time.monotonic() - began < LEASE_SECONDS + 5
    finally:
        os.kill(server, signal.SIGCONT)
    assert leader.process.exit_code == 1
    assert DEADLINE_SECONDS < LEASE_SECONDS
    again = ground.start(name="cut-off")
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    again.process.stop()


def test_an_operator_in_the_middle_of_its_work_stops_within_seconds(ground: Site, tenant: Tenant) -> None:
    operator = ground.start(name="busy")
    until_led_by(ground, "busy", within=10)
    for number in range(30):
        tenant.ask(f"service-{number}", replicas=0)
    began = time.monotonic()
    os.kill(operator.process.pid, signal.SIGTERM)
    until(lambda: True if operator.process.exit_code is not None else NotYet("it still runs"), within=10)
    assert time.monotonic() - began < 8
    assert operator.process.exit_code == 0
    assert ground.leader() == ""
    ground.start(name="next")
    tenant.wait_until_ready(*(f"service-{number}" for number in range(30)))
    ground.operator.process.stop()
