"""Whether a link has become so much worse than it used to be that a new connection should be tried. Pure bookkeeping.

A link decays when its round trip stays far above its own past, or when the peer, heard until now, falls silent. A new
connection finds another way, other addresses or another relay server, if there is one; where there is none, trying
again and again would only add load, so the waits between two tries double.
"""

from __future__ import annotations

import statistics
from collections import deque

RECENT = 5
"""Round trips whose median counts as the present."""
WORSE_FACTOR = 4.0
WORSE_SECONDS = 0.25
"""A round trip counts as far above its past when it exceeds that by both, the factor and the seconds."""
SUSTAINED_SECONDS = 10.0
"""So long must it stay there."""
STALLED_SECONDS = 3.5
"""Silence after which a new connection is tried while the old one still counts as alive: pings come every 2 s, and one
lost packet delays a message by 1 s."""
FIRST_REST, LONGEST_REST = 15.0, 600.0
"""Seconds between two tries because of a slow link."""
STALLED_REST = 5.0
"""Seconds between two tries because of silence, which ends the link soon anyway."""
_FALL, _RISE = 0.25, 0.01


class LinkQuality:
    """The past and the present of the round trips with one peer; it outlives the connections of a link."""

    __slots__ = ("_last_try", "_next_try", "_recent", "_rest", "_worse_since", "usual")

    def __init__(self) -> None:
        self.usual: float | None = None
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._worse_since: float | None = None
        self._last_try = -STALLED_REST
        self._next_try = 0.0
        self._rest = FIRST_REST

    def sample(self, round_trip: float, now: float) -> None:
        """One measured round trip, in seconds."""
        self._recent.append(round_trip)
        if self.usual is None:
            self.usual = round_trip
        worse = len(self._recent) == RECENT and self._is_worse(statistics.median(self._recent))
        if not worse:
            self._worse_since = None
            if now > self._next_try + LONGEST_REST:
                self._rest = FIRST_REST  # it has been well for long: the next decay is answered at once
        elif self._worse_since is None:
            self._worse_since = now
        self.usual += (_FALL if round_trip < self.usual else _RISE) * (round_trip - self.usual)

    def is_decayed(self, now: float) -> bool:
        """Whether the round trip has been far above its past for long enough."""
        return self._worse_since is not None and now - self._worse_since >= SUSTAINED_SECONDS and now >= self._next_try

    def is_stalled(self, silence: float, now: float, *, leads: bool) -> bool:
        """Whether the peer has been silent for too long; the side that ``leads`` the heartbeat looks first."""
        patience = STALLED_SECONDS if leads else STALLED_SECONDS + 1.0
        return silence > patience and now - self._last_try >= STALLED_REST

    def tried(self, now: float) -> None:
        """A new connection is being tried: the present is measured anew, the past stays."""
        self._last_try = now
        if self._worse_since is not None:
            self._next_try = now + self._rest
            self._rest = min(self._rest * 2, LONGEST_REST)
        self._recent.clear()
        self._worse_since = None

    def _is_worse(self, round_trip: float) -> bool:
        assert self.usual is not None
        return round_trip > self.usual * WORSE_FACTOR and round_trip > self.usual + WORSE_SECONDS
