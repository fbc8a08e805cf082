"""What keeps a pod of a service from working, from its own status: one reason, one sentence with the fix.

Rule: the words of the scheduler and the kubelet are quoted, never interpreted; of several troubles the one that
explains the others is told. Reasons of containers: kubernetes/kubernetes: pkg/kubelet/kuberuntime,
pkg/kubelet/images/types.go; of refused pods: pkg/kubelet/lifecycle/predicate.go and
pkg/kubelet/cm/topologymanager/scope.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from npuserve.api.conditions import Reason
from npuserve.reconcile.conditions import Trouble

_LONGEST_QUOTE = 600

_WAITING = {
    "ErrImagePull": Reason.IMAGE_PULL_FAILING,
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILING,
    "InvalidImageName": Reason.IMAGE_PULL_FAILING,
    "ErrImageNeverPull": Reason.IMAGE_PULL_FAILING,
    "CreateContainerConfigError": Reason.POD_CONFIG_FAILING,
    "CreateContainerError": Reason.POD_CONFIG_FAILING,
    "RunContainerError": Reason.POD_CONFIG_FAILING,
    "CrashLoopBackOff": Reason.CRASH_LOOPING,
}
_REFUSED = {
    "TopologyAffinityError": Reason.TOPOLOGY_REFUSED,
    "UnexpectedAdmissionError": Reason.REPLICA_FAILURE,
}
_ORDER = (
    Reason.UNSCHEDULABLE,
    Reason.TOPOLOGY_REFUSED,
    Reason.REPLICA_FAILURE,
    Reason.IMAGE_PULL_FAILING,
    Reason.POD_CONFIG_FAILING,
    Reason.CRASH_LOOPING,
)


def pod_trouble(pod: Mapping[str, Any]) -> Trouble | None:
    """What is wrong with one pod; None for one that works, starts or is being removed."""
    if pod["metadata"].get("deletionTimestamp"):
        return None
    return worst(_troubles(pod.get("status") or {}))


def worst(troubles: Iterable[Trouble]) -> Trouble | None:
    """The trouble to tell of several: always the same one for the same ones."""
    return min(troubles, key=lambda item: (_ORDER.index(item.reason), item.message), default=None)


def _troubles(status: Mapping[str, Any]) -> Iterator[Trouble]:
    refused = _REFUSED.get(status.get("reason", "")) if status.get("phase") == "Failed" else None
    if refused is not None:
        yield _trouble(refused, status.get("message") or status["reason"])
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield _trouble(Reason.UNSCHEDULABLE, condition.get("message") or "no node fits")
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = _WAITING.get(waiting.get("reason", ""))
        if reason is not None:
            yield _trouble(reason, _said(container, waiting))


def _said(container: Mapping[str, Any], waiting: Mapping[str, Any]) -> str:
    """How a crashed container ended and its last lines, else the kubelet's words on why it does not start."""
    ended = (container.get("lastState") or {}).get("terminated") or {}
    if waiting["reason"] != "CrashLoopBackOff" or not ended:
        return str(waiting.get("message") or waiting["reason"])
    last = " ".join((ended.get("message") or "").split())[-_LONGEST_QUOTE:]
    code = f"the engine ended with exit code {ended.get('exitCode')} ({ended.get('reason', 'Error')})"
    return f"{code}: {last}" if last else code


def _trouble(reason: Reason, said: str) -> Trouble:
    quoted = " ".join(said.split())[:_LONGEST_QUOTE].rstrip(".")
    return Trouble(reason, f"{quoted}. {reason.fix}" if reason.fix else quoted)
