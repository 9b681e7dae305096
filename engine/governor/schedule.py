"""The weekly schedule: which hours of local time are allowed, and when that changes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

LocalTime = Callable[[float], datetime]
"""Local time of a moment in seconds since 1970; changes of daylight saving are in it."""
HOUR = 3600.0
MOST_HOURS = 8 * 24
"""So far is looked ahead: a week and what a change of the clock adds."""


def allowed(schedule: Sequence[int], local: datetime) -> bool:
    """Whether that hour is allowed. ``schedule``: for each day from Monday on, bit h for hour h."""
    return bool(schedule[local.weekday()] >> local.hour & 1)


def next_allowed(schedule: Sequence[int], wall: float, local_time: LocalTime) -> float | None:
    """When the next allowed hour begins, at or after ``wall``; None: no hour of the week is. Real hours are counted
    and local time is read at each, so a change of daylight saving is met as it comes."""
    for _ in range(MOST_HOURS):
        local = local_time(wall)
        if allowed(schedule, local):
            return wall
        wall += HOUR - (local.minute * 60 + local.second + local.microsecond / 1e6)
    return None
