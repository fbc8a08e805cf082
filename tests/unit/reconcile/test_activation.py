"""When the activator stands in, and what is said of a service that nobody answers for."""

from __future__ import annotations

import pytest

from npuserve.api.conditions import Reason
from npuserve.reconcile.activation import cannot_stand_in, stands_in


@pytest.mark.parametrize(
    ("answered", "wanted", "expected"),
    [
        (False, 0, True),  # at zero
        (False, 1, True),  # the first replica starts
        (True, 1, False),  # it answers
        (True, 0, True),  # the last one is about to go
    ],
)
def test_the_activator_stands_in_while_nobody_answers_and_before_the_last_replica_goes(
    *, answered: bool, wanted: int, expected: bool
) -> None:
    assert stands_in(answered=answered, wanted=wanted) is expected


def test_nothing_is_wrong_where_the_activator_has_an_address_and_a_port() -> None:
    assert cannot_stand_in(found=True, port=20_000) is None


@pytest.mark.parametrize(("found", "port", "words"), [(False, 20_000, "no replica"), (True, None, "every port")])
def test_without_an_address_or_a_port_it_is_told_with_the_fix(*, found: bool, port: int | None, words: str) -> None:
    trouble = cannot_stand_in(found=found, port=port)
    assert trouble is not None
    assert trouble.reason is Reason.ACTIVATOR_MISSING
    assert words in trouble.message
    assert Reason.ACTIVATOR_MISSING.fix in trouble.message
