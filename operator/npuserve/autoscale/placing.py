"""Which of the ordered replicas find no place, and when to ask for them again.

Rule: replicas that have waited for a place for `grace` seconds, while no other of the service found one, are taken back:
the wish stays, the order does not. They are asked for again when more room is seen than there was, or after a pause that
doubles with each time in a row that it was in vain.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE = 300.0
LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Placing:
    """What is known of a service's search for places; times in seconds."""

    placed: int = 0
    """Replicas that have a place."""
    since: float | None = None
    """Since when others wait without one more having found a place; None while none waits."""
    cap: int | None = None
    """Replicas to be content with until `until`; None while none was taken back."""
    until: float = 0.0
    room: int = 0
    """Replicas that seemed to fit when some were taken back."""
    in_vain: int = 0
    """Times in a row."""


def place(earlier: Placing, *, ordered: int, placed: int, room: int, now: float, grace: float) -> Placing:
    """The state at `now`: `ordered` replicas of which `placed` have a place, and `room` for so many as it seems."""
    if earlier.cap is not None:
        waits = now < earlier.until and room <= earlier.room
        return earlier if waits else Placing(placed=placed, in_vain=earlier.in_vain)
    if ordered <= placed:
        grown = placed > earlier.placed
        return Placing(placed=placed, in_vain=0 if grown else earlier.in_vain)
    if earlier.since is None or placed > earlier.placed:
        return Placing(placed=placed, since=now, in_vain=earlier.in_vain)
    if now - earlier.since < grace:
        return earlier
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(earlier.in_vain, 20))
    return Placing(placed=placed, cap=placed, until=now + pause, room=room, in_vain=earlier.in_vain + 1)
