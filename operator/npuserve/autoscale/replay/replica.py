"""How one replica works through its requests: continuous batching with chunked prefill, leaping over steps in which
nothing begins or ends.

Rule: a step that has started is finished before anything else happens, as in an engine. When the cache is full, the
request that came last gives up its place and is computed again later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, sqrt

from npuserve.autoscale.profile import EngineProfile
from npuserve.autoscale.replay.shown import Shown


class Request:
    """One request on its way; times in seconds of the trace, `nan` until known."""

    __slots__ = ("arrival", "finish_step", "first", "output", "prompt", "remaining", "to_prefill")

    def __init__(self, arrival: float, prompt: int, output: int) -> None:
        self.arrival = arrival
        self.prompt = prompt
        self.output = output
        self.to_prefill = prompt
        self.remaining = output
        self.first = -1.0
        self.finish_step = -1


class Replica:
    """One replica from its start to its end; `clock` is the end of the last step it has begun."""

    __slots__ = (
        "_ends", "_order", "_profile", "born", "cached", "clock", "drained_at", "due", "finished", "generated", "load", "ready_at",
        "shown", "steps", "uid", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        profile: EngineProfile,
        *,
        born: float,
        ready_at: float,
        finished: Callable[[Request, float], None],
        uid: str = "",
        shown: Shown | None = None,
    ) -> None:
        self.uid = uid
        self._profile = profile
        self.born = born
        self.ready_at = ready_at
        self.finished = finished
        self.drained_at: float | None = None
        self.clock = ready_at
        self.due = inf
        self.steps = 0
        self.cached = 0.0
        self.load = 0
        self.generated = 0
        self.shown = shown
        self.waiting: deque[Request] = deque()
        self._ends: list[tuple[int, int, Request]] = []
        self._order: dict[int, Request] = {}

    @property
    def running(self) -> int:
        return self.load - len(self.waiting)

    def accept(self, request: Request, now: float) -> None:
        """Queue a request that arrives at `now`; one that the cache can never hold ends at once, unanswered."""
        if request.prompt + request.output > self._profile.cache_tokens:
            request.first = inf
            self.finished(request, inf)
            return
        if self.load:
            self.run(now)
        if not self.load and self.clock < now:
            self.clock = now
        self.waiting.append(request)
        self.load += 1
        self.due = self.clock

    def run(self, until: float) -> None:
        """Do all steps that begin before `until`."""
        while self.clock < until and self.load:
            if not self.waiting or not self._prefill():
                self._decode(until)
        if self.load == 0:
            self.due = inf
        elif self.waiting:
            self.due = self.clock
        else:
            count = self._ends[0][0] - self.steps
            per = self._profile.sequence * self.load + self._profile.base + self._profile.token * self.cached
            self.due = self.clock + (count * per + self._profile.token * self.load * count * (count - 1) / 2) / 1000

    def _prefill(self) -> bool:
        """Do one step that takes up waiting prompts; False when none can be taken up."""
        profile, waiting = self._profile, self.waiting
        running = self.load - len(waiting)
        budget = profile.batch_tokens - running
        room = profile.cache_tokens - self.cached - 2 * running
        taken = 0
        whole: list[Request] = []
        while waiting and budget > 0 and running + len(whole) < profile.max_sequences:
            request = waiting[0]
            part = min(request.to_prefill, budget)
            if taken + part > room:
                break
            taken += part
            budget -= part
            request.to_prefill -= part
            if request.to_prefill:
                break
            whole.append(waiting.popleft())
        if not taken and not whole:
            return False
        cost = profile.prefill_pass + profile.prefill * taken
        if running:
            cost += profile.base + profile.sequence * running + profile.token * self.cached
        self.clock += cost / 1000
        self.cached += taken + running
        self.steps += 1
        self.generated += running
        if running and self.shown is not None:
            self.shown.went_on(running, cost / 1000)
        self._end_due()
        for request in whole:
            self._begin(request)
        return True

    def _begin(self, request: Request) -> None:
        if request.first < 0:
            request.first = self.clock
            self.generated += 1
            if self.shown is not None:
                self.shown.began(request.prompt, self.clock - request.arrival)
            request.remaining -= 1
        if request.remaining <= 0:
            self._finish(request)
            return
        request.finish_step = self.steps + request.remaining
        self._order[id(request)] = request
        heappush(self._ends, (request.finish_step, id(request), request))

    def _decode(self, until: float) -> None:
        """Leap over steps up to the next end, to the first that ends after `until`, or until the cache is full."""
        profile = self._profile
        running = self.load - len(self.waiting)
        room = (profile.cache_tokens - self.cached) / running
        if room < 1:
            self._preempt()
            return
        count = min(self._ends[0][0] - self.steps, int(room))
        first = (profile.base + profile.sequence * running + profile.token * self.cached) / 1000
        growth = profile.token * running / 1000
        spent = count * first + growth * count * (count - 1) / 2
        left = until - self.clock
        if spent > left:
            half = first - growth / 2
            count = max(
                1,
                min(
                    count, int((sqrt(half * half + 2 * growth * left) - half) / growth if growth else left / first) + 1
                ),
            )
            spent = count * first + growth * count * (count - 1) / 2
        self.clock += spent
        self.steps += count
        self.cached += running * count
        self.generated += running * count
        if self.shown is not None:
            self.shown.went_on(running * count, spent / count)
        self._end_due()

    def _end_due(self) -> None:
        ends = self._ends
        while ends and ends[0][0] <= self.steps:
            step, key, request = heappop(ends)
            if request.finish_step == step and self._order.pop(key, None) is not None:
                self._finish(request)

    def _finish(self, request: Request) -> None:
        self.load -= 1
        self.cached = max(0.0, self.cached - request.prompt - request.output + 1) if self.load else 0.0
        if self.shown is not None:
            self.shown.ended(request.prompt, request.output, self.clock - request.arrival)
        self.finished(request, self.clock)

    def _preempt(self) -> None:
        """The newest request gives up its place; its tokens so far become part of what is to be computed."""
        key, request = self._order.popitem()
        request.remaining = request.finish_step - self.steps
        held = request.prompt + request.output - request.remaining - 1
        request.finish_step = -1
        request.to_prefill = held
        self.cached = max(0.0, self.cached - held)
        self.waiting.appendleft(request)
        self._ends = [entry for entry in self._ends if entry[1] != key]
        self._ends.sort()
