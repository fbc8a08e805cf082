"""How many NPUs a namespace's ResourceQuota leaves.

Extended resources are limited by `requests.NAME` alone (kubernetes.io/docs/concepts/policy/resource-quotas); the number
of pods by `pods` or `count/pods`. A quota with a scope counts where replicas are within it: they run for ever and
request something, and their PriorityClass is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.quantity import whole

_REQUESTS = "requests."
_PODS = ("pods", "count/pods")
_ALWAYS = ("NotTerminating", "NotBestEffort")
"""Scopes that every replica is in."""
_CLASS = "PriorityClass"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one limit of a quota; `resource` is `pods` where it counts replicas themselves."""

    resource: str
    hard: int
    left: int


@dataclass(frozen=True, slots=True)
class Quota:
    """One ResourceQuota, as far as it concerns replicas."""

    namespace: str
    name: str
    limits: tuple[Left, ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Operators and PriorityClasses of its scope; empty for every replica."""

    def covers(self, priority_class: str) -> bool:
        """Whether replicas of that PriorityClass (empty: none named) count."""
        return all(_matches(operator, values, priority_class) for operator, values in self.classes)


def read_quota(body: Mapping[str, Any]) -> Quota | None:
    """The quota in an object of the API server; None where it concerns no replica."""
    metadata, spec, status = (body.get(key) or {} for key in ("metadata", "spec", "status"))
    used = status.get("used") or {}
    limits = tuple(
        Left(name, whole(hard), max(0, whole(hard) - whole(used.get(key, 0))))
        for key, hard in sorted((status.get("hard") or spec.get("hard") or {}).items())
        if (name := _counted(key))
    )
    scoped = _scopes(spec)
    if not limits or scoped is None:
        return None
    return Quota(metadata.get("namespace", ""), metadata.get("name", ""), limits, scoped)


def _counted(key: str) -> str:
    """The resource that a key of a quota counts: an extended one, or `pods`; empty for what is no scarce device."""
    if key in _PODS:
        return "pods"
    resource = key.removeprefix(_REQUESTS)
    return resource if key.startswith(_REQUESTS) and "/" in resource else ""


def _scopes(spec: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """The PriorityClasses it asks for; None where no replica can be in its scope."""
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    asked = [*({"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()), *expressions]
    if any(item.get("scopeName") not in (*_ALWAYS, _CLASS) for item in asked):
        return None
    return tuple(
        (str(item.get("operator")), tuple(item.get("values") or ()))
        for item in asked
        if item.get("scopeName") == _CLASS
    )


def _matches(operator: str, values: tuple[str, ...], name: str) -> bool:
    match operator:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "Exists":
            return bool(name)
    return not name
