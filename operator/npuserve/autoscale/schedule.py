"""How many replicas a schedule keeps at a moment: floors that begin and end by cron expressions.

Rule: a floor holds while its last start is later than its last end, in its own time zone. Of several that hold, the
highest counts. Cron is read by cronsim, as Debian's cron reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from npuserve.api.autoscaling import AutoscalingFloor


def floor_at(schedule: Sequence[AutoscalingFloor], moment: datetime) -> tuple[int, str]:
    """Replicas that the schedule keeps at `moment` (with a time zone), and the sentence about it; 0 where none holds."""
    holding = [floor for floor in schedule if _holds(floor, moment)]
    if not holding:
        return 0, ""
    highest = max(holding, key=lambda floor: (floor.min_replicas, floor.name))
    return highest.min_replicas, f"{highest.name} asks for {highest.min_replicas} replicas"


def schedule_fault(floor: AutoscalingFloor) -> tuple[str, str] | None:
    """The field of a floor that cannot be read and the fix; None when all can."""
    try:
        zone = _zone(floor)
    except (ZoneInfoNotFoundError, ValueError):
        return "timeZone", f"{floor.time_zone!r} is no time zone; write for example Asia/Shanghai"
    for name, text in (("start", floor.start), ("end", floor.end)):
        try:
            next(CronSim(text, datetime(2026, 1, 1, tzinfo=zone)))
        except (CronSimError, StopIteration):
            return name, f"{text!r} is no time that cron knows; write for example 0 8 * * 1-5"
    return None


def _holds(floor: AutoscalingFloor, moment: datetime) -> bool:
    here = moment.astimezone(_zone(floor))
    return _last(floor.start, here) > _last(floor.end, here)


def _last(expression: str, moment: datetime) -> datetime:
    """The last time that `expression` names, `moment` included; long ago where there was none for years."""
    minute = moment.replace(second=0, microsecond=0)
    start = datetime.fromtimestamp(minute.timestamp() + 60, tz=moment.tzinfo)
    return next(iter(CronSim(expression, start, reverse=True)), datetime.fromtimestamp(0, tz=moment.tzinfo))


def _zone(floor: AutoscalingFloor) -> ZoneInfo:
    return ZoneInfo(floor.time_zone or "UTC")
