"""What keeps a pod from working, in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from npuserve.api.conditions import Reason
from npuserve.controller.trouble import pod_trouble, worst
from npuserve.reconcile.conditions import Trouble


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


def waiting(reason: str, message: str = "", **last: Any) -> dict[str, Any]:
    return {"name": "engine", "state": {"waiting": {"reason": reason, "message": message}}, "lastState": last}


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (
            {"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff", "not found")]},
            Reason.IMAGE_PULL_FAILING,
            "not found",
        ),
        (
            {"phase": "Pending", "containerStatuses": [waiting("CreateContainerConfigError", 'secret "t" not found')]},
            Reason.POD_CONFIG_FAILING,
            'secret "t"',
        ),
        (
            {"phase": "Failed", "reason": "TopologyAffinityError", "message": "Resources cannot be allocated"},
            Reason.TOPOLOGY_REFUSED,
            "cannot be allocated",
        ),
        (
            {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "Allocate failed"},
            Reason.REPLICA_FAILURE,
            "Allocate failed",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "reason": "Unschedulable",
                        "message": "3 Insufficient huawei.com/Ascend910.",
                    }
                ],
            },
            Reason.UNSCHEDULABLE,
            "3 Insufficient huawei.com/Ascend910. ",
        ),
    ],
)
def test_the_words_of_the_cluster_are_quoted_with_the_fix(status: dict[str, Any], reason: Reason, words: str) -> None:
    trouble = pod_trouble(pod(**status))
    assert trouble is not None
    assert trouble.reason is reason
    assert words in trouble.message
    assert trouble.message.endswith(reason.fix)


def test_a_crash_is_told_by_how_it_ended_and_not_by_the_kubelets_pause() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "loading\nweights"}}
    trouble = pod_trouble(pod(containerStatuses=[waiting("CrashLoopBackOff", "back-off 40s restarting", **ended)]))
    assert trouble is not None
    assert trouble.message.startswith("the engine ended with exit code 137 (OOMKilled): loading weights")
    assert "40s" not in trouble.message


@pytest.mark.parametrize(
    "body",
    [
        pod(phase="Running", containerStatuses=[{"state": {"running": {}}}]),
        pod(phase="Pending", containerStatuses=[waiting("ContainerCreating")]),
        pod(phase="Failed", reason="Evicted"),
        pod(),
        {"metadata": {"deletionTimestamp": "now"}, "status": {"containerStatuses": [waiting("CrashLoopBackOff")]}},
    ],
)
def test_a_pod_that_works_starts_or_ends_has_no_trouble(body: dict[str, Any]) -> None:
    assert pod_trouble(body) is None


def test_of_several_troubles_always_the_same_one_is_told() -> None:
    one, two, three = (
        Trouble(Reason.CRASH_LOOPING, "a"),
        Trouble(Reason.IMAGE_PULL_FAILING, "b"),
        Trouble(Reason.IMAGE_PULL_FAILING, "a"),
    )
    assert worst([one, two, three]) == worst([three, two, one]) == three
    assert worst([]) is None
