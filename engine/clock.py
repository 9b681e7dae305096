"""The only place that reads the machine's clocks; everything else is handed a :class:`Clock`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple, Protocol

_BOOT = Path("/proc/sys/kernel/random/boot_id")


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


class Uptime(NamedTuple):
    """``boot`` names a start of this machine, ``seconds`` passed since it, asleep or awake."""

    boot: str
    seconds: float


def uptime() -> Uptime | None:
    """What no setting of the clock changes; None where the system does not name its starts (all but Linux)."""
    try:
        return Uptime(_BOOT.read_text(encoding="ascii").strip()[:64], time.clock_gettime(time.CLOCK_BOOTTIME))
    except (OSError, ValueError, AttributeError):
        return None


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
