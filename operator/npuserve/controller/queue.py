"""Which service is worked on next: a keyed queue of three lanes that never holds a key twice and never gives one out
while it is in work.

Rule: FRESH (new, edited or deleted services) goes before UNSAID (objects written, status not yet), and that before
KNOWN (unchanged ones). Within FRESH every second pick is the newest, so that a service created while a thousand others
wait is not behind them, and every other pick is the oldest, so that none of those starves. A key added while in work
comes again when its work is done. A failed key comes back after a pause that doubles with each failure in a row, from
FIRST_PAUSE to LONGEST_PAUSE, jittered.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 300.0


class Lane(IntEnum):
    """How urgent a key is; the lower value goes first."""

    FRESH = 0
    UNSAID = 1
    KNOWN = 2


@dataclass(slots=True)
class _Entry:
    lane: Lane
    waiting: bool = False
    in_work: bool = False
    again: bool = False
    failures: int = 0
    timer: asyncio.TimerHandle | None = None


class Queue:
    """Keys to work on, for one event loop. `jitter` gives a factor from 0.5 to 1."""

    def __init__(self, *, jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0)) -> None:  # noqa: S311 - spreads retries
        self._jitter = jitter
        self._entries: dict[str, _Entry] = {}
        self._lanes: dict[Lane, deque[str]] = {lane: deque() for lane in Lane}
        self._waiting: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self._tokens = asyncio.Semaphore(0)
        self._picks = 0
        self._in_work = 0

    def add(self, key: str, lane: Lane) -> None:
        """Have the key worked on: a waiting key moves to the more urgent lane, a key in work comes again afterwards."""
        entry = self._entries.setdefault(key, _Entry(lane))
        if entry.in_work:
            entry.lane = min(entry.lane, lane) if entry.again else lane
            entry.again = True
        elif not entry.waiting:
            self._enqueue(key, entry, lane)
        elif lane < entry.lane:
            self._waiting[entry.lane] -= 1
            self._waiting[lane] += 1
            entry.lane = lane
            self._lanes[lane].append(key)

    async def take(self) -> str:
        """The next key, in work from now until `done`, `failed` or `later` is called with it."""
        await self._tokens.acquire()
        key = self._pick()
        entry = self._entries[key]
        self._waiting[entry.lane] -= 1
        entry.waiting, entry.in_work = False, True
        self._in_work += 1
        _stop(entry)
        return key

    def done(self, key: str) -> None:
        """The work is done; failures are forgotten."""
        entry = self._entries[key]
        entry.failures = 0
        self._settle(key, entry)

    def failed(self, key: str) -> float:
        """The work failed; the key comes back after the returned number of seconds, or at once when it was added
        meanwhile."""
        entry = self._entries[key]
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(entry.failures, 20)) * self._jitter()
        entry.failures += 1
        self.later(key, pause)
        return pause

    def later(self, key: str, pause: float) -> None:
        """The work waits for something; the key comes back after `pause` seconds, or earlier when it is added."""
        entry = self._entries[key]
        entry.timer = asyncio.get_running_loop().call_later(pause, self.add, key, entry.lane)
        self._settle(key, entry)

    def depth(self) -> Mapping[Lane, int]:
        """Keys that wait, by lane."""
        return dict(self._waiting)

    def pressed(self) -> bool:
        """Whether a new, edited or deleted service waits."""
        return self._waiting[Lane.FRESH] > 0

    def left(self) -> int:
        """Keys that wait or are in work; those that pause are neither."""
        return sum(self._waiting.values()) + self._in_work

    def close(self) -> None:
        """Stop every pause, so that nothing is added any more."""
        for entry in self._entries.values():
            _stop(entry)

    def _enqueue(self, key: str, entry: _Entry, lane: Lane) -> None:
        entry.lane, entry.waiting, entry.again = lane, True, False
        self._waiting[lane] += 1
        self._lanes[lane].append(key)
        self._tokens.release()

    def _settle(self, key: str, entry: _Entry) -> None:
        entry.in_work = False
        self._in_work -= 1
        if entry.again:
            self._enqueue(key, entry, entry.lane)
        elif entry.timer is None:
            del self._entries[key]

    def _pick(self) -> str:
        self._picks += 1
        while True:
            lane = next(lane for lane, keys in self._lanes.items() if keys)
            newest = lane is Lane.FRESH and self._picks % 2
            key = self._lanes[lane].pop() if newest else self._lanes[lane].popleft()
            entry = self._entries.get(key)
            # A key that moved between lanes left its old place behind.
            if entry is not None and entry.waiting and entry.lane == lane:
                return key


def _stop(entry: _Entry) -> None:
    if entry.timer is not None:
        entry.timer.cancel()
        entry.timer = None
