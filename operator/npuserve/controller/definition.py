"""Which fields of a status the cluster's definition lacks: it may be older than the operator, before an upgrade of the
CRD or in the first seconds of a rollback.

Rule: a status without those fields is better than none. What is lacking is forgotten after a while, because the
definition may have caught up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from npuserve.controller.answers import ApiError
from npuserve.reconcile.undeclared import FieldPath, undeclared, without

FORGET_SECONDS = 600.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Definition:
    """What was learned from refusals; `now` in seconds of a clock that only goes forward."""

    now: Callable[[], float] = time.monotonic
    _lacking: frozenset[FieldPath] = field(default=frozenset(), init=False)
    _learned: float = field(default=0.0, init=False)

    def fit(self, status: Mapping[str, Any]) -> dict[str, Any]:
        """The status as far as the definition has fields for it."""
        if self._lacking and self.now() - self._learned > FORGET_SECONDS:
            self._lacking = frozenset()
        return without(status, self._lacking)

    def learn(self, error: ApiError) -> bool:
        """Take in a refusal; whether it named fields that were not known to be lacking."""
        named = undeclared(error.message) - self._lacking
        if named:
            self._lacking |= named
            self._learned = self.now()
            logger.warning(
                "the CustomResourceDefinition is older than the operator and lacks fields of the status: upgrade it",
                extra={"fields": sorted(".".join(("status", *path)) for path in named)},
            )
        return bool(named)
