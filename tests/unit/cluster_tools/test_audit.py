"""What the audit log tells about requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster import audit

EVENT = {
    "user": {"username": "operator"},
    "verb": "patch",
    "stage": "ResponseComplete",
    "requestURI": "/apis/apps/v1/namespaces/d/deployments/x?fieldManager=npuserve",
    "objectRef": {"apiGroup": "apps", "resource": "deployments", "namespace": "d", "name": "x"},
    "responseStatus": {"code": 403},
}


def test_the_audit_log_is_read_by_user_and_without_the_line_being_written(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    other = EVENT | {"user": {"username": "other"}}
    log.write_text(f"{json.dumps(EVENT)}\n{json.dumps(other)}\n{json.dumps(EVENT)[:30]}")
    assert [audit.described(event) for event in audit.read(log, user="operator")] == ["patch apps/deployments d/x 403"]
    assert len(list(audit.read(log))) == 2
    assert list(audit.read(log, since=len(json.dumps(EVENT)) + 1)) == [other]


def test_a_position_is_never_inside_of_a_line(tmp_path: Path) -> None:
    log, line = tmp_path / "audit.log", json.dumps(EVENT)
    assert audit.position(log) == 0
    log.write_text(f"{line}\n{line[:30]}")
    position = audit.position(log)
    log.write_text(f"{line}\n{line}\n")
    assert list(audit.read(log, since=position)) == [EVENT]
    assert list(audit.read(log, since=audit.position(log))) == []


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({}, True),
        ({"verb": "watch"}, False),
        ({"stage": "ResponseStarted"}, False),
        ({"requestURI": "/x?dryRun=All"}, False),
        ({"verb": "create", "objectRef": {"resource": "selfsubjectaccessreviews"}}, False),
        ({"verb": "create", "objectRef": {"resource": "serviceaccounts", "subresource": "token"}}, False),
        ({"verb": "create", "objectRef": {"resource": "events"}}, True),
    ],
)
def test_a_write_is_a_finished_request_that_could_change_what_is_stored(
    *, change: dict[str, object], writes: bool
) -> None:
    assert audit.is_write(EVENT | change) is writes
