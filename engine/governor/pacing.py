"""How fast a device may work: just below a cap of power, slower near one of heat, so that a month's allowance lasts.

What cannot be kept by working more slowly is kept by pausing: heat by the rule for it (``findings``), power here.
"""

from __future__ import annotations

LEAST = 0.1
"""Share of the time; who works less than that had better pause."""
WANTED = 0.95
"""Of a cap of power: just below it, so that what is measured late does not cross it."""
GENTLY = 1.04
"""By which a device may get faster from one look to the next. It must get slower at once."""
OVER_SECONDS = 10.0
"""So long power may be above a cap although the device hardly works any more; then it rests for"""
REST_SECONDS = 60.0
SILENT_SECONDS = 60.0
"""For which a pace holds although power or heat is not measured any more; then the cap does nothing, which is said."""
WARM = 5.0
"""Degrees below a limit from which on a device works more slowly."""
BURST_SECONDS = 10.0
"""For which a rate may be moved at once, and after which what was too much is forgiven."""
TIGHT, EASY, SLOWED = 0.5, 0.9, 0.95
"""Of a full bucket: below the first it works more slowly, above the second no more; how fast it is at most between."""
AHEAD, FAR_AHEAD = 0.05, 0.2
"""By so much of a month's allowance use may be ahead of an even spread before it is slowed, and before it is slowed as
far as it may be: who has a free evening shall not have to wait for the second half of the month."""


class PowerPacer:
    """Keeps the power that is measured of one device below a cap, by the share of the time in which it works."""

    def __init__(self) -> None:
        self.share = 1.0
        self._over_since: float | None = None
        self._rests_until = 0.0
        self._told = -SILENT_SECONDS

    def look(self, power: float | None, cap: float | None, now: float, *, working: bool, owners: bool = False) -> float:
        """The share from now on; 0: it has to rest. ``working``: it has something to do, so that power says something
        of its speed. ``owners``: it works for its owner, too, so that power says nothing of what others cost."""
        if owners and cap is not None:
            self._over_since = None
            return self.share
        if cap is None:
            self.share, self._over_since = 1.0, None
            return self.share
        if now < self._rests_until:
            return 0.0
        if power is None:  # a driver that says nothing for a moment does not mean full speed
            self._over_since = None
            if now - self._told >= SILENT_SECONDS:
                self.share = 1.0
            return self.share
        self._told = now
        if power >= cap:
            return self._slower(power, cap, now)
        self._over_since = None
        if working and power < WANTED * cap:
            self.share = min(1.0, self.share * GENTLY)
        return self.share

    def _slower(self, power: float, cap: float, now: float) -> float:
        self.share = max(LEAST, self.share * max(0.5, WANTED * cap / power))
        if self.share > LEAST:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        elif now - self._over_since >= OVER_SECONDS:
            self._over_since, self._rests_until = None, now + REST_SECONDS
            return 0.0
        return self.share


class Thermometer:
    """What one of them said last: one that says nothing for a moment does not mean a cool device."""

    def __init__(self) -> None:
        self.temperature: float | None = None
        """None: it has said nothing for too long, or never anything."""
        self._told = 0.0

    def look(self, temperature: float | None, now: float) -> float | None:
        """What to go by at ``now``, when it says ``temperature``."""
        if temperature is not None:
            self.temperature, self._told = temperature, now
        elif now - self._told >= SILENT_SECONDS:
            self.temperature = None
        return self.temperature


def heat_share(temperature: float | None, limit: float | None) -> float:
    """Full speed up to a few degrees below the limit, then slower and slower."""
    if temperature is None or limit is None:
        return 1.0
    return min(1.0, max(LEAST, (limit - temperature) / WARM))


def allowance_share(used: float, limit: float | None, month_share: float) -> float:
    """How fast to go on when ``used`` of ``limit`` is gone after ``month_share`` of the month. Whoever keeps to it uses
    the allowance up at the end of the month, and not before."""
    if limit is None:
        return 1.0
    ahead = (used / limit if limit > 0 else 1.0) - month_share
    return min(1.0, max(LEAST, (FAR_AHEAD - ahead) / (FAR_AHEAD - AHEAD)))


class RatePacer:
    """Keeps what answers to others move below a rate, by the share of the time in which they are written: a bucket that
    the rate fills and what was moved empties, also below nothing. So the rate is kept on average."""

    def __init__(self) -> None:
        self.share = 1.0
        self._saved = self._at = self._moved = 0.0
        self._rate: float | None = None

    def look(self, moved: float, rate: float | None, now: float) -> float:
        """The share from now on. ``moved``: bytes since the start; ``rate``: bytes a second."""
        most = (rate or 0.0) * BURST_SECONDS
        if rate is None or rate != self._rate:
            self.share, self._saved = 1.0, most
        else:
            self._saved += rate * max(0.0, now - self._at) - max(0.0, moved - self._moved)
            self._saved = min(most, max(-most, self._saved))
            if self.share < 1 and self._saved >= EASY * most:
                self.share = 1.0
            elif self.share < 1 or self._saved < TIGHT * most:
                self.share = min(SLOWED, max(LEAST, self._saved / (TIGHT * most)))
        self._rate, self._moved, self._at = rate, moved, now
        return self.share


class Steps:
    """A share as one of a few, for what is dear to change: 1, 1/2, 1/4, 1/8. It stays while it is about right."""

    def __init__(self) -> None:
        self.step = 1.0

    def of(self, share: float) -> float:
        """The step for ``share``: not above it, but for the last."""
        while self.step > 0.125 and share < self.step * 0.9:
            self.step /= 2
        while self.step < 1.0 and share >= min(1.0, self.step * 2 * 1.1):
            self.step *= 2
        return self.step
