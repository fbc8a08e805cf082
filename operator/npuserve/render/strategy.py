"""How a Deployment replaces its pods, and the note that keeps the decision until the template changes again.

The note names the template it was made for, so that free devices that come and go cause no write, and a strategy that
was changed by hand is restored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from npuserve.plan.plan import Rollout
from npuserve.render.canonical import digest

_TEMPLATE = "template"


def strategy(rollout: Rollout) -> dict[str, Any]:
    """The Deployment's strategy."""
    if rollout.recreate:
        return {"type": "Recreate"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": rollout.surge, "maxUnavailable": rollout.unavailable},
    }


def write_note(template: Mapping[str, Any], rollout: Rollout) -> str:
    """The decision as an annotation."""
    return json.dumps({_TEMPLATE: digest(template), **asdict(rollout)}, separators=(",", ":"))


def read_note(note: str, template: Mapping[str, Any] | None = None) -> Rollout | None:
    """The decision in a note; None when it cannot be read, or when it is not about exactly this template."""
    try:
        written = json.loads(note)
        subject = written.pop(_TEMPLATE)
        rollout = Rollout(**written)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    about = template is None or subject == digest(template)
    return rollout if about and _is_sound(rollout) else None


def _is_sound(rollout: Rollout) -> bool:
    sizes = (rollout.surge, rollout.unavailable)
    return all(type(size) is int and 0 <= size <= 1 for size in sizes) and isinstance(rollout.recreate, bool)
