"""The only place that reads the machine's clocks; everything else is handed a :class:`Clock`."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for durations, one for dates."""

    def monotonic(self) -> float:
        """Seconds that never go back; for time-outs and durations."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; for expiry and signatures."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


class ManualClock:
    """A clock that moves only when told to; for tests and simulation."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds`` (>= 0)."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds

    def set(self, time: float) -> None:
        """Move both clocks forward to ``time``; where they are later already they stay."""
        self._now = max(self._now, time)
