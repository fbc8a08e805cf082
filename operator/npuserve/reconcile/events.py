"""What happened to a service since its earlier status: one event per transition, none for a repeated statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from npuserve.api.conditions import ConditionType, Reason

LONGEST_MESSAGE = 1024
"""Bytes of an event's message (kubernetes/kubernetes: pkg/apis/core/validation/events.go)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of `kubectl describe`."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(earlier: Mapping[str, Mapping[str, Any]], conditions: Sequence[Mapping[str, Any]]) -> tuple[Event, ...]:
    """Events between the conditions by type of the earlier status and those of the present one."""
    present = {item["type"]: item for item in conditions}
    return (*_acceptance(earlier, present), *_readiness(earlier, present))


def _acceptance(earlier: Mapping[str, Mapping[str, Any]], present: Mapping[str, Mapping[str, Any]]) -> Iterator[Event]:
    now = present[ConditionType.ACCEPTED]
    if _says(now) != _says(earlier.get(ConditionType.ACCEPTED, {})):
        yield _event("Normal" if now["status"] == "True" else "Warning", now)


def _readiness(earlier: Mapping[str, Mapping[str, Any]], present: Mapping[str, Mapping[str, Any]]) -> Iterator[Event]:
    """Ready turning true, and every new trouble; a refusal has been told already."""
    now, before = present[ConditionType.READY], earlier.get(ConditionType.READY, {})
    if now["status"] == "True":
        if before.get("status") != "True":
            yield _event("Normal", now)
        return
    needs_someone = bool(Reason(now["reason"]).fix) and present[ConditionType.ACCEPTED]["status"] == "True"
    if needs_someone and (before.get("status"), before.get("reason")) != ("False", now["reason"]):
        yield _event("Warning", now)


def _says(condition: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return condition.get("status"), condition.get("reason"), condition.get("message")


def _event(kind: Literal["Normal", "Warning"], condition: Mapping[str, Any]) -> Event:
    return Event(kind, condition["reason"], cut(condition["message"]))


def cut(message: str) -> str:
    """At most 1024 bytes, ending between characters."""
    return message.encode()[:LONGEST_MESSAGE].decode(errors="ignore")
