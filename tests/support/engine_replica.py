"""What one replica does with the requests that it has: a continuous batch in real time, and the counters that follow.

    step = base + sequence * running + token * cached        seconds of one token of each running request

Prompts are taken up one after another. A request waits while the batch or the cache is full. Time is an argument, in
seconds of a clock that only goes forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.engine_page import Instruments


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds per unit of work, and what a replica holds: by default Qwen3-8B on one device, as published."""

    base: float = 21.0
    sequence: float = 0.113
    token: float = 0.0
    prefill: float = 0.072
    cache_tokens: int = 304_000
    max_sequences: int = 256


@dataclass(slots=True, eq=False)
class Request:
    """One request: its size in tokens, and how far it is."""

    prompt: int
    output: int
    arrived: float
    taken_up: float | None = None
    first_token: float | None = None
    """When it comes, or came."""
    done: float = 0.0
    """Output tokens, the one in work included."""
    ended: str = ""
    """The reason; empty while it is in work."""

    @property
    def tokens(self) -> int:
        """Output tokens that can be sent."""
        return int(self.done)


@dataclass(slots=True)
class Replica:
    """The state of one engine."""

    instruments: Instruments
    at: float
    speed: Speed = Speed()
    running: list[Request] = field(default_factory=list)
    waiting: list[Request] = field(default_factory=list)
    finished: int = 0
    _prefill_free: float = 0.0

    @property
    def in_flight(self) -> int:
        return len(self.running) + len(self.waiting)

    @property
    def cached(self) -> float:
        """Tokens in the key-value cache."""
        return sum(request.prompt + request.done for request in self.running)

    def add(self, request: Request) -> None:
        """Take a request in."""
        if self.instruments.received is not None:
            self.instruments.received.inc()
        self.waiting.append(request)
        self._take_up(request.arrived)

    def advance(self, now: float) -> None:
        """Everything that happens until `now`."""
        step = (
            self.speed.base + self.speed.sequence * len(self.running) + self.speed.token * self.cached
        ) / 1000  # seconds
        for request in list(self.running):
            self._generate(request, now, step)
        self.at = now
        self._take_up(now)

    def abandon(self, request: Request, reason: str = "abort") -> None:
        """End a request before its time."""
        if not request.ended:
            self._end(request, self.at, reason)

    def page(self) -> bytes:
        """Its metrics page at this moment."""
        self.instruments.running.set(len(self.running))
        self.instruments.waiting.set(len(self.waiting))
        self.instruments.cache_use.set(min(1.0, self.cached / self.speed.cache_tokens))
        return self.instruments.page()

    def _take_up(self, now: float) -> None:
        room = self.speed.cache_tokens - self.cached
        while self.waiting and len(self.running) < self.speed.max_sequences and self.waiting[0].prompt <= room:
            request = self.waiting.pop(0)
            room -= request.prompt
            request.taken_up = now
            self._prefill_free = max(now, self._prefill_free) + request.prompt * self.speed.prefill / 1000
            request.first_token = self._prefill_free
            self.running.append(request)

    def _generate(self, request: Request, now: float, step: float) -> None:
        assert request.first_token is not None
        if request.first_token > now:
            return
        before = request.tokens
        if not before:
            request.done = 1.0
            self.instruments.prompt_tokens.inc(request.prompt)
            self.instruments.first_token.observe(request.first_token - request.arrived)
        request.done += (now - max(self.at, request.first_token)) / step
        request.done = min(request.done, float(request.output))
        self.instruments.generated_tokens.inc(request.tokens - before)
        for _ in range(request.tokens - max(before, 1)):
            self.instruments.between_tokens.observe(step)
        if request.tokens >= request.output:
            self._end(request, now, "stop")

    def _end(self, request: Request, now: float, reason: str) -> None:
        request.ended = reason
        (self.running if request in self.running else self.waiting).remove(request)
        self.instruments.ended[reason].inc()
        self.instruments.prompt_length.observe(request.prompt)
        self.instruments.output_length.observe(request.tokens)
        self.instruments.whole.observe(now - request.arrived)
        if reason == "stop":
            self.finished += 1
            self._observe_parts(request, now)

    def _observe_parts(self, request: Request, now: float) -> None:
        more = self.instruments.more
        if not more or request.taken_up is None or request.first_token is None:
            return
        more["computed"].observe(request.prompt)
        more["queue"].observe(request.taken_up - request.arrived)
        more["prefill"].observe(request.first_token - request.taken_up)
        more["decode"].observe(now - request.first_token)
        more["inference"].observe(now - request.taken_up)
        more["per_token"].observe((now - request.first_token) / max(1, request.tokens - 1))
