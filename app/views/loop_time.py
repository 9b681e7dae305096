"""How long one turn of the event loop may be worked, by all who have something to do in it together."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer


class LoopTime(QObject):
    """``seconds`` for a turn of the loop. They run from the first question in it. What had none of them (work has
    numbers here) is the first in the next one."""

    def __init__(self, parent: QObject, seconds: float) -> None:
        super().__init__(parent)
        self._seconds = seconds
        self._until: float | None = None
        self._put_off: Sequence[int] = ()
        self._end = QTimer(self)  # the loop has come round
        self._end.setSingleShot(True)
        self._end.setInterval(0)
        self._end.timeout.connect(self.renew)

    def begin(self) -> None:
        """The time runs from now on, unless it does already."""
        if self._until is None:
            self._until = time.perf_counter() + self._seconds
            self._end.start()

    @property
    def over(self) -> bool:
        """Whether whatever else waits should have its turn."""
        self.begin()
        return self._until is not None and time.perf_counter() > self._until

    def renew(self) -> None:
        """Another turn of the loop."""
        self._until = None
        self._end.stop()

    def put_off(self, numbers: Sequence[int]) -> None:
        """For these there was no time, in this order."""
        self._put_off = numbers

    def queue(self, numbers: Sequence[int]) -> list[int]:
        """First those that were put off, then the others as they are."""
        waited = [number for number in self._put_off if number in numbers]
        return [*waited, *(number for number in numbers if number not in waited)]
