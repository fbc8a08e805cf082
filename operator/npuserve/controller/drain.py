"""How the marks of a drain get onto its pods.

Rule: each mark is a merge patch that names the pod's UID, so it falls on no other pod of that name. Pods that have gone
meanwhile need none.

The marks come first and the number after them (`scaling`): until a ReplicaSet's pods bear their cost, a lower number
would take others.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from npuserve.controller.answers import ApiError, Object
from npuserve.controller.kube import Kube
from npuserve.controller.resources import PODS
from npuserve.reconcile.drain import Drain, Mark
from npuserve.render import labels


async def carry_out(kube: Kube, drain: Drain) -> int:
    """Put the marks on their pods, side by side; how many were there to take one.

    Raises ApiError and Unreachable where a repetition may help, once every answer is there.
    """
    outcomes = await asyncio.gather(*(_put(kube, mark) for mark in drain.marks), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return sum(outcome is True for outcome in outcomes)


async def _put(kube: Kube, mark: Mark) -> bool:
    try:
        await kube.merge(PODS, mark.namespace, name=mark.name, changes=patch(mark))
    except ApiError as error:
        if error.code == 404 or (error.code == 422 and "metadata.uid" in error.message):
            return False
        raise
    return True


def patch(mark: Mark) -> Object:
    """The mark as a merge patch."""
    serves = None if mark.since is not None else "true"
    cost = None if mark.cost is None else str(mark.cost)
    notes = {labels.DRAINING: _written(mark.since), labels.DELETION_COST: cost}
    return {"metadata": {"uid": mark.uid, "labels": {labels.SERVE: serves}, "annotations": notes}}


def _written(since: float | None) -> str | None:
    if since is None:
        return None
    return datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
