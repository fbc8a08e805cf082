"""The environment of the engine's container, each name once.

Rule: values reach the engine exactly as written. Kubernetes replaces `$(NAME)` in values and arguments and turns `$$`
into `$` (kubernetes/kubernetes: third_party/forked/golang/expansion/expand.go), so a dollar it acts on is doubled.
"""

from __future__ import annotations

import re
from typing import Any

from npuserve.configuration import Profile
from npuserve.engines.launch import Literally, OwnAddress, SecretValue, Variable
from npuserve.plan.plan import Plan
from npuserve.render.downloads import download_variables
from npuserve.render.flavour import flavour_environment

_EXPANDED = re.compile(r"\$(?=[$(])")


def verbatim(text: str) -> str:
    """`text` so that Kubernetes' expansion yields it unchanged."""
    return _EXPANDED.sub("$$", text) if "$" in text else text


def environment(plan: Plan, profile: Profile) -> list[dict[str, Any]]:
    """The site's variables, those of the launch, then the flavour's; where a name is given twice the later one stands."""
    site = {name: {"name": name, "value": verbatim(value)} for name, value in download_variables(plan, profile)}
    launch = {variable.name: _written(variable) for variable in plan.launch.environment}
    return list((site | launch | flavour_environment(plan)).values())


def _written(variable: Variable) -> dict[str, Any]:
    match variable.value:
        case Literally(value=""):
            return {"name": variable.name}
        case Literally(value=value):
            return {"name": variable.name, "value": verbatim(value)}
        case OwnAddress():
            return {"name": variable.name, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
        case SecretValue(secret=secret, key=key):
            return {"name": variable.name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
