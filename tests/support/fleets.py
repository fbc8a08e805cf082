"""Pods of a service as they are seen, for tests of what is decided about them."""

from __future__ import annotations

from typing import Any

from npuserve.autoscale.load import ReplicaLoad, Traffic
from npuserve.reconcile.pods import ReplicaPod
from tests.support.replicas import a_replica

BEGAN = 1000.0
"""When the pods were created."""


def a_pod_of(name: str, **changes: Any) -> ReplicaPod:
    """A replica that serves on a node since 60 s after it was created."""
    return a_replica(name, **{"uid": name, "created": BEGAN, "ready_since": BEGAN + 60, "node": "a2-0", **changes})


def starting(name: str, **changes: Any) -> ReplicaPod:
    """A replica that has a node and is not ready."""
    return a_pod_of(name, **{"ready_since": None, **changes})


def waiting(name: str, words: str = "0/3 nodes are available") -> ReplicaPod:
    """A replica without a node."""
    return starting(name, node="", address="", unschedulable=words)


def busy(requests: int = 10) -> ReplicaLoad:
    """A replica with so many requests of 1,100 tokens."""
    return ReplicaLoad(requests, 0, requests * 1100.0)


def traffic(rate: float, seconds: float = 5.0) -> Traffic:
    """Steady requests of 1,000 prompt and 200 output tokens, so many a second."""
    count = round(rate * seconds)
    return Traffic(
        seconds=seconds,
        arrivals=count,
        prompt_tokens=count * 1000,
        generated=round(rate * seconds * 200),
        finished=count,
        finished_prompt=count * 1000,
        finished_output=count * 200,
        finished_output_squares=count * 40_000,
        blocking=0.0,
        late=0.0,
    )
