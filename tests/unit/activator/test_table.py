"""Which service is asked on which port, as slices come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from npuserve.activator.table import Table
from npuserve.plan.activation import Holding
from npuserve.render import labels
from tests.unit.activator.house import OWNER, own_slice, pods_slice

HOLDING = Holding(10, 60, "qwen")


class Told:
    """A table, and how often it told of other ports."""

    def __init__(self) -> None:
        self.times = 0
        self.table = Table(changed=self._tell)

    def _tell(self) -> None:
        self.times += 1


@pytest.fixture
def told() -> Told:
    return Told()


def replicas(table: Table, port: int = 20_000) -> tuple[tuple[str, int], ...]:
    line = table.at(port)
    assert line is not None
    return line.replicas


@pytest.mark.parametrize("own_first", [True, False])
def test_replicas_are_known_whichever_slice_comes_first(told: Told, *, own_first: bool) -> None:
    slices = [own_slice(20_000, HOLDING), pods_slice({9000: True})]
    for item in slices if own_first else reversed(slices):
        told.table.put(item)
    assert replicas(told.table) == (("127.0.0.1", 9000),)
    assert (told.table.ports(), told.times) == (frozenset({20_000}), 1)


def test_replicas_that_come_and_go_change_no_port_and_the_line_stays(told: Told) -> None:
    told.table.put(own_slice(20_000, HOLDING))
    line = told.table.at(20_000)
    for ready in ({}, {9000: False}, {9000: True}, {}):
        told.table.put(pods_slice(ready))
        assert replicas(told.table) == ((("127.0.0.1", 9000),) if ready.get(9000) else ())
    told.table.drop(pods_slice({}))
    assert told.table.at(20_000) is line
    assert told.times == 1


def test_a_changed_limit_holds_for_the_same_line(told: Told) -> None:
    told.table.put(own_slice(20_000, HOLDING))
    line = told.table.at(20_000)
    told.table.put(own_slice(20_000, replace(HOLDING, seconds=5)))
    assert told.table.at(20_000) is line
    assert line is not None
    assert line.activation.holding.seconds == 5


def test_another_port_is_told(told: Told) -> None:
    told.table.put(own_slice(20_000, HOLDING))
    told.table.put(own_slice(20_001, HOLDING))
    assert (told.table.ports(), told.times) == (frozenset({20_001}), 2)


def test_of_two_services_with_one_port_the_smaller_uid_has_it_in_any_order(told: Told) -> None:
    rival = replace(OWNER, uid="uid-a")
    for items in ((OWNER, rival), (rival, OWNER)):
        table = Table()
        for owner in items:
            table.put(own_slice(20_000, HOLDING, owner))
        line = table.at(20_000)
        assert line is not None
        assert line.activation.service.uid == "uid-a"


def test_of_two_services_with_one_port_the_older_slice_has_it_whatever_the_uids(told: Told) -> None:
    rival = replace(OWNER, namespace="team-b", uid="0")
    for owner, since in ((rival, "2026-11-20T12:00:01Z"), (OWNER, "2026-11-20T12:00:00Z")):
        item = own_slice(20_000, HOLDING, owner)
        item["metadata"]["creationTimestamp"] = since
        told.table.put(item)
    line = told.table.at(20_000)
    assert line is not None
    assert line.activation.service == OWNER


def test_replicas_and_limits_from_another_namespace_are_not_the_services_whatever_they_say(told: Told) -> None:
    elsewhere = replace(OWNER, namespace="team-b")
    told.table.put(own_slice(20_000, HOLDING))
    forged = pods_slice({6666: True}, elsewhere)
    forged["metadata"]["uid"] = "forged"
    told.table.put(forged)
    assert replicas(told.table) == ()
    copied = own_slice(20_001, replace(HOLDING, seconds=1), elsewhere)
    copied["metadata"]["uid"] = "copied"
    told.table.put(copied)
    line = told.table.at(20_000)
    assert line is not None
    assert line.activation.holding == HOLDING
    assert told.table.ports() == {20_000, 20_001}


def test_a_list_drops_what_it_does_not_hold(told: Told) -> None:
    told.table.put(own_slice(20_000, HOLDING))
    told.table.put(pods_slice({9000: True}))
    told.table.keep_only(frozenset({f"slice-of-{OWNER.uid}"}))
    assert replicas(told.table) == ()
    told.table.keep_only(frozenset())
    assert not told.table.ports()
    assert list(told.table.lines()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item["metadata"]["annotations"].pop(labels.HOLD_SECONDS),
        lambda item: item["metadata"]["annotations"].update({labels.HELD_REQUESTS: "many"}),
        lambda item: item["metadata"].pop("ownerReferences"),
        lambda item: item.update(ports=[]),
        lambda item: item.update(ports=None),
    ],
)
def test_a_slice_that_cannot_be_understood_is_no_service(told: Told, spoil: Any) -> None:
    item = own_slice(20_000, HOLDING)
    spoil(item)
    told.table.put(item)
    assert not told.table.ports()
