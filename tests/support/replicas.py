"""Replicas for tests of the drain: pods by what they are doing, what a mark does to one, and what a ReplicaSet does to all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from npuserve.autoscale.load import ReplicaLoad
from npuserve.reconcile.drain import Drain
from npuserve.reconcile.pods import ReplicaPod

BORN = 1_000.0


def a_replica(name: str, **changes: Any) -> ReplicaPod:
    """A pod that has served for long."""
    serving = ReplicaPod(
        uid=f"uid-{name}",
        name=name,
        namespace="ml",
        service_uid="u-1",
        address="10.244.0.7",
        created=BORN,
        ready_since=BORN + 180,
        serving=True,
        draining_since=None,
        deletion_cost=0,
        ending=False,
        unschedulable="",
        template="6d5f",
    )
    return replace(serving, **changes)


def a_load(requests: int, *, cached: float = 0.0) -> ReplicaLoad:
    return ReplicaLoad(running=requests, waiting=0, cached=cached)


def marked(pods: Iterable[ReplicaPod], drain: Drain) -> list[ReplicaPod]:
    """The pods once they bear the marks."""
    marks = {mark.uid: mark for mark in drain.marks}
    return [
        replace(
            pod,
            serving=marks[pod.uid].since is None,
            draining_since=marks[pod.uid].since,
            deletion_cost=marks[pod.uid].cost or 0,
        )
        if pod.uid in marks
        else pod
        for pod in pods
    ]


def in_order_of_removal(pods: Sequence[ReplicaPod]) -> list[ReplicaPod]:
    """As a ReplicaSet ranks them (kubernetes/kubernetes:pkg/controller/controller_utils.go, ActivePodsWithRanks)."""
    return sorted(
        pods,
        key=lambda pod: (
            not pod.unschedulable,
            pod.ready_since is not None,
            pod.deletion_cost,
            -(pod.ready_since or 0.0),
            -pod.created,
        ),
    )
