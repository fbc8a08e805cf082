"""How kopf is kept to informing: settings and storages with which it writes nothing, remembers nothing in objects and
never gives up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, cast

import kopf

from npuserve.controller.kube import SILENCE_SECONDS, STREAM_SECONDS

PAGE = 250


class _NoEssence(kopf.DiffBaseStorage):
    """Keeps no earlier state of objects: nothing is compared, nothing is copied, nothing is written."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return cast(kopf.BodyEssence, {})

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: each is called once per event."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


class _ForEver:
    """Pauses between attempts of a stream, without end and without rhythm: 0.5 to 15 s."""

    def __iter__(self) -> Iterator[float]:
        pause = 1.0
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries
            pause = min(15.0, pause * 2)


def kopf_settings() -> kopf.OperatorSettings:
    """kopf as an informer only; see the module."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.process.ultimate_exiting_timeout = None
    settings.persistence.diffbase_storage = _NoEssence()
    settings.persistence.progress_storage = _NoProgress()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _ForEver()
    settings.watching.server_timeout = STREAM_SECONDS
    settings.watching.client_timeout = STREAM_SECONDS + 10
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.watching.chunk_size = PAGE
    # A worker per object that was heard: five seconds, the default, would keep thousands of them after a list.
    settings.queueing.idle_timeout = 0.1
    settings.queueing.exit_timeout = 0.5
    return settings
