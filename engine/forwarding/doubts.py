"""Members that did not hold what they had said: for how long their word about their cache is not believed. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from engine.ids import NodeId

FIRST_SECONDS = 10.0
"""A cache may have changed on the way; who disappoints again is left out for twice as long,"""
LONGEST_SECONDS = 1_800.0
"""up to this."""
FORGIVEN_SECONDS = 3_600.0
"""Without another disappointment everything is forgotten."""


class LookUps(Protocol):
    """What answers who holds a prefix, but for members in doubt."""

    @property
    def members(self) -> Collection[NodeId]:
        """Of whom anything is known."""

    def doubt(self, member: NodeId, doubted: bool = True) -> None:
        """Leave a member out, or take it back."""


class Doubts:
    """Who is left out of the look-ups of ``tree``."""

    def __init__(self, tree: LookUps) -> None:
        self._tree = tree
        self._doubted: dict[NodeId, tuple[float, float]] = {}  # member -> until when, and for how long

    def add(self, member: NodeId, now: float) -> None:
        """It has disappointed."""
        if member not in self._tree.members:
            return
        until, before = self._doubted.get(member, (now, 0.0))
        if now < until:
            return  # requests that were sent before count once
        seconds = min(max(FIRST_SECONDS, 2 * before), LONGEST_SECONDS)
        self._doubted[member] = (now + seconds, seconds)
        self._tree.doubt(member)

    def remove(self, member: NodeId, now: float) -> None:
        """It held what it had said."""
        until, seconds = self._doubted.get(member, (0.0, 0.0))
        if seconds and now >= until:
            del self._doubted[member]

    def look(self, now: float) -> None:
        """Take back whose time is over."""
        for member, (until, _) in list(self._doubted.items()):
            self._tree.doubt(member, now < until)
            if now >= until + FORGIVEN_SECONDS:
                del self._doubted[member]
