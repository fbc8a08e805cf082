"""What a pod may do: the Pod Security Standard `baseline`, as tight as NPU device files allow.

Device files belong to 1000:1000 with mode 0660. Root without capabilities cannot open them, so root keeps DAC_OVERRIDE
(Project-HAMi/ascend-device-plugin#139); a profile with user 1000 needs no capability but an image that has that user in
/etc/passwd (vllm-ascend#9490).
"""

from __future__ import annotations

from typing import Any

from npuserve.configuration import Profile
from npuserve.plan.plan import Plan


def pod_security(plan: Plan, profile: Profile) -> dict[str, Any]:
    """The pod's security context.

    A group also owns the volumes the pod writes, changed where their root differs. The kernel lets only members of one
    group use huge pages as shared memory (SHM_HUGETLB, kubernetes/website:manage-hugepages).
    """
    context: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if profile.run_as_user is not None:
        context |= {"runAsUser": profile.run_as_user, "runAsNonRoot": profile.run_as_user != 0}
    if profile.run_as_group is not None:
        context |= {
            "runAsGroup": profile.run_as_group,
            "fsGroup": profile.run_as_group,
            "fsGroupChangePolicy": "OnRootMismatch",
        }
    if plan.topology.hugepages is not None and profile.hugetlb_group is not None:
        context["supplementalGroups"] = [profile.hugetlb_group]
    return context


def container_security(profile: Profile) -> dict[str, Any]:
    """The container's security context."""
    kept = {} if profile.run_as_user else {"add": ["DAC_OVERRIDE"]}
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], **kept}}
