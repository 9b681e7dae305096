"""The hours of a week in which this machine contributes, as a set of numbers: 0 is Monday from midnight to one."""

from __future__ import annotations

from PySide6.QtCore import QLocale

from app import i18n
from app.i18n import mark, tr

DAYS, HOURS = 7, 24
Week = frozenset[int]
ALWAYS: Week = frozenset(range(DAYS * HOURS))
_EVENING, _MORNING = 22, 7
NIGHTS: Week = frozenset(hour for hour in ALWAYS if not _MORNING <= hour % HOURS < _EVENING)
WEEKENDS: Week = frozenset(range(5 * HOURS, DAYS * HOURS))
PRESETS: tuple[tuple[str, Week], ...] = (
    (mark("Always"), ALWAYS),
    (mark("Nights"), NIGHTS),
    (mark("Weekends"), WEEKENDS),
    (mark("Nights and weekends"), NIGHTS | WEEKENDS),
)


def at(day: int, hour: int) -> int:
    """The hour of the week."""
    return day * HOURS + hour


def rectangle(one: int, other: int) -> Week:
    """All hours between two of them: those days, those times of day."""
    days = sorted((one // HOURS, other // HOURS))
    hours = sorted((one % HOURS, other % HOURS))
    return frozenset(at(day, hour) for day in range(days[0], days[1] + 1) for hour in range(hours[0], hours[1] + 1))


def turned(week: Week, hours: Week, on: bool) -> Week:
    """``week`` with ``hours`` on or off."""
    return week | hours if on else week - hours


def day_name(day: int, short: bool = False) -> str:
    """Of a day, Monday being 0, in the language in use."""
    form = QLocale.FormatType.ShortFormat if short else QLocale.FormatType.LongFormat
    return QLocale(i18n.current()).standaloneDayName(day + 1, form)


def hour_words(week: Week, hour: int) -> str:
    """One cell of the schedule, for who does not see it."""
    values = {"day": day_name(hour // HOURS), "start": hour % HOURS, "end": hour % HOURS + 1}
    if hour in week:
        return tr("{day}, {start} to {end} o'clock: contributes", **values)
    return tr("{day}, {start} to {end} o'clock: does not contribute", **values)


def week_words(week: Week) -> str:
    """The whole week in a few words."""
    for name, hours in PRESETS:
        if week == hours:
            return tr(name)
    if not week:
        return tr("Never")
    return tr("%Ln hour(s) a week", "", len(week))
