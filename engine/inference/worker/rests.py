"""When a worker computes that shall not do so all the time: it rests between two steps, for its owner less. Pure."""

from __future__ import annotations

from typing import Literal

LONGEST = 5.0
"""Seconds of a rest, however slow the worker shall be."""


class Rests:
    """``pace``: share of the time in which it computes for others, ``owners`` for its owner (not below ``pace``)."""

    def __init__(self) -> None:
        self.pace = self.owners = 1.0
        self._until = self._owners_until = 0.0

    def who(self, now: float, *, owner_waits: bool) -> Literal["everybody", "owner", "nobody"]:
        """Whose answers may go on. ``owner_waits``: for a place that others have; then they do not rest either."""
        if now >= self.until(owner=owner_waits):
            return "everybody"
        return "owner" if now >= self._owners_until else "nobody"

    def until(self, *, owner: bool) -> float:
        """When the rest ends."""
        return self._owners_until if owner else self._until

    def worked(self, begun: float, now: float, *, owner_only: bool) -> None:
        """A step has ended; ``owner_only``: it was no step for others, who go on resting meanwhile."""
        self._owners_until = now + _rest(now - begun, self.owners)
        if not owner_only:
            self._until = now + _rest(now - begun, self.pace)


def _rest(seconds: float, share: float) -> float:
    return min(seconds * (1 / share - 1), LONGEST)
