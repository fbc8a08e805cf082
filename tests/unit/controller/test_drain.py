import asyncio
from typing import Any, cast

import pytest

from npuserve.controller.answers import ApiError, Object
from npuserve.controller.drain import carry_out, patch
from npuserve.controller.kube import Kube
from npuserve.controller.resources import Resource
from npuserve.reconcile.drain import LEAVING_COST, Drain, Mark

LEAVES = Mark("u-1", "qwen-a", "ml", 1_795_665_600.9, LEAVING_COST)
RETURNS = Mark("u-2", "qwen-b", "ml", None, None)


class Server:
    """Answers merges: with a refusal for the pods that it has one for."""

    def __init__(self, **refusals: int) -> None:
        self.refusals = refusals
        self.merged: list[str] = []

    async def merge(self, resource: Resource, namespace: str, *, name: str, changes: Object) -> Object:
        code = self.refusals.get(name.removeprefix("qwen-"))
        if code is not None:
            raise ApiError(code, reason="Refused", message="metadata.uid: field is immutable")
        await asyncio.sleep(0)
        self.merged.append(f"{resource.plural} {namespace}/{name}")
        return {}


def carried_out(server: Server, *marks: Mark) -> int:
    return asyncio.run(carry_out(cast(Kube, server), Drain(2, marks)))


def test_a_pod_that_leaves_loses_the_label_and_is_told_since_when_and_at_which_cost() -> None:
    (metadata,) = patch(LEAVES).values()
    assert metadata["uid"] == "u-1"
    assert metadata["labels"] == {"npuserve.io/serve": None}
    assert metadata["annotations"] == {
        "npuserve.io/draining": "2026-11-26T04:00:00Z",
        "controller.kubernetes.io/pod-deletion-cost": "-2147483647",
    }


def test_a_pod_that_comes_back_shows_nothing_of_it() -> None:
    (metadata,) = patch(RETURNS).values()
    assert metadata["labels"] == {"npuserve.io/serve": "true"}
    assert set(metadata["annotations"].values()) == {None}


@pytest.mark.parametrize("code", [404, 422])
def test_a_pod_that_is_gone_or_has_made_way_for_another_needs_no_mark(code: int) -> None:
    server = Server(a=code)
    assert carried_out(server, LEAVES, RETURNS) == 1
    assert server.merged == ["pods ml/qwen-b"]


def test_another_refusal_is_raised_once_every_mark_was_tried() -> None:
    server: Any = Server(a=403)
    with pytest.raises(ApiError, match="403"):
        carried_out(server, LEAVES, RETURNS)
    assert server.merged == ["pods ml/qwen-b"]
