"""What the API server answers: objects, pages of lists, lines of watches, refusals; and what is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npuserve.reconcile.undeclared import WORDS

Object = dict[str, Any]


class Unreachable(Exception):
    """No answer from the API server after every attempt."""


class ApiError(Exception):
    """An answer of 4xx or 5xx: its code, the API's word for it and its message."""

    def __init__(self, code: int, *, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def passing(self) -> bool:
        """Whether the answer is likely to be another one soon. What the definition has no field for is refused with
        500."""
        return self.code == 429 or (self.code >= 500 and WORDS not in self.message)

    @property
    def field_conflict(self) -> bool:
        """Whether another field manager owns what was applied."""
        causes = self.details.get("causes") or ()
        return self.code == 409 and any(cause.get("reason") == "FieldManagerConflict" for cause in causes)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and the version at which it was read."""

    items: list[Object]
    version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch; the object of a bookmark holds its version only."""

    kind: str
    object: Object


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a resource: a namespace (empty: all), and selectors that the server evaluates."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""

    def query(self) -> dict[str, str]:
        return {key: value for key, value in (("labelSelector", self.labels), ("fieldSelector", self.fields)) if value}


def refusal(code: int, content: bytes) -> ApiError:
    """The refusal in the body of an answer; proxies in between may answer with no JSON at all."""
    try:
        status = json.loads(content)
    except ValueError:
        status = {}
    return refusal_in(status if isinstance(status, dict) else {}, code=code)


def refusal_in(status: Mapping[str, Any], *, code: int = 500) -> ApiError:
    """The refusal that a Status object holds."""
    return ApiError(
        int(status.get("code") or code),
        reason=str(status.get("reason") or "Unknown"),
        message=str(status.get("message") or "no message"),
        details=status.get("details"),
    )
