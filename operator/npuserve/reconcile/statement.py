"""One condition of a service, as it is decided on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from npuserve.api.conditions import ConditionType, Reason


@dataclass(frozen=True, slots=True)
class Statement:
    """One condition before it has a time."""

    type: ConditionType
    status: Literal["True", "False"]
    reason: Reason
    message: str
