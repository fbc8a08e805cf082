"""When the activator stands in for the replicas of a service, and what is said where it cannot.

Rule: it stands in while no replica answers, and from the moment that none is wanted, so that the last one leaves no gap
when it goes. What it holds goes to a replica as soon as one answers.
"""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.reconcile.conditions import Trouble


def stands_in(*, answered: bool, wanted: int) -> bool:
    """Whether requests shall come to the activator; `wanted` replicas, of which one is `answered` by or none."""
    return wanted == 0 or not answered


def cannot_stand_in(*, found: bool, port: int | None) -> Trouble | None:
    """Why a service that has no replica answers nobody; None where the activator answers."""
    if found and port is not None:
        return None
    missing = "no replica of the activator is ready" if port is not None else "every port of the activator is taken"
    return Trouble(
        Reason.ACTIVATOR_MISSING, f"{missing}, so that nobody holds requests; {Reason.ACTIVATOR_MISSING.fix}"
    )
