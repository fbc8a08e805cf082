"""What is said about a service, state by state, and what is not said twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.api.status import InferenceServiceStatus
from npuserve.engines.launch import Literally, SecretValue, Variable
from npuserve.plan.plan import Plan, Record, Refusal
from npuserve.reconcile.autoscaling import Scaling
from npuserve.reconcile.conditions import Trouble
from npuserve.reconcile.events import Event
from npuserve.reconcile.ownership import Conflict
from npuserve.reconcile.planned import status_plan
from npuserve.reconcile.report import Report, report, same_status
from npuserve.reconcile.state import Rolled
from tests.support.plans import HUGE_PAGES, OWNER, a_launch, a_plan, a_topology, service_object

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
REFUSAL = Refusal(Reason.ILLEGAL_DEVICE_COUNT, "spec.hardware.devices", "9 is more than a node has; use 1 to 8")
SERVING = Rolled(
    desired=1,
    total=1,
    updated=1,
    ready=1,
    available=1,
    observed=True,
    finished_once=True,
    replica_failure="",
    deadline_exceeded=False,
)
STARTING = replace(SERVING, ready=0, available=0, finished_once=False)


def told(outcome: Plan | Refusal | None = None, **seen: Any) -> Report:
    """A report on a service of generation 1 without status, unless keywords say otherwise."""
    service = seen.pop("service", service_object())
    deployment = seen.get("deployment")
    running = Record((), a_plan()) if deployment is not None else None
    return report(service, outcome or a_plan(), **{"running": running, "deployment": None, "now": NOW, **seen})


def conditions(told: Report) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in told.status["conditions"]}


def message(told: Report, kind: str) -> str:
    found: str = next(item["message"] for item in told.status["conditions"] if item["type"] == kind)
    return found


READY = told(deployment=SERVING)
UNHELD = Trouble(Reason.ACTIVATOR_MISSING, "no replica of the activator is ready")
QUOTA = replace(
    STARTING, total=0, updated=0, replica_failure='pods "x" is forbidden: exceeded quota: npus, requested: 4'
)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (
            {},
            {
                "Ready": ("False", "Progressing"),
                "Reconciling": ("True", "Progressing"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": STARTING},
            {
                "Ready": ("False", "WaitingForPods"),
                "Reconciling": ("True", "WaitingForPods"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": SERVING},
            {"Ready": ("True", "Ready"), "Accepted": ("True", "Planned"), "Available": ("True", "ReplicasAvailable")},
        ),
        (
            {"deployment": replace(SERVING, total=2, updated=1, finished_once=False)},
            {
                "Ready": ("False", "RollingOut"),
                "Reconciling": ("True", "RollingOut"),
                "Accepted": ("True", "Planned"),
                "Available": ("True", "ReplicasAvailable"),
            },
        ),
        (
            {"deployment": replace(SERVING, desired=3, total=3, updated=3)},
            {
                "Ready": ("True", "Ready"),
                "Accepted": ("True", "Planned"),
                "Available": ("True", "ReplicasAvailable"),
                "Degraded": ("True", "WaitingForPods"),
            },
        ),
        (
            {"deployment": replace(SERVING, desired=3, total=3, updated=3, finished_once=False)},
            {
                "Ready": ("False", "WaitingForPods"),
                "Reconciling": ("True", "WaitingForPods"),
                "Accepted": ("True", "Planned"),
                "Available": ("True", "ReplicasAvailable"),
            },
        ),
        (
            {"deployment": replace(SERVING, desired=0, total=0, updated=0, ready=0, available=0)},
            {
                "Ready": ("True", "ScaledToZero"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "ScaledToZero"),
            },
        ),
        (
            {"deployment": replace(SERVING, desired=0, total=0, updated=0, ready=0, available=0), "trouble": UNHELD},
            {
                "Ready": ("False", "ActivatorMissing"),
                "Reconciling": ("True", "ActivatorMissing"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "ScaledToZero"),
            },
        ),
        (
            {"deployment": QUOTA},
            {
                "Ready": ("False", "QuotaExceeded"),
                "Reconciling": ("True", "QuotaExceeded"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": replace(QUOTA, replica_failure="denied by policy")},
            {
                "Ready": ("False", "ReplicaFailure"),
                "Reconciling": ("True", "ReplicaFailure"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": replace(STARTING, deadline_exceeded=True)},
            {
                "Ready": ("False", "ProgressDeadlineExceeded"),
                "Stalled": ("True", "ProgressDeadlineExceeded"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": STARTING, "trouble": Trouble(Reason.UNSCHEDULABLE, "no node has 4 free devices")},
            {
                "Ready": ("False", "Unschedulable"),
                "Reconciling": ("True", "Unschedulable"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"conflicts": (Conflict("Service x exists", passing=False),)},
            {
                "Ready": ("False", "NameConflict"),
                "Stalled": ("True", "NameConflict"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"conflicts": (Conflict("waiting for Service x", passing=True),)},
            {
                "Ready": ("False", "Progressing"),
                "Reconciling": ("True", "Progressing"),
                "Accepted": ("True", "Planned"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"deployment": SERVING, "trouble": Trouble(Reason.WRITE_REFUSED, "denied by policy")},
            {
                "Ready": ("False", "WriteRefused"),
                "Stalled": ("True", "WriteRefused"),
                "Accepted": ("True", "Planned"),
                "Available": ("True", "ReplicasAvailable"),
            },
        ),
        (
            {"outcome": REFUSAL},
            {
                "Ready": ("False", "IllegalDeviceCount"),
                "Stalled": ("True", "IllegalDeviceCount"),
                "Accepted": ("False", "IllegalDeviceCount"),
                "Available": ("False", "NoReplicaAvailable"),
            },
        ),
        (
            {"outcome": REFUSAL, "deployment": SERVING},
            {
                "Ready": ("False", "IllegalDeviceCount"),
                "Stalled": ("True", "IllegalDeviceCount"),
                "Accepted": ("False", "IllegalDeviceCount"),
                "Available": ("True", "ReplicasAvailable"),
            },
        ),
    ],
)
def test_each_state_has_its_conditions(seen: dict[str, Any], expected: dict[str, tuple[str, str]]) -> None:
    assert conditions(told(**seen)) == expected


STATES: tuple[dict[str, Any], ...] = (
    {},
    {"deployment": STARTING},
    {"deployment": SERVING},
    {"deployment": QUOTA},
    {"outcome": REFUSAL},
    {"outcome": REFUSAL, "deployment": SERVING},
    {"conflicts": (Conflict("Service x exists", passing=False),)},
    {"deployment": replace(STARTING, deadline_exceeded=True)},
)


@pytest.mark.parametrize("seen", STATES)
def test_every_status_is_one_that_the_resource_allows(seen: dict[str, Any]) -> None:
    status = told(**seen).status
    assert InferenceServiceStatus.model_validate(status).to_wire() == status


@pytest.mark.parametrize("seen", STATES)
def test_saying_the_same_again_changes_nothing_and_makes_no_event(seen: dict[str, Any]) -> None:
    first = told(**seen)
    again = told(**seen, service=service_object(status=first.status), now=NOW + timedelta(hours=1))
    assert same_status(first.status, again.status)
    assert again.events == ()


@pytest.mark.parametrize("seen", STATES)
def test_ready_goes_with_neither_reconciling_nor_stalled_and_not_ready_with_one_of_them(seen: dict[str, Any]) -> None:
    found = conditions(told(**seen))
    directions = {"Reconciling", "Stalled"} & set(found)
    assert len(directions) == (0 if found["Ready"][0] == "True" else 1)


def test_the_time_of_a_condition_moves_only_with_its_status() -> None:
    later = NOW + timedelta(minutes=5)
    first = told(deployment=STARTING)
    waiting = told(
        deployment=replace(STARTING, total=2, updated=1),
        service=service_object(generation=2, status=first.status),
        now=later,
    )
    ready = told(deployment=SERVING, service=service_object(status=waiting.status), now=later)
    times = [
        {item["type"]: item["lastTransitionTime"] for item in each.status["conditions"]}
        for each in (first, waiting, ready)
    ]
    assert times[0]["Ready"] == times[1]["Ready"] == "2026-11-03T12:00:00Z"
    assert times[2]["Ready"] == "2026-11-03T12:05:00Z"
    assert times[2]["Accepted"] == "2026-11-03T12:00:00Z"


def test_every_condition_names_the_generation_it_is_about() -> None:
    status = told(deployment=STARTING, service=service_object(generation=7)).status
    assert status["observedGeneration"] == 7
    assert {item["observedGeneration"] for item in status["conditions"]} == {7}


def test_a_refused_edit_leaves_the_running_plan_with_its_own_generation() -> None:
    edited = told(REFUSAL, deployment=SERVING, service=service_object(generation=2, status=READY.status))
    assert edited.status["plan"] == READY.status["plan"]
    assert edited.status["plan"]["observedGeneration"] == 1
    assert edited.status["observedGeneration"] == 2
    assert edited.status["address"] == READY.status["address"]
    assert message(edited, "Stalled") == "spec.hardware.devices: 9 is more than a node has; use 1 to 8"


def test_a_refused_edit_whose_status_was_lost_shows_the_plan_of_the_record() -> None:
    edited = told(REFUSAL, deployment=SERVING, service=service_object(generation=2))
    assert edited.status["plan"] == status_plan(a_plan(), 0)


def test_a_plan_that_could_not_be_written_does_not_replace_the_running_one() -> None:
    other = a_plan(devices=8)
    refused = Trouble(Reason.WRITE_REFUSED, "denied")
    blocked = told(
        other, deployment=SERVING, trouble=refused, service=service_object(generation=2, status=READY.status)
    )
    assert blocked.status["plan"]["devices"] == 4


def test_a_refused_new_service_has_no_plan_and_no_address() -> None:
    status = told(REFUSAL).status
    assert not {"plan", "address"} & set(status)
    assert (status["replicas"], status["readyReplicas"]) == (0, 0)


def test_the_address_is_the_service_and_the_model_its_served_name() -> None:
    assert READY.status["address"] == {"url": "http://qwen3-32b.team-a.svc:8000", "model": "Qwen3-32B"}


def test_the_scale_subresource_finds_replicas_and_selector() -> None:
    status = told(deployment=replace(SERVING, total=3, ready=2)).status
    assert (status["replicas"], status["readyReplicas"]) == (3, 2)
    assert status["selector"] == f"npuserve.io/service-uid={OWNER.uid}"


def test_a_ready_service_waits_silently_until_its_deployment_was_looked_at() -> None:
    unseen = told(
        deployment=replace(SERVING, observed=False, desired=3),
        service=service_object(generation=2, status=READY.status),
    )
    assert unseen == Report(READY.status, ())


def test_a_new_service_is_not_silent_about_a_deployment_that_was_not_looked_at() -> None:
    assert conditions(told(deployment=replace(STARTING, observed=False)))["Reconciling"] == ("True", "WaitingForPods")


def test_an_edit_that_is_refused_is_told_at_once() -> None:
    seen = {
        "deployment": replace(SERVING, observed=False),
        "service": service_object(generation=2, status=READY.status),
    }
    assert conditions(told(REFUSAL, **seen))["Stalled"] == ("True", "IllegalDeviceCount")


def test_a_quota_is_quoted_with_what_to_do() -> None:
    words = message(told(deployment=QUOTA), "Ready")
    assert "exceeded quota: npus" in words
    assert "spec.replicas" in words


def test_a_deadline_is_told_with_its_cause() -> None:
    late = told(
        deployment=replace(STARTING, deadline_exceeded=True),
        trouble=Trouble(Reason.IMAGE_PULL_FAILING, "no such image"),
    )
    assert "no such image" in message(late, "Stalled")


def test_a_serving_service_that_lacks_a_replica_says_why() -> None:
    lacking = replace(SERVING, desired=2, replica_failure="exceeded quota: npus")
    found = told(deployment=lacking)
    assert conditions(found)["Ready"] == ("True", "Ready")
    assert conditions(found)["Degraded"] == ("True", "QuotaExceeded")


def test_a_service_that_lost_all_replicas_is_not_merely_degraded() -> None:
    found = conditions(told(deployment=replace(SERVING, ready=0, available=0)))
    assert "Degraded" not in found
    assert found["Ready"] == ("False", "WaitingForPods")


def test_events_tell_acceptance_then_readiness_once() -> None:
    first = told()
    assert [(item.type, item.reason) for item in first.events] == [("Normal", "Planned")]
    assert "vllm-ascend 0.23.0 on 4 devices of Atlas 800I A2 64G" in first.events[0].message
    waiting = told(deployment=STARTING, service=service_object(status=first.status))
    assert waiting.events == ()
    ready = told(deployment=SERVING, service=service_object(status=waiting.status))
    assert [(item.type, item.reason) for item in ready.events] == [("Normal", "Ready")]


def test_a_refusal_is_one_warning_and_another_message_is_another() -> None:
    first = told(REFUSAL)
    assert first.events == (
        Event("Warning", "IllegalDeviceCount", "spec.hardware.devices: 9 is more than a node has; use 1 to 8"),
    )
    other = told(replace(REFUSAL, message="10 is more"), service=service_object(status=first.status))
    assert [item.message for item in other.events] == ["spec.hardware.devices: 10 is more"]


def test_a_new_trouble_is_one_warning() -> None:
    first = told(deployment=STARTING)
    quota = told(deployment=QUOTA, service=service_object(status=first.status))
    assert [(item.type, item.reason) for item in quota.events] == [("Warning", "QuotaExceeded")]
    again = told(deployment=QUOTA, service=service_object(status=quota.status))
    assert again.events == ()


def test_long_messages_fit_the_bounds_of_status_and_event() -> None:
    found = told(replace(REFUSAL, message="ü" * 9000))
    InferenceServiceStatus.model_validate(found.status)
    assert len(message(found, "Ready")) == 4096
    assert len(found.events[0].message.encode()) <= 1024


def test_long_plans_fit_the_bounds_of_the_status() -> None:
    launch = a_launch(
        args=("x" * 30_000,) * 300, environment=tuple(Variable(f"V{i}", Literally("y" * 30_000)) for i in range(200))
    )
    plan = status_plan(a_plan(launch=launch, reasons=("z" * 900,) * 90), 1)
    assert (len(plan["args"]), len(plan["env"]), len(plan["reasons"])) == (256, 128, 64)


def test_the_plan_in_the_status_holds_every_resolved_value() -> None:
    shown = status_plan(a_plan(topology=a_topology(hugepages=HUGE_PAGES)), 4)
    assert shown["observedGeneration"] == 4
    assert shown["parallelism"] == {"tensor": 4, "pipeline": 1, "data": 1, "expert": 1}
    assert shown["memory"]["kvCacheTokens"] == 655_360
    assert shown["memory"]["utilization"] == "0.92"
    assert shown["context"] == {"maxModelLen": 40_960, "maxSequences": 64}
    assert shown["topology"]["hugepages"] == {"size": "2Mi", "amount": "8Gi"}
    assert shown["topology"]["cpuPinning"] is False
    assert shown["schedulerName"] == "default-scheduler"
    assert shown["args"] == list(a_plan().launch.args)
    assert shown["reasons"] == list(a_plan().reasons)


def test_the_plan_in_the_status_names_secrets_and_never_shows_where_they_are() -> None:
    launch = a_launch(environment=(Variable("A", Literally("1")), Variable("KEY", SecretValue("clients", "token"))))
    assert status_plan(a_plan(launch=launch), 1)["env"] == [{"name": "A", "value": "1"}, {"name": "KEY"}]


def test_statuses_are_the_same_whatever_the_order_of_conditions_and_variables() -> None:
    status = READY.status
    plan = {**status["plan"], "env": status["plan"]["env"][::-1]}
    assert same_status(status, {**status, "conditions": status["conditions"][::-1], "plan": plan})
    assert not same_status(status, {**status, "conditions": status["conditions"][1:]})
    assert not same_status(status, {**status, "replicas": 5})
    assert not same_status(status, {**status, "plan": {**status["plan"], "args": ["x"]}})
    assert not same_status({}, status)


MINDIE = a_plan(backend="mindie", backend_version="3.0.0")


@pytest.mark.parametrize(
    ("plan", "reason", "told"),
    [
        (MINDIE, "BackendMaintenanceOnly", "mindie 3.0.0: its vendor maintains it without new features"),
        (a_plan(product="Atlas 300I Duo 96G"), "BackendExperimental", "experimentally; Try the service"),
        (a_plan(backend_version="0.30.0rc2"), "BackendPrerelease", "0.30.0rc2 is a pre-release; Leave"),
    ],
)
def test_what_is_worth_knowing_of_an_engine_is_a_condition_with_what_to_do(plan: Plan, reason: str, told: str) -> None:
    answer = report(service_object(), plan, running=Record((), plan), deployment=SERVING, now=NOW)
    assert conditions(answer)["Advisory"] == ("True", reason)
    assert told in message(answer, "Advisory")


def test_advice_changes_no_other_condition_and_no_event() -> None:
    plain = told(deployment=SERVING)
    advised = report(service_object(), MINDIE, running=Record((), MINDIE), deployment=SERVING, now=NOW)
    assert "Advisory" not in conditions(plain)
    assert {kind: seen for kind, seen in conditions(advised).items() if kind != "Advisory"} == conditions(plain)
    assert {event.reason for event in advised.events} == {event.reason for event in plain.events}


def test_a_refusal_and_an_engine_of_another_operator_carry_no_advice() -> None:
    assert "Advisory" not in conditions(told(REFUSAL))
    assert "Advisory" not in conditions(told(a_plan(backend="gone"), deployment=SERVING))


def test_advice_is_written_once() -> None:
    first = report(service_object(), MINDIE, running=Record((), MINDIE), deployment=SERVING, now=NOW)
    again = report(
        service_object(status=first.status),
        MINDIE,
        running=Record((), MINDIE),
        deployment=SERVING,
        now=NOW + timedelta(hours=1),
    )
    assert same_status(first.status, again.status)
    assert again.events == ()


def test_a_part_of_a_device_is_shown_with_its_memory() -> None:
    part = a_plan(devices=1, slice_mib=16384)
    assert status_plan(part, 1)["deviceMemory"] == "16Gi"
    assert "deviceMemory" not in status_plan(a_plan(), 1)
    assert "on 16384 MiB of a device of" in message(told(part), "Accepted")


ACTIVE = Scaling("active", floor=2)


@pytest.mark.parametrize(
    ("available", "expected"), [(1, ("False", "WaitingForPods")), (2, ("True", "Ready")), (3, ("True", "Ready"))]
)
def test_an_autoscaled_service_is_ready_with_the_replicas_that_it_keeps_at_least(
    available: int, expected: tuple[str, str]
) -> None:
    first = replace(STARTING, desired=6, total=6, updated=6, ready=available, available=available)
    assert conditions(told(deployment=first, scaling=ACTIVE))["Ready"] == expected


def test_a_step_of_the_autoscaler_clears_no_ready_and_degrades_nothing() -> None:
    step = replace(SERVING, desired=6, total=6, updated=6, ready=2, available=2)
    said = conditions(told(deployment=step, scaling=ACTIVE))
    assert said["Ready"] == ("True", "Ready")
    assert "Degraded" not in said
    assert conditions(told(deployment=step))["Degraded"] == ("True", "WaitingForPods")


def test_replicas_beyond_the_floor_that_crash_degrade_an_autoscaled_service_and_those_without_a_node_do_not() -> None:
    step = replace(SERVING, desired=6, total=6, updated=6, ready=2, available=2)
    crash = told(deployment=step, scaling=ACTIVE, trouble=Trouble(Reason.CRASH_LOOPING, "it ends"))
    assert conditions(crash)["Degraded"] == ("True", "CrashLooping")
    waits = told(deployment=step, scaling=ACTIVE, trouble=Trouble(Reason.UNSCHEDULABLE, "no node"))
    assert "Degraded" not in conditions(waits)


FROM_ZERO = replace(SERVING, desired=1, total=1, updated=1, ready=0, available=0)


def test_a_service_stays_ready_while_its_first_replica_starts_from_zero() -> None:
    found = conditions(told(deployment=FROM_ZERO, scaling=Scaling("active", floor=0)))
    assert found["Ready"] == ("True", "ScalingUp")
    assert found["Available"] == ("False", "NoReplicaAvailable")
    assert not {"Reconciling", "Degraded"} & set(found)


@pytest.mark.parametrize(
    ("deployment", "trouble", "reason"),
    [
        (FROM_ZERO, Trouble(Reason.CRASH_LOOPING, "exit code 1"), "CrashLooping"),
        (FROM_ZERO, Trouble(Reason.UNSCHEDULABLE, "no node has 4 free devices"), "Unschedulable"),
        (replace(FROM_ZERO, replica_failure="denied by policy"), None, "ReplicaFailure"),
        (replace(FROM_ZERO, deadline_exceeded=True), None, "ProgressDeadlineExceeded"),
    ],
)
def test_a_first_replica_that_cannot_start_is_told(deployment: Rolled, trouble: Trouble | None, reason: str) -> None:
    found = conditions(told(deployment=deployment, trouble=trouble, scaling=Scaling("active", floor=0)))
    assert found["Ready"] == ("False", reason)


def test_the_last_decision_is_in_the_status_and_gone_with_the_autoscaling() -> None:
    decision = {"replicas": 3, "wanted": 3, "constraint": "Demand", "message": "why", "profile": "estimate"}
    assert told(deployment=SERVING, scaling=Scaling("active", told=decision)).status["autoscaling"] == decision
    assert "autoscaling" not in told(deployment=SERVING).status
