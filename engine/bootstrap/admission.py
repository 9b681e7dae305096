"""When a relay's place in the graph is given, and when it loses it.

Absence adds up and is forgiven slowly: a relay that comes and goes within its allowance keeps its place, while a
stock of identities that are woken by turns to stand beside somebody cannot be kept for less than being there.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.directory.beacons import DAY_SECONDS, NOT_ADMITTED, admission_after

ABSENCE_SECONDS = 1800.0
"""A relay that was absent for longer than this within about a day is admitted anew."""
GAP_SECONDS = 5.0
"""Less than this between two looks is no absence."""
_FORGIVEN = ABSENCE_SECONDS / DAY_SECONDS


@dataclass(slots=True)
class Admission:
    """The standing of one member. ``number``: of the beacon that fixes its place (0: it has never relayed);
    ``absence``: seconds of absence that count; ``seen``: monotonic time at which it last relayed."""

    number: int = NOT_ADMITTED
    absence: float = 0.0
    seen: float = 0.0

    def relaying(self, newest_beacon: int, monotonic: float) -> None:
        """The member relays now."""
        gap = max(0.0, monotonic - self.seen)
        self.seen = monotonic
        self.absence = self.absence + gap if gap > GAP_SECONDS else max(0.0, self.absence - gap * _FORGIVEN)
        # A number far ahead stems from a clock that was wrong.
        if (
            self.number == NOT_ADMITTED
            or self.absence > ABSENCE_SECONDS
            or self.number > admission_after(newest_beacon)
        ):
            self.number, self.absence = admission_after(newest_beacon), 0.0
