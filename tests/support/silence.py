"""An API server that keeps every connection and answers nothing, for as long as it takes the operator to notice, and
then answers again."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

from npuserve.controller.freshness import HEARD_SECONDS
from tests.support.site import Site, samples
from tests.support.waiting import NotYet, until

BOOKMARK_SECONDS = 60.0
"""How often the API server gives a sign of life on a watch without events."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What /healthz said when it turned bad, the age in seconds of what was heard least lately, and what it said when
    all was well again."""

    bad: str
    age: float
    good: str


def begin_silence(site: Site) -> Future[Noticed]:
    """Begin now and return at once; the future has the outcome after some four minutes.

    A thread does nothing but ask and send signals.
    """
    outcome: Future[Noticed] = Future()
    server = site.cluster.pids["kube-apiserver"]
    os.kill(server, signal.SIGSTOP)

    def watch() -> None:
        try:
            outcome.set_result(_watch(site, server))
        except Exception as error:  # noqa: BLE001  told where the outcome is asked for
            outcome.set_exception(error)

    Thread(target=watch, daemon=True).start()
    return outcome


def _watch(site: Site, server: int) -> Noticed:
    bad = until(lambda: _said(site, 503), within=HEARD_SECONDS + 30, every=1.0)
    age = max(samples(site.operator, "npuserve_watch_age_seconds").values())
    os.kill(server, signal.SIGCONT)
    return Noticed(bad, age, until(lambda: _said(site, 200), within=BOOKMARK_SECONDS + 40, every=1.0))


def _said(site: Site, expected: int) -> str | NotYet:
    code, words = site.operator.answer("/healthz")
    return words if code == expected else NotYet(f"/healthz says {code}: {words}")
