"""What the decision is told: the engine, the objectives, and the limits that hold whatever the load says."""

from __future__ import annotations

from dataclasses import dataclass

from npuserve.autoscale.objectives import USUAL, Objectives
from npuserve.autoscale.profile import EngineProfile


@dataclass(frozen=True, slots=True)
class Room:
    """What the cluster can place."""

    replicas: int
    """Replicas that fit in all, those that run included."""
    what: str
    """What limits it, for people: "Atlas 800I A2, 4 of 16 devices free" or "ResourceQuota npus"."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One service's autoscaling, resolved."""

    profile: EngineProfile
    least: int = 1
    most: int = 10
    share: float = 0.99
    """Requests that shall meet the objectives."""
    objectives: Objectives = USUAL
    floor: int = 0
    """Replicas that the schedule asks for at this time."""
    floor_reason: str = ""
    room: Room | None = None
    """None where capacity is unknown."""
    hold: float = 420.0
    """Seconds for which a wish keeps replicas from going down, at least."""
    hold_lives: float = 4.0
    """The same in lives of an answer: a fleet is in balance again that long after a change."""
    down_step: int = 2
    down_pause: float = 120.0
    """At most `down_step` replicas go in `down_pause` seconds."""
    patience_least: float = 25.0
    """Seconds for which a wish for a single replica more has to last, unless arrivals are news: chance makes such wishes."""
    patience_lives: float = 6.0
    """The same in lives of an answer, beyond a minute and in any case: a new replica gets all new requests until it is as
    full as the others, which late prompts pay for."""
    idle: float = 600.0
    """Seconds without a request after which a service that may goes to zero."""

    def held(self, life: float) -> float:
        """Seconds for which a wish is held where answers last `life` seconds; at most an hour more than asked."""
        return max(self.hold, min(self.hold_lives * life, self.hold + 3600))

    def patience(self, life: float, *, news: bool) -> float:
        """Seconds for which a wish for one replica more has to last; at most ten minutes."""
        return min(600.0, max(0.0 if news else self.patience_least, self.patience_lives * (life - 60)))
