"""When a running answer is taken for silent: how long the client waits before it goes on with another machine. Pure.

A serving node that dies says nothing, so its silence has to tell. Frames leave it at least every 150 ms; what the
network and a busy machine make of that is measured, and only much more than that counts (docs/protocol.md, "Losing the
node").
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

LEAST_SECONDS = 0.5
"""Nobody is given up sooner."""
ROUND_TRIPS = 4
"""Nor before so many round trips over the paths,"""
GAPS = 2
"""nor before the silence is so many times as long as the longest one lately."""
GAP_HALF_LIFE = 5.0
"""Seconds after which a silence that is over counts half."""
LONGEST_SECONDS = 6.0
"""Silence that is enough whatever was measured."""


class Verdict(enum.Enum):
    """What to make of it that nothing comes."""

    PATIENCE = "wait"
    DOUBT = "find out whether anything reaches this machine"
    GONE = "go on with another machine"


@dataclass(slots=True)
class Silence:
    """Of one attempt at an answer. ``patience`` is doubled by every hand-over of the same answer: where machines are
    given up because everything here is slow, the next one is given more time."""

    patience: float = 1.0
    heard_at: float | None = None
    _gap: float = 0.0
    _working_since: float | None = None  # while it is silent: others have been heard

    def heard(self, now: float) -> None:
        """A genuine clove came."""
        if self.heard_at is not None:
            gap = now - self.heard_at
            self._gap = max(gap, self._gap * 0.5 ** (gap / GAP_HALF_LIFE))
        self.heard_at, self._working_since = now, None

    def limit(self, round_trip: float) -> float:
        """Seconds of silence after which the machine is taken for gone; ``round_trip`` is that of the way to it."""
        measured = max(LEAST_SECONDS, ROUND_TRIPS * round_trip, GAPS * self._gap)
        return min(self.patience * measured, LONGEST_SECONDS)

    def judge(self, now: float, round_trip: float, working_at: float | None) -> Verdict:
        """``working_at``: when the way to this machine was last seen to work, by something else than this answer (None:
        never). After a fault of its own network everything that waited comes in any order, so the first sign of life
        of others is given half as much time again."""
        if self.heard_at is None:
            return Verdict.PATIENCE
        limit = self.limit(round_trip)
        if now < self.heard_at + limit / 2:
            return Verdict.PATIENCE
        if working_at is None or working_at <= self.heard_at:
            return Verdict.DOUBT
        if self._working_since is None:
            self._working_since = working_at
        due = max(self.heard_at + limit, self._working_since + limit / 2)
        return Verdict.GONE if now >= due else Verdict.PATIENCE

    def deadlines(self, round_trip: float, looked_at: float) -> list[float]:
        """When :meth:`judge`, last asked at ``looked_at``, may say something else."""
        if self.heard_at is None:
            return []
        limit = self.limit(round_trip)
        waits = [self.heard_at + limit / 2, self.heard_at + limit]
        if self._working_since is not None:
            waits.append(self._working_since + limit / 2)
        elif looked_at >= self.heard_at + limit:
            waits.append(looked_at + limit / 2)
        return [at for at in waits if at > looked_at]
