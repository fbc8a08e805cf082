"""What the API server was asked: its audit log, one JSON event per finished request and one when a watch begins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""An audit.k8s.io/v1 Event: user.username, verb, objectRef, requestURI, responseStatus.code, stage, timestamps."""

_LONGEST_LINE = 1 << 20
_WRITING_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})


def read(log: Path, *, user: str | None = None, since: int = 0) -> Iterator[Event]:
    """The events after byte `since` of the log, of one user or of all; a line still being written is left out."""
    if not log.exists():
        return
    with log.open("rb") as lines:
        lines.seek(since)
        for line in lines:
            if line.endswith(b"\n"):
                event: Event = json.loads(line)
                if user is None or event["user"].get("username") == user:
                    yield event


def position(log: Path) -> int:
    """The byte after the last whole line of the log."""
    if not log.exists():
        return 0
    with log.open("rb") as lines:
        end = lines.seek(0, SEEK_END)
        lines.seek(max(0, end - _LONGEST_LINE))
        tail = lines.read(end - lines.tell())
    return end - len(tail) + tail.rfind(b"\n") + 1


def is_write(event: Event) -> bool:
    """A finished request that could change what is stored, refused ones included; reviews and tokens store nothing."""
    reference = event.get("objectRef", {})
    return (
        event["stage"] == "ResponseComplete"
        and event["verb"] in _WRITING_VERBS
        and not reference.get("resource", "").endswith("reviews")
        and reference.get("subresource") != "token"
        and "dryRun=All" not in event["requestURI"]
    )


def code(event: Event) -> int:
    """The HTTP status of the answer, 0 where none was given."""
    return int(event.get("responseStatus", {}).get("code", 0))


def described(event: Event) -> str:
    """The request in one line, e.g. `patch apps/deployments/status default/x 200`."""
    reference = event.get("objectRef", {})
    kind = "/".join(reference[key] for key in ("apiGroup", "resource", "subresource") if reference.get(key))
    name = "/".join(reference[key] for key in ("namespace", "name") if reference.get(key))
    return f"{event['verb']} {kind or event['requestURI']} {name} {code(event)}".replace("  ", " ")
