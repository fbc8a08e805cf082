"""What happened between two looks at the replicas, from the counters that each of them shows.

Rule: differences are taken per pod. What cannot be told is left out, never guessed as zero or as everything:

    engine started anew in between     the difference is dropped
    pod that was not there before      counted from zero, if a replica can have done that much since the last look
    pod that was never read before     left out until its next page
    pod read again after a gap         the part of the difference that falls on the time since the last look
    all read again after a gap         all of it, over all that time
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from npuserve.autoscale.collisions import blocking, harmless
from npuserve.autoscale.histogram import Histogram
from npuserve.autoscale.lateness import late
from npuserve.autoscale.load import ReplicaLoad, Traffic
from npuserve.autoscale.objectives import Objectives
from npuserve.autoscale.page import Counters, Page
from npuserve.autoscale.profile import EngineProfile

KEPT = 3600.0
"""Seconds for which a pod that is no longer shown is remembered: it may have been unready for a while."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last page of a pod, and when it was read."""

    page: Page | None
    """None for one that could never be read."""
    time: float
    owed: float = 0.0
    """First tokens that are still to come of requests that left the queue just then: they arrived before."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What one replica did since it was seen before."""

    counters: Counters
    arrivals: float
    owed: float
    share: float
    """Of it that falls on the time since the last look."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is remembered of one service's counters."""

    profile: EngineProfile
    objectives: Objectives
    seen: Mapping[str, Seen] = field(default_factory=lambda: MappingProxyType({}))
    time: float | None = None
    """Of the last look at which a replica could be read."""

    def take(
        self, pages: Mapping[str, Page | None], *, time: float
    ) -> tuple[Counting, tuple[ReplicaLoad | None, ...], Traffic | None]:
        """Take in one look: `pages` by pod UID, None where a pod could not be read.

        Returns the counting after it, the loads in the order of `pages`, and the traffic since the last look, None where
        no pod could be read. Traffic of no seconds means that there is nothing yet to compare with.
        """
        loads = tuple(None if page is None else self._load(page) for page in pages.values())
        read = {uid: page for uid, page in pages.items() if page is not None}
        if not read or (self.time is not None and time <= self.time):
            return self, loads, None
        gains = {uid: self._gain(uid, page, time) for uid, page in read.items()}
        kept = {uid: seen for uid, seen in self.seen.items() if time - seen.time < KEPT}
        new = {}
        for uid, page in read.items():
            gain = gains[uid]
            new[uid] = Seen(page, time, gain.owed if gain else 0.0)
        unread = {uid: Seen(None, time) for uid in pages if uid not in read and uid not in kept}
        traffic = self._traffic([gain for gain in gains.values() if gain is not None], time)
        return replace(self, seen=kept | unread | new, time=time), loads, traffic

    def _load(self, page: Page) -> ReplicaLoad:
        return ReplicaLoad(page.running, page.waiting, page.cache * self.profile.cache_tokens)

    def _gain(self, uid: str, page: Page, time: float) -> Gain | None:
        """What a replica did; None where that cannot be told."""
        if self.time is None:
            return None
        before = self.seen.get(uid)
        if before is None:
            return self._from_nothing(page, time - self.time)
        counters = None if before.page is None else page.counters.since(before.page.counters)
        if before.page is None or counters is None:
            return None
        return _gain(
            counters,
            page.waiting - before.page.waiting + counters.first.count,
            running=page.running,
            owed=before.owed,
            share=min(1.0, (time - self.time) / (time - before.time)),
        )

    def _from_nothing(self, page: Page, elapsed: float) -> Gain | None:
        most = self.profile.max_sequences / self.profile.base * 1000 * elapsed
        if page.counters.generated > most:
            return None
        moved = page.waiting + page.counters.first.count
        return _gain(page.counters, moved, running=page.running, owed=0.0, share=1.0)

    def _traffic(self, gains: Sequence[Gain], time: float) -> Traffic:
        total = [0.0] * 9
        for gain in gains:
            for index, value in enumerate(self._amounts(gain)):
                total[index] += value * gain.share
        return Traffic(time - self.time if gains and self.time is not None else 0.0, *total)

    def _amounts(self, gain: Gain) -> Iterator[float]:
        """The fields of Traffic after its seconds, in their order."""
        counters = gain.counters
        yield gain.arrivals
        yield counters.prompt
        yield counters.generated
        yield counters.outputs.count
        yield counters.finished_prompt
        yield counters.outputs.total
        yield sum([tokens * tokens for tokens in counters.outputs.values()])
        yield self._blocking(counters.prompts)
        yield late(counters, self.profile, self.objectives)

    def _blocking(self, prompts: Histogram) -> float:
        if prompts.most <= harmless(self.profile, self.objectives):
            return 0.0
        return sum([blocking(prompt, self.profile, self.objectives) for prompt in prompts.values()])


def _gain(counters: Counters, moved: float, *, running: int, owed: float, share: float) -> Gain:
    """`moved`: first tokens, and what the queue has grown by. A request between both is in neither for a moment."""
    arrivals = moved - owed if counters.arrived is None else counters.arrived
    return Gain(counters, max(0.0, arrivals), min(max(0.0, -moved), running), share)
