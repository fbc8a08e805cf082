"""How well the planner meets a table of published deployments, in three shares."""

from __future__ import annotations

from dataclasses import dataclass

from tests.published.rows import Row
from tests.published.trials import Choice, Trial, choice, trials

ACCEPTED, WITHIN, FAR_BELOW = 0.98, 0.90, 0.03
"""Goals: published sizes accepted at least; own plans within the published devices at least, below half of them at most.
"""


@dataclass(frozen=True, slots=True)
class Results:
    """The outcome of one table."""

    title: str
    left_out: tuple[tuple[Row, str], ...]
    """Rows that were not tried, and why."""
    trials: tuple[Trial, ...]
    choices: tuple[Choice, ...]

    @property
    def missed(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.miss is not None)

    @property
    def above(self) -> tuple[Choice, ...]:
        """Own plans that need more devices than published, and rows without one."""
        return tuple(item for item in self.choices if item.devices is None or item.devices > item.row.most)

    @property
    def far_below(self) -> tuple[Choice, ...]:
        """Own plans of less than half the published devices: likely wrong."""
        return tuple(item for item in self.choices if item.devices is not None and 2 * item.devices < item.row.least)

    @property
    def accepted(self) -> float:
        return 1 - len(self.missed) / len(self.trials)

    @property
    def within(self) -> float:
        return 1 - len(self.above) / len(self.choices)

    @property
    def below_half(self) -> float:
        return len(self.far_below) / len(self.choices)


def measure(title: str, rows: tuple[Row, ...]) -> Results:
    """Try every row whose base model is known and that the vendor's server runs."""
    left_out = tuple((row, reason) for row in rows if (reason := _left_out(row)) is not None)
    tried = tuple(row for row in rows if _left_out(row) is None)
    return Results(
        title=title,
        left_out=left_out,
        trials=tuple(trial for row in tried for trial in trials(row)),
        choices=tuple(map(choice, tried)),
    )


def _left_out(row: Row) -> str | None:
    if not row.served:
        return "its vendor's matrix says that the server does not run it"
    return "no facts: no config.json of the base model" if row.base is None else None
