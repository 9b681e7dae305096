"""A hash ring: which members a prefix belongs to when nothing else decides, the same for everybody who asks.

Consistent hashing after D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997: a member that comes or goes
moves only its own share.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b

from engine.forwarding.members import Member
from engine.ids import NodeId

CHECK_SECONDS = 1.0
"""How long a change of the members may go unnoticed; who asks skips those that are gone."""


class Ring:
    """Points of all members on a circle, made anew when the members change."""

    def __init__(self, points: int) -> None:
        self._per_member = points
        self._ids: frozenset[NodeId] = frozenset()
        self._points: tuple[int, ...] = ()
        self._owners: tuple[NodeId, ...] = ()
        self._checked = float("-inf")

    def update(self, members: Sequence[Member], now: float) -> None:
        """Takes notice of who is there."""
        if len(members) == len(self._ids) and self._checked <= now < self._checked + CHECK_SECONDS:
            return
        self._checked = now
        ids = frozenset(member.node_id for member in members)
        if ids == self._ids:
            return
        self._ids = ids
        self._points, self._owners = _placed(ids, self._per_member)

    def after(self, prefix: bytes) -> Iterator[NodeId]:
        """Every member once, from the prefix's place on clockwise."""
        start = bisect_left(self._points, _position(prefix))
        seen: set[NodeId] = set()
        for index in range(start, start + len(self._owners)):
            owner = self._owners[index % len(self._owners)]
            if owner not in seen:
                seen.add(owner)
                yield owner


@lru_cache(maxsize=4)
def _placed(ids: frozenset[NodeId], points: int) -> tuple[tuple[int, ...], tuple[NodeId, ...]]:
    """All points and whose they are: the same for whoever knows the same members, so that a process which simulates a
    thousand of them has one circle, not a thousand."""
    placed = sorted(
        (_position(index.to_bytes(2, "big") + node_id), node_id) for node_id in ids for index in range(points)
    )
    return tuple(point for point, _ in placed), tuple(owner for _, owner in placed)


def _position(name: bytes) -> int:
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
