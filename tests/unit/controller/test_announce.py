"""How events get their names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from npuserve.controller.announce import event_manifest
from npuserve.reconcile.events import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLANNED = Event("Normal", "Planned", "vllm-ascend 0.23.0 on 2 devices")


def service(name: str = "qwen", version: str = "7", uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "team-a", "uid": uid, "resourceVersion": version}}


def name_of(body: dict[str, Any], event: Event = PLANNED) -> str:
    return str(event_manifest(body, event, identity="npuserve-0", now=NOW)["metadata"]["name"])


def test_a_repeated_pass_makes_the_same_name_and_a_later_transition_another_one() -> None:
    assert name_of(service()) == name_of(service())
    others = [service(version="8"), service(uid="v")]
    names = {name_of(service()), *map(name_of, others), name_of(service(), Event("Normal", "Ready", ""))}
    assert len(names) == 4


def test_the_name_of_the_longest_service_is_legal() -> None:
    name = name_of(service(name="a" * 253))
    assert len(name) <= 253
    assert "-." not in name_of(service(name="a" * 219 + "-" + "b" * 20))


def test_kubectl_finds_the_event_by_its_object() -> None:
    event = event_manifest(service(), PLANNED, identity="npuserve-0", now=NOW)
    assert event["involvedObject"]["uid"] == "u"
    assert event["involvedObject"]["kind"] == "InferenceService"
    assert event["metadata"]["namespace"] == event["involvedObject"]["namespace"] == "team-a"
    assert event["lastTimestamp"] == "2026-11-20T12:00:00Z"
