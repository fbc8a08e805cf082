"""The sheets of one run of the benchmark: each trace, each day beside its best peer, the sums, and what went wrong on purpose.

A peer counts with the best setting for the very trace: NPU-hours interpolated to the target between the two settings
around it (a favour: nobody can set that in advance). npuserve counts with what its one setting cost and reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.autoscale.dynosim.confirm import Confirmed
from tests.bench.autoscale.families import ORACLE, ORACLES, PEERS
from tests.bench.autoscale.hardship import AS_IT_IS, HARDSHIPS, WRONG
from tests.bench.autoscale.measuring import OURS, Job
from tests.bench.autoscale.sheets import Sheet, more, percent, points
from tests.bench.autoscale.traces import label
from tests.bench.autoscale.tuning import Figures, Run, Tuned, tuned


@dataclass(frozen=True, slots=True)
class Day:
    """One trace with everything that ran on it."""

    trace: str
    runs: Mapping[str, Sequence[Run]]
    """By family."""
    target: float

    @property
    def ours(self) -> Figures:
        return self.runs[OURS][0].figures

    def best(self, family: str) -> Tuned | None:
        """The family at the target; of the oracles the cheapest."""
        names = ORACLES if family == ORACLE else (family,)
        found = [tuned(self.runs.get(name, ()), self.target) for name in names]
        return min(filter(None, found), key=lambda best: best.npu_hours, default=None)

    @property
    def families(self) -> list[str]:
        """What sums are made of: the oracles are one."""
        names = [ORACLE if name in ORACLES else name for name in self.runs]
        return list(dict.fromkeys(names))

    @property
    def peers(self) -> list[tuple[str, Tuned]]:
        """The peers that reach the target, the cheapest first."""
        found = [(family, best) for family in PEERS if (best := self.best(family)) is not None]
        return sorted(found, key=lambda one: one[1].npu_hours)


def days_of(results: Mapping[Job, Sequence[Run]], target: float) -> list[Day]:
    """One day per trace, in the order of the jobs."""
    runs: dict[str, dict[str, Sequence[Run]]] = {}
    for job, found in results.items():
        runs.setdefault(job.trace, {})[job.family] = found
    return [Day(trace, by_family, target) for trace, by_family in runs.items()]


def trace_sheet(day: Day) -> Sheet:
    """Every family on one trace."""
    rows = []
    for family, runs in day.runs.items():
        best = Tuned(day.ours.npu_hours, runs[0]) if family == OURS else tuned(runs, day.target)
        rows.append((family, *(_reached(best) if best else _missed(runs))))
    return Sheet(
        f"{label(day.trace)}: at {day.target:.1%} of requests in time",
        ("", "NPU-hours", "in time", "reversals", "good windows", "worst window", "cut", "setting"),
        tuple(rows),
    )


def _reached(best: Tuned) -> tuple[str, ...]:
    found = best.run.figures
    return (f"{best.npu_hours:,.0f}", *_rest(found), f"{best.run.value:g}" if best.run.family != OURS else "its one")


def _missed(runs: Sequence[Run]) -> tuple[str, ...]:
    top = max(runs, key=lambda run: run.figures.attainment)
    return (f"not reached; {top.figures.npu_hours:,.0f}", *_rest(top.figures), f"{top.value:g}")


def _rest(found: Figures) -> tuple[str, ...]:
    return (
        percent(found.attainment), str(found.reversals), percent(found.good_windows, 1), percent(found.worst_window, 1),
        str(found.cut),
    )  # fmt: skip


def each_day(days: Sequence[Day]) -> Sheet:
    """npuserve beside the best peer of each day and the oracle."""
    rows = []
    totals = {"ours": 0.0, "peer": 0.0, "oracle": 0.0}
    back, theirs = 0, 0
    for day in days:
        ours, (name, peer) = day.ours, day.peers[0] if day.peers else ("none reaches it", None)
        oracle = day.best(ORACLE)
        rows.append(
            (
                label(day.trace), f"{ours.npu_hours:,.0f}", percent(ours.attainment), name, *_beside(ours, peer),
                *(_beside(ours, oracle) if ORACLE in day.families else ("", "")), f"{ours.reversals} / {peer.run.figures.reversals if peer else '-'}",
                f"{percent(ours.good_windows, 1)} / {percent(peer.run.figures.good_windows, 1) if peer else '-'}",
                f"{percent(ours.worst_window, 1)} / {percent(peer.run.figures.worst_window, 1) if peer else '-'}",
            )
        )  # fmt: skip
        totals["ours"] += ours.npu_hours
        totals["peer"] += peer.npu_hours if peer else float("nan")
        totals["oracle"] += oracle.npu_hours if oracle else float("nan")
        back, theirs = back + ours.reversals, theirs + (peer.run.figures.reversals if peer else 0)
    reached = sum(day.ours.attainment >= day.target for day in days)
    rows.append(
        (
            "sum", f"{totals['ours']:,.0f}", f"{reached} of {len(days)} days", "each day's best",
            f"{totals['peer']:,.0f}", more(totals["ours"], totals["peer"]),
            f"{totals['oracle']:,.0f}", more(totals["ours"], totals["oracle"]), f"{back} / {theirs}", "", "",
        )
    )  # fmt: skip
    return Sheet(
        "npuserve with its one setting beside the best peer of each day, tuned for that day, and the oracle",
        (
            "", "NPU-hours", "in time", "best peer", "its NPU-hours", "npuserve", "oracle", "npuserve", "reversals",
            "good windows", "worst window",
        ),
        tuple(rows),
    )  # fmt: skip


def _beside(ours: Figures, best: Tuned | None) -> tuple[str, str]:
    return (f"{best.npu_hours:,.0f}", more(ours.npu_hours, best.npu_hours)) if best else ("not reached", "-")


def sums(days: Sequence[Day]) -> Sheet:
    """Every family over the days that it reaches the target on, and npuserve over the same days."""
    rows = []
    for family in days[0].families:
        each = [best.run.figures for best, _ in _over(days, family)]
        good = sum(one.good_windows for one in each) / len(each) if each else 0.0
        worst = min((one.worst_window for one in each), default=0.0)
        rows.append(
            (
                family, *_summed(days, family), percent(good, 1), percent(worst, 1), str(sum(one.cut for one in each)),
            )
        )  # fmt: skip
    return Sheet(
        f"sum over {len(days)} days",
        ("", *SUMMED, "good windows", "worst window", "cut"),
        tuple(rows),
        ("The days that a family does not reach are left out of its row; its best there is in the day's own table.",),
    )


SUMMED = ("NPU-hours", "days reached", "npuserve there", "reversals")


def _summed(days: Sequence[Day], family: str) -> tuple[str, ...]:
    found = _over(days, family)
    reached = sum(best.run.figures.attainment >= day.target for best, day in found)
    hours = sum(best.npu_hours for best, _ in found)
    beside = more(sum(day.ours.npu_hours for _, day in found), hours) if family != OURS else ""
    back = sum(best.run.figures.reversals for best, _ in found)
    return f"{hours:,.0f}", f"{reached} of {len(days)}", beside, str(back)


def _over(days: Sequence[Day], family: str) -> list[tuple[Tuned, Day]]:
    """npuserve on each day as it was; a peer on the days that it reaches."""
    if family == OURS:
        return [(Tuned(day.ours.npu_hours, day.runs[OURS][0]), day) for day in days]
    return [(best, day) for day in days if (best := day.best(family)) is not None]


def hardships(results: Mapping[Job, Sequence[Run]]) -> Iterator[Sheet]:
    """npuserve where something is wrong, over all days; and what a wrong engine model costs on each."""
    found: dict[str, dict[str, Figures]] = {name: {} for name in HARDSHIPS}
    for job, runs in results.items():
        found[job.hardship][job.trace] = runs[0].figures
    rows = []
    for name, by_day in found.items():
        each = list(by_day.values())
        low = min(each, key=lambda one: one.attainment)
        rows.append(
            (
                name, f"{sum(one.npu_hours for one in each):,.0f}",
                percent(sum(one.attainment for one in each) / len(each)), percent(low.attainment),
                percent(min(one.later for one in each)), str(sum(one.reversals for one in each)),
            )
        )  # fmt: skip
    yield Sheet(
        f"npuserve where something is wrong: sums and means of {len(found[AS_IT_IS])} days",
        ("", "NPU-hours", "in time", "lowest day", "lowest from the third hour", "reversals"),
        tuple(rows),
    )
    yield Sheet(
        "a wrong engine model: in time from the third hour on, and points beside the right model's",
        ("", "right", *(cell for name in WRONG for cell in (name, "points"))),
        tuple(
            (
                label(trace), percent(right.later),
                *(
                    cell
                    for name in WRONG
                    for cell in (percent(found[name][trace].later), points(found[name][trace].later, right.later))
                ),
            )
            for trace, right in found[AS_IT_IS].items()
        ),
    )  # fmt: skip


def starts(by_start: Mapping[float, Sequence[Day]]) -> Sheet:
    """Sums over the days for each time that a start takes, in seconds."""
    return Sheet(
        "starts of other lengths",
        ("", *SUMMED),
        tuple(
            (f"{seconds:.0f} s: {family}", *_summed(days, family))
            for seconds, days in by_start.items()
            for family in days[0].families
        ),
    )


def confirmed(found: Sequence[Confirmed], notes: tuple[str, ...] = ()) -> Sheet:
    """Both simulators side by side; peers and the oracle with the setting that first meets the target in ours."""
    return Sheet(
        "the same rules in NVIDIA's DynoSim",
        ("", "rule", "setting", "in time", "in DynoSim", "points", "NPU-hours", "in DynoSim", "more"),
        tuple(
            (
                label(one.ours.trace), one.ours.family, f"{one.ours.value:g}" if one.ours.family != OURS else "its one",
                percent(one.ours.figures.attainment), percent(one.attainment),
                points(one.attainment, one.ours.figures.attainment), f"{one.ours.figures.npu_hours:,.0f}",
                f"{one.npu_hours:,.0f}", more(one.npu_hours, one.ours.figures.npu_hours),
            )
            for one in found
        ),
        notes,
    )  # fmt: skip
