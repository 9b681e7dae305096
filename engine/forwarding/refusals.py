"""Members that did not take a request which their news had invited: for how long nothing more is sent there. Pure.

A full member says so in its statements. Who looks idle there and yet refuses, or does not answer, would otherwise be
chosen again and again, and every request would lose the time of asking it.
"""

from __future__ import annotations

from collections import OrderedDict

from engine.ids import NodeId

FIRST_SECONDS = 1.0
"""News may have been too old; who does not take the next request either is left alone for twice as long,"""
LONGEST_SECONDS = 120.0
"""up to this."""
MOST_MEMBERS = 4096


class Refusals:
    """Of the members of one group, or of the machines that one client asks; seconds of the first time and at most."""

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._first, self._longest = first, longest
        self._refused: OrderedDict[NodeId, tuple[float, float]] = OrderedDict()  # until when, and for how long

    def refused(self, member: NodeId, now: float) -> None:
        """It has not taken a request."""
        until, before = self._refused.get(member, (now, 0.0))
        if now < until:
            return  # requests that were sent before count once
        seconds = min(max(self._first, 2 * before), self._longest)
        self._refused[member] = (now + seconds, seconds)
        self._refused.move_to_end(member)
        if len(self._refused) > MOST_MEMBERS:
            self._refused.popitem(last=False)

    def took(self, member: NodeId) -> None:
        """An answer of it has come."""
        self._refused.pop(member, None)

    def is_left_alone(self, member: NodeId, now: float) -> bool:
        """Whether it had better not be asked now."""
        return now < self._refused.get(member, (now, 0.0))[0]
