"""When it becomes another day where the owner is: what says "Today" says so no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from PySide6.QtCore import QObject, QTimer, Signal

LOOK_SECONDS = 60.0
"""Between two looks at most: a clock may be set, and a machine that slept does not count the time."""


def day_of(seconds: float) -> date:
    """The day of ``seconds`` since 1970, where this machine is."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().date()


def until_next_day(seconds: float) -> float:
    """Seconds until the next day begins here."""
    begins = datetime.combine(day_of(seconds) + timedelta(days=1), time()).astimezone()
    return begins.timestamp() - seconds


class NewDay(QObject):
    """``wall`` is the time in seconds since 1970."""

    came = Signal()
    """It is another day, a later one or, where the clock was set, an earlier one."""

    def __init__(self, wall: Callable[[], float], parent: QObject) -> None:
        super().__init__(parent)
        self._wall = wall
        self._day = day_of(wall())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        self._wait()

    def look(self) -> None:
        """Whether it is another day by now."""
        before, self._day = self._day, day_of(self._wall())
        self._wait()
        if self._day != before:
            self.came.emit()

    def _wait(self) -> None:
        seconds = min(LOOK_SECONDS, max(1.0, until_next_day(self._wall())))
        self._timer.start(round(1000 * seconds))
