"""What the operator answers over HTTP, and when it calls itself stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from npuserve.controller.freshness import HEARD_SECONDS, WORKED_SECONDS, Freshness
from npuserve.controller.health import Health, Role
from npuserve.controller.metrics import Metrics
from npuserve.controller.queue import Lane


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(path: str, arrange: Callable[[Health, Clock], None]) -> tuple[int, str]:
    async def main() -> tuple[int, str]:
        clock = Clock()
        health = Health(Freshness(clock=clock), Metrics())
        arrange(health, clock)
        await health.start("127.0.0.1", 0)
        try:
            async with ClientSession() as session, session.get(f"http://127.0.0.1:{health.port}{path}") as answer:
                return answer.status, await answer.text()
        finally:
            await health.stop()

    return asyncio.run(main())


def test_an_operator_that_hears_its_streams_is_healthy_and_says_what_it_is() -> None:
    def arrange(health: Health, clock: Clock) -> None:
        health.role = Role.LEADER
        health.freshness.heard("deployments")
        clock.now = HEARD_SECONDS - 1

    assert ask("/healthz", arrange) == (200, "ok (leader)\ndeployments: 149 s\n")


def test_one_silent_stream_is_enough_to_be_unhealthy() -> None:
    def arrange(health: Health, clock: Clock) -> None:
        health.freshness.heard("deployments")
        clock.now = HEARD_SECONDS + 1
        health.freshness.heard("services")

    code, text = ask("/healthz", arrange)
    assert code == 503
    assert text.startswith("deployments was not heard for 151 s")


def test_a_stream_that_was_closed_need_not_be_heard() -> None:
    def arrange(health: Health, clock: Clock) -> None:
        health.freshness.heard("nodes")
        health.freshness.closed("nodes")
        clock.now = 10 * HEARD_SECONDS

    assert ask("/healthz", arrange)[0] == 200


def test_work_that_is_not_done_is_unhealthy_and_no_work_is_not() -> None:
    def stuck(health: Health, clock: Clock) -> None:
        health.freshness.work_arrived()
        clock.now = WORKED_SECONDS + 1

    def busy(health: Health, clock: Clock) -> None:
        health.freshness.work_arrived()
        clock.now = WORKED_SECONDS - 1
        health.freshness.worked(5)
        clock.now = 2 * WORKED_SECONDS - 2

    def idle(health: Health, clock: Clock) -> None:
        health.freshness.work_arrived()
        health.freshness.worked(0)
        clock.now = 10 * WORKED_SECONDS

    assert [ask("/healthz", arrange)[0] for arrange in (stuck, busy, idle)] == [503, 200, 200]


@pytest.mark.parametrize(
    ("role", "code"), [(Role.STARTING, 503), (Role.STANDBY, 200), (Role.SYNCING, 503), (Role.LEADER, 200)]
)
def test_a_standby_is_ready_and_a_leader_that_still_reads_is_not(role: Role, code: int) -> None:
    def arrange(health: Health, clock: Clock) -> None:
        health.role = role

    assert ask("/readyz", arrange) == (code, f"{role}\n")


def test_metrics_tell_queue_streams_requests_and_the_build() -> None:
    def arrange(health: Health, clock: Clock) -> None:
        health.freshness.heard("pods")
        clock.now = 3
        health.metrics.watch(lambda: {Lane.FRESH: 2, Lane.KNOWN: 0}, health.freshness.ages)
        health.metrics.requested("apply", "deployments", 201)
        health.metrics.leads(1)

    code, text = ask("/metrics", arrange)
    assert code == 200
    for line in (
        'npuserve_queue_depth{lane="fresh"} 2.0',
        'npuserve_watch_age_seconds{stream="pods"} 3.0',
        'npuserve_api_requests_total{code="201",resource="deployments",verb="apply"} 1.0',
        "npuserve_leader 1.0",
        "npuserve_build_info{version=",
    ):
        assert line in text
